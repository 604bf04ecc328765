//! From entries as written to policies that elect.

use std::collections::BTreeMap;

use windlass_model::image_automation::{ImageAutomation, PolicyEntry, PolicySelect, RepositoryEntry, SemverSelect};

use super::{Address, ConfigStep, DigestReflection, EntryProblem, ProjectPolicies, ProjectPolicy, ProjectPolicyError};
use crate::filter::{FilterError, VersionFilter};
use crate::policy::{OnInvalid, Order, Policy, PolicyError, TagFilter};
use crate::reference::ImageText;
use crate::semver::{SemverRange, SemverSelection};

/// Leftovers of signing tools, which are no images.
const SIGNATURES: &str = r"\.(sig|att|sbom)$";

type Problem = (Vec<ConfigStep>, EntryProblem);

pub(super) fn compile(section: &ImageAutomation) -> Result<ProjectPolicies, ProjectPolicyError> {
    let namespace = &section.namespace;
    let repositories = repositories(section)?;
    let mut policies: BTreeMap<Address, (usize, ProjectPolicy)> = BTreeMap::new();
    for (index, entry) in section.policies.iter().enumerate() {
        let at = |(mut steps, reason): Problem| {
            steps.splice(0..0, [ConfigStep::Key("policies"), ConfigStep::Index(index)]);
            ProjectPolicyError { path: steps, reason }
        };
        let address = address(namespace, entry.namespace.as_ref(), &entry.name).map_err(at)?;
        if let Some((first, _)) = policies.get(&address) {
            return Err(at(twice("policies", &address, *first)));
        }
        let policy = policy(entry, address.clone(), namespace, &repositories).map_err(at)?;
        policies.insert(address, (index, policy));
    }
    let policies = policies.into_iter().map(|(address, (_, policy))| (address, policy)).collect();
    Ok(ProjectPolicies { namespace: namespace.clone(), policies })
}

type Repositories<'a> = BTreeMap<Address, (usize, &'a RepositoryEntry)>;

fn repositories(section: &ImageAutomation) -> Result<Repositories<'_>, ProjectPolicyError> {
    let mut repositories = Repositories::new();
    for (index, entry) in section.repositories.iter().enumerate() {
        let at = |(mut steps, reason): Problem| {
            steps.splice(0..0, [ConfigStep::Key("repositories"), ConfigStep::Index(index)]);
            ProjectPolicyError { path: steps, reason }
        };
        let address = address(&section.namespace, entry.namespace.as_ref(), &entry.name).map_err(at)?;
        untagged(&entry.image).map_err(at)?;
        if let Some((first, _)) = repositories.get(&address) {
            return Err(at(twice("repositories", &address, *first)));
        }
        repositories.insert(address, (index, entry));
    }
    Ok(repositories)
}

fn address(default: &str, namespace: Option<&String>, name: &str) -> Result<Address, Problem> {
    if name.is_empty() {
        return Err((Vec::new(), EntryProblem::Missing("name")));
    }
    Ok(Address { namespace: namespace.map_or(default, String::as_str).to_owned(), name: name.to_owned() })
}

fn twice(what: &'static str, address: &Address, first: usize) -> Problem {
    (vec![ConfigStep::Key("name")], EntryProblem::Twice { address: address.to_string(), what, first })
}

fn untagged(image: &str) -> Result<(), Problem> {
    let parts = ImageText::split(image);
    if image.is_empty() {
        return Err((Vec::new(), EntryProblem::Missing("image")));
    }
    if parts.tag.is_some() || parts.digest.is_some() {
        return Err((vec![ConfigStep::Key("image")], EntryProblem::TaggedImage(image.to_owned())));
    }
    Ok(())
}

fn policy(
    entry: &PolicyEntry,
    address: Address,
    namespace: &str,
    repositories: &Repositories<'_>,
) -> Result<ProjectPolicy, Problem> {
    let (image, exclude) = match (&entry.image, &entry.repository) {
        (Some(image), None) => {
            untagged(image)?;
            (image.clone(), None)
        }
        (None, Some(name)) => {
            let repository = repository(name, entry, namespace, repositories)?;
            (repository.image.clone(), repository.exclude.clone())
        }
        _ => return Err((Vec::new(), EntryProblem::ImageOrRepository)),
    };
    let selection = selection(entry.select.as_ref())?;
    let wants_digest = matches!(&selection, Policy::Filter(filter) if filter.wants_digest());
    let digest = match entry.digest.as_deref() {
        None if wants_digest => DigestReflection::Always,
        None | Some("Never") => DigestReflection::Never,
        Some("IfNotPresent") => DigestReflection::IfNotPresent,
        Some("Always") => DigestReflection::Always,
        Some(found) => return Err(choice("digest", found, &["Never", "IfNotPresent", "Always"])),
    };
    let mut checks = Vec::new();
    checks.extend((!entry.platforms.is_empty()).then_some("platforms"));
    checks.extend(entry.minimum_age.as_ref().map(|_| "minimumAge"));
    checks.extend((!entry.verify.is_empty()).then_some("verify"));
    let filter = tag_filter(entry, exclude)?;
    Ok(ProjectPolicy { address, image, filter, policy: selection, digest, checks, suspend: entry.suspend })
}

fn repository<'a>(
    name: &str,
    entry: &PolicyEntry,
    namespace: &str,
    repositories: &Repositories<'a>,
) -> Result<&'a RepositoryEntry, Problem> {
    let wanted = match name.split_once(':') {
        Some((namespace, name)) => Address { namespace: namespace.to_owned(), name: name.to_owned() },
        None => {
            Address { namespace: entry.namespace.as_deref().unwrap_or(namespace).to_owned(), name: name.to_owned() }
        }
    };
    repositories.get(&wanted).map(|(_, entry)| *entry).ok_or_else(|| {
        let known = repositories.keys().map(ToString::to_string).collect();
        (vec![ConfigStep::Key("repository")], EntryProblem::UnknownRepository { name: name.to_owned(), known })
    })
}

fn choice(key: &'static str, found: &str, wanted: &'static [&'static str]) -> Problem {
    (vec![ConfigStep::Key(key)], EntryProblem::Choice { found: found.to_owned(), wanted })
}

fn tag_filter(entry: &PolicyEntry, exclude: Option<Vec<String>>) -> Result<TagFilter, Problem> {
    let at = |key: &'static str| {
        move |error: PolicyError| (vec![ConfigStep::Key("filter"), ConfigStep::Key(key)], EntryProblem::Policy(error))
    };
    let filter =
        TagFilter::new(entry.filter.pattern.as_deref(), entry.filter.extract.as_deref()).map_err(at("pattern"))?;
    let exclude = exclude.unwrap_or_else(|| vec![SIGNATURES.to_owned()]);
    let filter = filter.excluding(&exclude).map_err(at("exclude"))?;
    let ignore: Vec<String> = entry.filter.ignore.iter().map(|text| ignore_pattern(text)).collect();
    filter.excluding(&ignore).map_err(at("ignore"))
}

/// `glob:rc-*` is the pattern of the whole tag; any other text is a pattern already.
fn ignore_pattern(text: &str) -> String {
    let Some(glob) = text.strip_prefix("glob:") else { return text.to_owned() };
    let mut pattern = String::from("^");
    for c in glob.chars() {
        match c {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            c if c.is_ascii_alphanumeric() || c == '_' => pattern.push(c),
            c => pattern.extend(['\\', c]),
        }
    }
    pattern.push('$');
    pattern
}

fn selection(select: Option<&PolicySelect>) -> Result<Policy, Problem> {
    let default = PolicySelect { semver: Some(SemverSelect::default()), ..PolicySelect::default() };
    let PolicySelect { semver, alphabetical, numerical, natural, timestamp, calver, newest_build, digest } =
        select.unwrap_or(&default);
    let mut found: Vec<(&'static str, Result<Policy, EntryProblem>)> = Vec::new();
    found.extend(semver.as_ref().map(|s| ("semver", semver_policy(s))));
    found.extend(alphabetical.as_ref().map(|s| ("alphabetical", order(&s.order).map(Policy::Alphabetical))));
    found.extend(numerical.as_ref().map(|s| ("numerical", numerical_policy(&s.order, s.on_invalid.as_deref()))));
    let natural_policy = |text: &str| Ok(Policy::Filter(VersionFilter::Natural(order(text)?)));
    found.extend(natural.as_ref().map(|s| ("natural", natural_policy(&s.order))));
    let timestamp_filter = |unit: Option<&str>| filter(VersionFilter::timestamp(unit.unwrap_or("auto")));
    found.extend(timestamp.as_ref().map(|s| ("timestamp", timestamp_filter(s.unit.as_deref()))));
    found.extend(calver.as_ref().map(|s| ("calver", filter(VersionFilter::calver(&s.format)))));
    found.extend(newest_build.as_ref().map(|s| ("newestBuild", newest_build_policy(s.by.as_deref()))));
    found.extend(digest.as_ref().map(|s| ("digest", filter(VersionFilter::digest(&s.tag)))));
    if found.len() != 1 {
        let found = found.into_iter().map(|(name, _)| name).collect();
        return Err((vec![ConfigStep::Key("select")], EntryProblem::SelectOne { found }));
    }
    let (name, policy) = found.remove(0);
    policy.map_err(|reason| (vec![ConfigStep::Key("select"), ConfigStep::Key(name)], reason))
}

fn filter(filter: Result<VersionFilter, FilterError>) -> Result<Policy, EntryProblem> {
    Ok(Policy::Filter(filter?))
}

fn order(text: &str) -> Result<Order, EntryProblem> {
    Ok(Order::parse(text)?)
}

fn semver_policy(select: &SemverSelect) -> Result<Policy, EntryProblem> {
    let range = SemverRange::parse(select.range.as_deref().unwrap_or("*")).map_err(PolicyError::Range)?;
    let loose = select.loose.unwrap_or(true);
    Ok(Policy::Semver(SemverSelection { range, loose, prerelease: select.prerelease }))
}

fn numerical_policy(text: &str, on_invalid: Option<&str>) -> Result<Policy, EntryProblem> {
    let on_invalid = match on_invalid {
        None | Some("skip") => OnInvalid::Skip,
        Some("fail") => OnInvalid::Fail,
        Some(found) => return Err(EntryProblem::Choice { found: found.to_owned(), wanted: &["skip", "fail"] }),
    };
    Ok(Policy::Numerical(order(text)?, on_invalid))
}

fn newest_build_policy(by: Option<&str>) -> Result<Policy, EntryProblem> {
    match by {
        None | Some("created") => Ok(Policy::Filter(VersionFilter::NewestBuild)),
        Some(found) => Err(EntryProblem::Choice { found: found.to_owned(), wanted: &["created"] }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::select;

    fn compiled(section: Value) -> Result<ProjectPolicies, String> {
        let section: ImageAutomation = serde_json::from_value(section).unwrap();
        ProjectPolicies::compile(&section).map_err(|e| e.to_string())
    }

    fn elected(select_: Value, filter: Value, tags: &[&str]) -> Option<String> {
        let policies =
            compiled(json!({"policies": [{"name": "p", "image": "r/i", "select": select_, "filter": filter}]}))
                .unwrap();
        let policy = policies.find("p").unwrap();
        select(tags, &policy.filter, &policy.policy).ok().map(|s| s.tag)
    }

    #[test]
    fn every_selection_elects() {
        for (select, filter, tags, wanted) in [
            (json!({"semver": {"range": "1.x"}}), json!({}), &["1.2.0", "dev-1.9.0", "2.0.0"][..], "dev-1.9.0"),
            (json!({"semver": {"range": "1.x", "loose": false}}), json!({}), &["1.2.0", "dev-1.9.0"], "1.2.0"),
            (json!({"semver": {"prerelease": true}}), json!({}), &["1.2.0", "1.3.0-rc1"], "1.3.0-rc1"),
            (json!({"alphabetical": {"order": "desc"}}), json!({}), &["a", "b"], "a"),
            (json!({"numerical": null}), json!({}), &["9", "10", "x"], "10"),
            (json!({"natural": {}}), json!({}), &["r-1.9", "r-1.10"], "r-1.10"),
            (
                json!({"timestamp": {}}),
                json!({"pattern": "^main-"}),
                &["main-1700000000", "x-1800000000"],
                "main-1700000000",
            ),
            (json!({"calver": {"format": "YYYY.0M"}}), json!({}), &["2024.01", "2024.02"], "2024.02"),
            (json!({"digest": {"tag": "stable"}}), json!({}), &["1", "stable"], "stable"),
            (json!({"alphabetical": {}}), json!({"ignore": ["glob:z*", "^y"]}), &["x", "y1", "z1"], "x"),
            (json!({"alphabetical": {}}), json!({}), &["a", "sha256-0.sig"], "a"),
        ] {
            assert_eq!(elected(select.clone(), filter, tags).as_deref(), Some(wanted), "{select}");
        }
    }

    #[test]
    fn a_policy_may_refer_to_a_repository() {
        let policies = compiled(json!({"namespace": "apps",
            "repositories": [{"name": "web", "image": "r/web", "exclude": ["^x"]}],
            "policies": [{"name": "web", "repository": "web", "digest": "Always", "minimumAge": "3d"}]}))
        .unwrap();
        let policy = policies.find("apps:web").unwrap();
        assert_eq!((policy.image.as_str(), policy.digest), ("r/web", DigestReflection::Always));
        assert_eq!(policy.checks, ["minimumAge"]);
        assert_eq!(policies.find("web").unwrap(), policy);
        assert_eq!(policies.find("wep").unwrap_err().to_string(), "no policy `wep`; the project has apps:web");
    }

    #[test]
    fn bad_entries_name_the_place_and_the_reason() {
        let policy = |extra: Value| {
            let mut entry = json!({"name": "p", "image": "r/i"});
            entry.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            json!({"policies": [entry]})
        };
        for (section, wanted) in [
            (json!({"policies": [{"image": "a"}]}), "imageAutomation.policies[0]: `name` is missing"),
            (
                json!({"policies": [{"name": "a"}]}),
                "imageAutomation.policies[0]: exactly one of `repository` and `image` must be set",
            ),
            (
                policy(json!({"repository": "r"})),
                "imageAutomation.policies[0]: exactly one of `repository` and `image` must be set",
            ),
            (
                json!({"policies": [{"name": "a", "repository": "r"}]}),
                "imageAutomation.policies[0].repository: no repository `r`: imageAutomation.repositories is empty",
            ),
            (
                json!({"repositories": [{"name": "x", "image": "a"}], "policies": [{"name": "a", "repository": "r"}]}),
                "imageAutomation.policies[0].repository: no repository `r`; there is x",
            ),
            (
                json!({"repositories": [{"name": "x", "image": "a:1"}]}),
                "imageAutomation.repositories[0].image: the image `a:1` must not have a tag or digest",
            ),
            (json!({"repositories": [{"name": "x"}]}), "imageAutomation.repositories[0]: `image` is missing"),
            (
                json!({"repositories": [{"name": "x", "image": "a"}, {"name": "x", "image": "b"}]}),
                "imageAutomation.repositories[1].name: `x` is defined twice, before as repositories[0]",
            ),
            (
                json!({"policies": [{"name": "x", "image": "a"}, {"name": "x", "image": "b"}]}),
                "imageAutomation.policies[1].name: `x` is defined twice, before as policies[0]",
            ),
            (
                policy(json!({"select": {}})),
                "imageAutomation.policies[0].select: exactly one way to select must be given, not none",
            ),
            (
                policy(json!({"select": {"semver": {}, "natural": {}}})),
                "imageAutomation.policies[0].select: exactly one way to select must be given, not semver and natural",
            ),
            (
                policy(json!({"select": {"semver": {"range": "1x"}}})),
                "imageAutomation.policies[0].select.semver: constraint parser error",
            ),
            (
                policy(json!({"select": {"numerical": {"onInvalid": "x"}}})),
                "imageAutomation.policies[0].select.numerical: `x` is not possible here, use skip, fail",
            ),
            (
                policy(json!({"select": {"newestBuild": {"by": "push"}}})),
                "imageAutomation.policies[0].select.newestBuild: `push` is not possible here, use created",
            ),
            (
                policy(json!({"digest": "always"})),
                "imageAutomation.policies[0].digest: `always` is not possible here, use Never, IfNotPresent, Always",
            ),
        ] {
            assert_eq!(compiled(section).unwrap_err(), wanted);
        }
    }

    #[test]
    fn bad_patterns_orders_and_formats_are_errors() {
        let entry = |select: Value, filter: Value| {
            compiled(json!({"policies": [{"name": "p", "image": "r", "select": select, "filter": filter}]}))
                .unwrap_err()
        };
        for (select, filter, wanted) in [
            (json!({"natural": {}}), json!({"pattern": "("}), "policies[0].filter.pattern: invalid regular expression"),
            (json!({"natural": {}}), json!({"ignore": ["["]}), "policies[0].filter.ignore: invalid regular expression"),
            (json!({"alphabetical": {"order": "up"}}), json!({}), "policies[0].select.alphabetical: invalid order"),
            (
                json!({"timestamp": {"unit": "h"}}),
                json!({}),
                "policies[0].select.timestamp: invalid value for arg unit",
            ),
            (json!({"calver": {}}), json!({}), "policies[0].select.calver: invalid calver format"),
            (json!({"digest": {}}), json!({}), "policies[0].select.digest: invalid value for arg tag"),
        ] {
            let error = entry(select, filter);
            assert!(error.strip_prefix("imageAutomation.").unwrap().starts_with(wanted), "{error}");
        }
    }
}
