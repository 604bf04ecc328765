//! Template arguments: `--arg name=value` and `--args-from-file` (spec 04 sections 6.1 and 6.2).

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};
use windlass_yaml::{Dialect, parse_first};

use super::layers::Layers;
use super::source::{SettingError, Source, Sourced};

/// Arguments of the caller, merged: `--arg` in order, then the files over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TemplateArgs {
    pub(crate) values: Map<String, Value>,
    /// Assignments that had no effect; the run goes on.
    pub(crate) warnings: Vec<String>,
}

impl TemplateArgs {
    /// Reads the flags and the files they name.
    pub(crate) fn read(layers: &Layers) -> Result<Self, SettingError> {
        let mut args = Self::default();
        for text in layers.list("arg") {
            args.assign(&text)?;
        }
        for file in layers.list("args-from-file") {
            merge(&mut args.values, read_file(&file)?);
        }
        Ok(args)
    }

    fn assign(&mut self, text: &Sourced<String>) -> Result<(), SettingError> {
        let (name, value) = split(text)?;
        let value = read_value(name, value, &text.source)?;
        let path: Vec<_> = name.split('.').collect();
        if !set(&mut self.values, &path, value) {
            let source = &text.source;
            self.warnings.push(format!("argument `{name}` from {source} is ignored: a part of its name is not a map"));
        }
        Ok(())
    }
}

fn split(text: &Sourced<String>) -> Result<(&str, &str), SettingError> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    match text.value.split_once('=') {
        Some((name, value)) if name.chars().all(of_name) && !value.contains('\n') => Ok((name, value)),
        _ => Err(SettingError::new(
            format!("invalid --arg argument. Must be --arg=some_var_name=value, not '{}'", text.value),
            &text.source,
        )),
    }
}

/// `@file` is the file's content, `\@text` the text `@text`; everything else is YAML.
fn read_value(name: &str, text: &str, source: &Source) -> Result<Value, SettingError> {
    if let Some(literal) = text.strip_prefix('\\').filter(|rest| rest.starts_with('@')) {
        return Ok(Value::String(literal.to_owned()));
    }
    if let Some(path) = text.strip_prefix('@') {
        let content = read_text(path).map_err(|reason| SettingError::new(reason, source))?;
        return yaml(path, &content).map_err(|reason| SettingError::new(reason, source));
    }
    yaml(&format!("--arg {name}"), text).map_err(|reason| {
        SettingError::new(reason, source).with_hint("quote the value to pass it as text, such as `-a 'name=\"value\"'`")
    })
}

fn read_file(file: &Sourced<String>) -> Result<Map<String, Value>, SettingError> {
    let path = &file.value;
    let fail = |reason: String| SettingError::new(reason, &file.source);
    let text = read_text(path).map_err(|reason| fail(format!("opening {path} failed: {reason}")))?;
    match yaml(path, &text).map_err(|reason| fail(format!("unmarshalling {path} failed: {reason}")))? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        Value::Array(_) => Err(fail(format!("unmarshalling {path} failed: expected a map of arguments, found a list"))),
        _ => Err(fail(format!("unmarshalling {path} failed: expected a map of arguments, found a single value"))),
    }
}

/// `-` is stdin.
fn read_text(path: &str) -> Result<String, String> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(Path::new(path))
    };
    let bytes = bytes.map_err(|error| crate::files::open_error(path, &error))?;
    windlass_yaml::decode(&bytes, path).map(std::borrow::Cow::into_owned).map_err(|error| error.to_string())
}

fn yaml(name: &str, text: &str) -> Result<Value, String> {
    let source = windlass_yaml::Source::new(name, text);
    parse_first(&source, Dialect::GoV2).map(|document| document.value).map_err(|error| error.to_string())
}

/// Sets a nested key; false when something on the way is not a map.
fn set(map: &mut Map<String, Value>, path: &[&str], value: Value) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut map = map;
    for key in parents {
        match map.entry(*key).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(child) => map = child,
            _ => return false,
        }
    }
    map.insert((*last).to_owned(), value);
    true
}

/// Maps are merged, everything else is replaced.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(values: &[&str]) -> Result<TemplateArgs, SettingError> {
        let mut line = vec!["render"];
        for value in values {
            line.extend(["-a", value]);
        }
        TemplateArgs::read(&layers(&line, &[], "").expect("layers"))
    }

    fn values(given: &[&str]) -> Value {
        Value::Object(read(given).expect("args").values)
    }

    #[test]
    fn values_are_yaml_and_names_are_paths() {
        assert_eq!(
            values(&["i=1", "s=\"1\"", "n=", "m={x: 1}", "l=[1, two]", "deep.er.key=v", "eq=a=b=c"]),
            json!({"i": 1, "s": "1", "n": null, "m": {"x": 1}, "l": [1, "two"], "deep": {"er": {"key": "v"}}, "eq": "a=b=c"})
        );
    }

    #[test]
    fn the_last_of_one_name_wins_in_command_line_order() {
        assert_eq!(values(&["a.b=1", "a=2", "x=1", "x=2"]), json!({"a": 2, "x": 2}));
    }

    #[test]
    fn an_assignment_below_a_scalar_is_reported() {
        let args = read(&["a=1", "a.b=2"]).expect("args");
        assert_eq!(args.warnings, ["argument `a.b` from flag `-a` is ignored: a part of its name is not a map"]);
        assert_eq!(Value::Object(args.values), json!({"a": 1}));
    }

    #[test]
    fn an_escaped_at_sign_is_text() {
        assert_eq!(values(&["a=\\@val.yaml", "b=\"@x\""]), json!({"a": "@val.yaml", "b": "@x"}));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for text in ["bad name=1", "noequals", "nl=a\nb", "ä=1"] {
            let error = read(&[text]).expect_err(text);
            let wanted = format!("invalid --arg argument. Must be --arg=some_var_name=value, not '{text}'");
            assert_eq!((error.reason.as_str(), error.origin().as_deref()), (wanted.as_str(), Some("flag `-a`")));
        }
        assert_eq!(read(&["f=@nope.yaml"]).expect_err("must fail").reason, "open nope.yaml: no such file or directory");
        let duplicate = read(&["y={a: 1, a: 2}"]).expect_err("must fail").reason;
        assert!(duplicate.contains("--arg y:1:8") && duplicate.contains("key \"a\" already set"), "{duplicate}");
        assert!(read(&["y={a: "]).is_err());
    }

    #[test]
    fn files_are_merged_over_arguments() {
        let dir = tempfile::tempdir().expect("temp dir");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("write");
            path.display().to_string()
        };
        let one = write("one.yaml", "env: file1\nnested: {a: f1}\nlist: [1, 2]\n");
        let two = write("two.yaml", "nested: {b: f2}\nlist: [3]\n");
        let empty = write("empty.yaml", "");
        let list = write("list.yaml", "- a\n");
        let line =
            ["render", "--args-from-file", &one, "-a", "env=cli", "--args-from-file", &two, "--args-from-file", &empty];
        let args = TemplateArgs::read(&layers(&line, &[], "").expect("layers")).expect("args");
        assert_eq!(Value::Object(args.values), json!({"env": "file1", "nested": {"a": "f1", "b": "f2"}, "list": [3]}));
        let read =
            |path: &str| TemplateArgs::read(&layers(&["render", "--args-from-file", path], &[], "").expect("layers"));
        let error = read("missing.yaml").expect_err("must fail").reason;
        assert_eq!(error, "opening missing.yaml failed: open missing.yaml: no such file or directory");
        let error = read(&list).expect_err("must fail").reason;
        assert!(error.starts_with(&format!("unmarshalling {list} failed: ")), "{error}");
    }
}
