//! `images.get_image` and `version.*` for a template engine, on plain JSON values.
//!
//! A filter travels through expressions as its printed form, so that a filter
//! object and a filter text are one thing. Errors are texts for the template's
//! author; the engine adds file and line. Spec 02 B2.

use serde_json::{Map, Value};

use crate::filter::{self, FILTERS, FilterError, RangeOptions, VersionFilter};
use crate::placeholder::ImageCall;
use crate::policy::Order;

/// Keywords that the oldest generation had; they never mattered.
const IGNORED_KEYWORDS: &[&str] = &["namespace", "deployment_name", "container"];

/// `images.get_image(image, latest_version=None, digest=False)`: the placeholder.
///
/// `policy="name"` is short for `latest_version=version.policy("name")`.
pub fn get_image(args: &[Value], kwargs: &Map<String, Value>) -> Result<String, String> {
    let mut kwargs = kwargs.clone();
    let policy = optional(kwargs.remove("policy"), "policy")?;
    let parameters = ["image", "latest_version", "digest"];
    let mut call = Arguments::new("get_image", &parameters, args, &kwargs, IGNORED_KEYWORDS)?;
    let image = match call.take("image") {
        Some(Value::String(image)) if !image.is_empty() => image,
        Some(Value::String(_)) => return Err("get_image: the image is empty".into()),
        Some(other) => return Err(format!("get_image: the image must be a string, not {}", kind(&other))),
        None => return Err("get_image() missing 1 required positional argument: 'image'".into()),
    };
    let latest_version = match call.take("latest_version") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            VersionFilter::parse(&text).map_err(|e| format!("get_image: latest_version {text:?}: {e}"))?;
            Some(text)
        }
        Some(other) => return Err(format!("get_image: latest_version must be a filter, not {}", kind(&other))),
    };
    let latest_version = match (latest_version, policy) {
        (filter, None) => filter,
        (None, Some(policy)) => Some(VersionFilter::named(&policy).map_err(|e| e.to_string())?.to_string()),
        (Some(_), Some(_)) => return Err("get_image: either latest_version or policy can be given".into()),
    };
    let digest = boolean(call.take("digest"), "digest")?;
    Ok(ImageCall { image, latest_version, digest }.encode())
}

/// Keywords of a `get_image` call that are accepted and ignored, for a warning.
pub fn ignored_keywords(kwargs: &Map<String, Value>) -> impl Iterator<Item = &str> {
    kwargs.keys().map(String::as_str).filter(|name| IGNORED_KEYWORDS.contains(name))
}

/// `version.NAME(…)`: the printed form of the filter.
pub fn version_function(name: &str, args: &[Value], kwargs: &Map<String, Value>) -> Result<String, String> {
    let filter = match name {
        "semver" => {
            // As kluctl's `semver` has one parameter, the others must be named.
            let mut kwargs = kwargs.clone();
            let range = kwargs.remove("range");
            let loose = boolean(kwargs.remove("loose"), "loose")?;
            let prerelease = boolean(kwargs.remove("prerelease"), "prerelease")?;
            let mut call = Arguments::new(name, &["allow_no_nums"], args, &kwargs, &[])?;
            let allow_no_nums = boolean(call.take("allow_no_nums"), "allow_no_nums")?;
            semver(RangeOptions { allow_no_nums, loose, prerelease }, range)?
        }
        "number" => {
            Arguments::new(name, &[], args, kwargs, &[])?;
            VersionFilter::Number
        }
        "regex" => {
            let mut call = Arguments::new(name, &["r|pattern|regex"], args, kwargs, &[])?;
            let pattern = text(call.take("r|pattern|regex"), name, "r")?;
            VersionFilter::regex(&pattern).map_err(|e| e.to_string())?
        }
        "prefix" => {
            let mut call = Arguments::new(name, &["s|prefix", "suffix"], args, kwargs, &[])?;
            let prefix = text(call.take("s|prefix"), name, "s")?;
            VersionFilter::prefix(&prefix, suffix(call.take("suffix"))?).map_err(|e| e.to_string())?
        }
        "alphabetical" => VersionFilter::Alphabetical(order(name, args, kwargs)?),
        "numerical" => VersionFilter::Numerical(order(name, args, kwargs)?),
        "natural" => VersionFilter::Natural(order(name, args, kwargs)?),
        "timestamp" => {
            let unit = optional(Arguments::new(name, &["unit"], args, kwargs, &[])?.take("unit"), "unit")?;
            VersionFilter::timestamp(unit.as_deref().unwrap_or("auto")).map_err(|e| e.to_string())?
        }
        "calver" => {
            let format = text(Arguments::new(name, &["format"], args, kwargs, &[])?.take("format"), name, "format")?;
            VersionFilter::calver(&format).map_err(|e| e.to_string())?
        }
        "digest" => {
            let tag = text(Arguments::new(name, &["tag"], args, kwargs, &[])?.take("tag"), name, "tag")?;
            VersionFilter::digest(&tag).map_err(|e| e.to_string())?
        }
        "newest_build" => {
            Arguments::new(name, &[], args, kwargs, &[])?;
            VersionFilter::NewestBuild
        }
        "policy" => {
            let policy = text(Arguments::new(name, &["name"], args, kwargs, &[])?.take("name"), name, "name")?;
            VersionFilter::named(&policy).map_err(|e| e.to_string())?
        }
        _ => return Err(format!("'version' has no function '{name}'; there are {FILTERS}")),
    };
    printed(&filter).map_err(|e| e.to_string())
}

/// The display form, unless it could not be parsed again.
fn printed(filter: &VersionFilter) -> Result<String, FilterError> {
    let text = filter.to_string();
    match VersionFilter::parse(&text) {
        Ok(same) if same == *filter => Ok(text),
        _ => Err(FilterError::BothQuotes(text)),
    }
}

fn semver(options: RangeOptions, range: Option<Value>) -> Result<VersionFilter, String> {
    let filter = match optional(range, "range")? {
        None => VersionFilter::semver(options),
        Some(range) => VersionFilter::range(&range, options),
    };
    filter.map_err(|e| e.to_string())
}

fn order(function: &str, args: &[Value], kwargs: &Map<String, Value>) -> Result<Order, String> {
    let given = optional(Arguments::new(function, &["order"], args, kwargs, &[])?.take("order"), "order")?;
    given.map_or(Ok(Order::default()), |text| filter::order(&text)).map_err(|e| e.to_string())
}

fn suffix(value: Option<Value>) -> Result<Option<VersionFilter>, String> {
    let not_a_filter = || FilterError::SuffixNotAFilter.to_string();
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            VersionFilter::parse(&text).map(Some).map_err(|e| format!("{}: {e}", not_a_filter()))
        }
        Some(_) => Err(not_a_filter()),
    }
}

fn text(value: Option<Value>, function: &str, parameter: &str) -> Result<String, String> {
    match value {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("{function}: {parameter} must be a string, not {}", kind(&other))),
        None => Err(format!("{function}() missing 1 required positional argument: '{parameter}'")),
    }
}

fn optional(value: Option<Value>, parameter: &str) -> Result<Option<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("invalid value for arg {parameter}, must be a string")),
    }
}

fn boolean(value: Option<Value>, parameter: &str) -> Result<bool, String> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(value),
        Some(_) => Err(format!("invalid value for arg {parameter}, must be a bool")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "none",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Arguments by parameter; a parameter may have several names, written `a|b`.
struct Arguments {
    values: Vec<(&'static str, Value)>,
}

impl Arguments {
    fn new(
        function: &str,
        parameters: &[&'static str],
        args: &[Value],
        kwargs: &Map<String, Value>,
        ignored: &[&str],
    ) -> Result<Self, String> {
        if args.len() > parameters.len() {
            let (most, given) = (parameters.len(), args.len());
            return Err(format!("{function}() takes at most {most} positional arguments but {given} were given"));
        }
        let mut values: Vec<_> = parameters.iter().copied().zip(args.iter().cloned()).collect();
        for (name, value) in kwargs.iter().filter(|(name, _)| !ignored.contains(&name.as_str())) {
            let parameter = parameters.iter().find(|p| p.split('|').any(|alias| alias == name));
            let parameter =
                *parameter.ok_or_else(|| format!("{function}() got an unexpected keyword argument '{name}'"))?;
            if values.iter().any(|(given, _)| *given == parameter) {
                return Err(format!("{function}() got multiple values for argument '{name}'"));
            }
            values.push((parameter, value.clone()));
        }
        Ok(Self { values })
    }

    fn take(&mut self, parameter: &str) -> Option<Value> {
        let at = self.values.iter().position(|(name, _)| *name == parameter)?;
        Some(self.values.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::placeholder;

    fn named(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn call(args: &[Value], kwargs: Value) -> Result<ImageCall, String> {
        let text = get_image(args, &named(kwargs))?;
        let found = placeholder::find(&json!({ "v": text }));
        Ok(found.occurrences[0].call.clone())
    }

    fn version(name: &str, args: &[Value], kwargs: Value) -> Result<String, String> {
        version_function(name, args, &named(kwargs))
    }

    #[test]
    fn the_filter_is_positional_or_named() {
        let with =
            |filter: Option<&str>| ImageCall { latest_version: filter.map(str::to_owned), ..ImageCall::new("a") };
        assert_eq!(call(&[json!("a")], json!({})), Ok(with(None)));
        assert_eq!(call(&[json!("a"), json!(null)], json!({})), Ok(with(None)));
        assert_eq!(call(&[json!("a"), json!("number()")], json!({})), Ok(with(Some("number()"))));
        assert_eq!(call(&[], json!({"image": "a", "latest_version": " number( ) "})), Ok(with(Some(" number( ) "))));
        assert_eq!(
            call(&[json!("a")], json!({"namespace": "x", "deployment_name": "y", "container": 1})),
            Ok(with(None))
        );
        assert!(call(&[json!("a")], json!({"digest": true})).unwrap().digest);
    }

    #[test]
    fn bad_calls_say_what_is_wrong() {
        for (args, kwargs, wanted) in [
            (vec![], json!({}), "get_image() missing 1 required positional argument: 'image'"),
            (vec![json!("")], json!({}), "get_image: the image is empty"),
            (vec![json!(5)], json!({}), "get_image: the image must be a string, not a number"),
            (vec![json!(null)], json!({}), "get_image: the image must be a string, not none"),
            (vec![json!("a")], json!({"image": "a"}), "get_image() got multiple values for argument 'image'"),
            (vec![json!("a")], json!({"latest": "a"}), "get_image() got an unexpected keyword argument 'latest'"),
            (vec![json!("a"), json!(5)], json!({}), "get_image: latest_version must be a filter, not a number"),
            (
                vec![json!("a"), json!("")],
                json!({}),
                "get_image: latest_version \"\": unexpected token -1, expected ident",
            ),
            (vec![json!("a"), json!(null), json!("x")], json!({}), "invalid value for arg digest, must be a bool"),
            (vec![json!("a"); 4], json!({}), "get_image() takes at most 3 positional arguments but 4 were given"),
        ] {
            assert_eq!(call(&args, kwargs).unwrap_err(), wanted);
        }
    }

    #[test]
    fn ignored_keywords_are_told() {
        let kwargs = named(json!({"namespace": 1, "image": "a"}));
        assert_eq!(ignored_keywords(&kwargs).collect::<Vec<_>>(), ["namespace"]);
    }

    #[test]
    fn version_functions_print_the_known_forms() {
        for (name, args, kwargs, wanted) in [
            ("semver", vec![], json!({}), "semver(allow_no_nums=False)"),
            ("semver", vec![json!(true)], json!({}), "semver(allow_no_nums=True)"),
            ("semver", vec![], json!({"allow_no_nums": true}), "semver(allow_no_nums=True)"),
            ("number", vec![], json!({}), "number()"),
            ("regex", vec![json!("a.*")], json!({}), "regex(\"a.*\")"),
            ("regex", vec![], json!({"pattern": "a\"b"}), "regex('a\"b')"),
            ("prefix", vec![json!("x")], json!({}), "prefix(\"x\")"),
            ("prefix", vec![], json!({"prefix": "x"}), "prefix(\"x\")"),
            ("prefix", vec![], json!({"s": "x", "suffix": "number()"}), "prefix(\"x\", suffix=number())"),
            ("prefix", vec![json!("x"), json!("number()")], json!({}), "prefix(\"x\", suffix=number())"),
            ("semver", vec![], json!({"range": ">=1.2 <2"}), "semver(range=\">=1.2 <2\")"),
            ("semver", vec![json!(false)], json!({"range": "1.x"}), "semver(range=\"1.x\")"),
            ("semver", vec![], json!({"allow_no_nums": true, "range": null}), "semver(allow_no_nums=True)"),
            ("alphabetical", vec![], json!({}), "alphabetical(order=\"asc\")"),
            ("alphabetical", vec![json!("DESC")], json!({}), "alphabetical(order=\"desc\")"),
            ("numerical", vec![], json!({"order": "desc"}), "numerical(order=\"desc\")"),
            ("natural", vec![], json!({"order": null}), "natural(order=\"asc\")"),
            ("timestamp", vec![], json!({}), "timestamp(unit=\"auto\")"),
            ("timestamp", vec![json!("ms")], json!({}), "timestamp(unit=\"ms\")"),
            ("calver", vec![json!("YYYY.0M")], json!({}), "calver(\"YYYY.0M\")"),
            ("digest", vec![], json!({"tag": "stable"}), "digest(\"stable\")"),
            (
                "prefix",
                vec![json!("x")],
                json!({"suffix": "natural()"}),
                "prefix(\"x\", suffix=natural(order=\"asc\"))",
            ),
        ] {
            assert_eq!(version(name, &args, kwargs).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn bad_version_calls_are_errors() {
        for (name, args, kwargs, wanted) in [
            ("nope", vec![], json!({}), "'version' has no function 'nope'"),
            ("semver", vec![json!("x")], json!({}), "invalid value for arg allow_no_nums, must be a bool"),
            ("semver", vec![], json!({"range": 5}), "invalid value for arg range, must be a string"),
            ("semver", vec![], json!({"range": ""}), "improper constraint: \"\""),
            ("semver", vec![], json!({"range": "a'\""}), "improper constraint"),
            ("semver", vec![json!(true)], json!({"range": "1"}), "allow_no_nums can't be combined with a range"),
            (
                "semver",
                vec![json!(false), json!("1")],
                json!({}),
                "semver() takes at most 1 positional arguments but 2 were given",
            ),
            ("semver", vec![json!("1.x")], json!({}), "invalid value for arg allow_no_nums, must be a bool"),
            ("alphabetical", vec![json!("up")], json!({}), "invalid value for arg order, must be asc or desc"),
            ("numerical", vec![json!(1)], json!({}), "invalid value for arg order, must be a string"),
            ("natural", vec![], json!({"by": 1}), "natural() got an unexpected keyword argument 'by'"),
            (
                "timestamp",
                vec![json!("h")],
                json!({}),
                "invalid value for arg unit, must be one of auto, s, ms, us, ns",
            ),
            ("timestamp", vec![json!(1); 2], json!({}), "timestamp() takes at most 1 positional arguments"),
            ("calver", vec![], json!({}), "calver() missing 1 required positional argument: 'format'"),
            ("calver", vec![json!(null)], json!({}), "calver: format must be a string, not none"),
            ("calver", vec![json!("MM")], json!({}), "invalid calver format `MM`: it has no year"),
            ("calver", vec![json!("YYYY'\"")], json!({}), "`calver("),
            ("digest", vec![], json!({}), "digest() missing 1 required positional argument: 'tag'"),
            ("digest", vec![json!("a@b")], json!({}), "invalid value for arg tag, must be a tag"),
            ("newest_build", vec![json!(1)], json!({}), "newest_build() takes at most 0 positional arguments"),
            ("policy", vec![], json!({}), "policy() missing 1 required positional argument: 'name'"),
            ("policy", vec![json!(1)], json!({}), "policy: name must be a string, not a number"),
            ("semver", vec![], json!({"loose": true}), "loose needs a range"),
            ("semver", vec![], json!({"range": "1.x", "loose": 1}), "invalid value for arg loose, must be a bool"),
            ("number", vec![json!(1)], json!({}), "number() takes at most 0 positional arguments but 1 were given"),
            ("regex", vec![], json!({}), "regex() missing 1 required positional argument: 'r'"),
            ("regex", vec![json!("")], json!({}), "pattern can't be empty"),
            ("regex", vec![json!("(")], json!({}), "error parsing regexp: missing closing )"),
            ("regex", vec![json!("'\"")], json!({}), "`regex("),
            ("prefix", vec![json!("a")], json!({"suffix": 5}), "invalid suffix, must be a filter"),
            (
                "prefix",
                vec![json!("a")],
                json!({"suffix": "x"}),
                "invalid suffix, must be a filter: unexpected token -1",
            ),
            ("prefix", vec![json!("a")], json!({"prefix": "a"}), "prefix() got multiple values for argument 'prefix'"),
        ] {
            let error = version(name, &args, kwargs).unwrap_err();
            assert!(error.starts_with(wanted), "{error}");
        }
    }
}
