//! Which fields of `helm-chart.yaml` fit together.

use crate::config::{RawConfig, present};

/// The broken rules, as (field, rule).
pub(crate) fn validate(raw: &RawConfig) -> Vec<(&'static str, &'static str)> {
    let mut broken = Vec::new();
    if raw.release_name.is_empty() {
        broken.push(("ReleaseName", "required"));
    }
    let repo = present(raw.repo.as_deref());
    let path = present(raw.path.as_deref());
    match (repo, path, &raw.git) {
        (None, None, None) => broken.push(("repo", "either repo, path or git must be specified")),
        (Some(repo), None, None) => broken.extend(of_repository(raw, repo)),
        (None, Some(_), None) => broken.extend(of_local_chart(raw)),
        (None, None, Some(_)) => broken.extend(of_git_chart(raw)),
        _ => broken.push(("repo", "only one of repo, path and git can be specified")),
    }
    broken
}

fn of_repository(raw: &RawConfig, repo: &str) -> Vec<(&'static str, &'static str)> {
    let mut broken = Vec::new();
    if present(raw.chart_version.as_deref()).is_none() {
        broken.push(("chartVersion", "chartVersion must be specified when repo is specified"));
    }
    match (repo.starts_with("oci://"), present(raw.chart_name.as_deref())) {
        (true, Some(_)) => broken.push(("chartName", "chartName can not be specified when repo is a OCI url")),
        (false, None) => broken.push(("chartName", "chartName must be specified when repo is normal Helm repo")),
        _ => {}
    }
    broken
}

fn of_local_chart(raw: &RawConfig) -> Vec<(&'static str, &'static str)> {
    let rules = [
        (&raw.chart_name, ("chartName", "chartName can not be specified for local Helm charts")),
        (&raw.chart_version, ("chartVersion", "chartVersion can not be specified for local Helm charts")),
        (
            &raw.update_constraints,
            ("updateConstraints", "updateConstraints can not be specified for local Helm charts"),
        ),
    ];
    forbidden(&rules)
}

fn of_git_chart(raw: &RawConfig) -> Vec<(&'static str, &'static str)> {
    let rules = [
        (&raw.chart_name, ("chartName", "chartName can not be specified for git Helm charts")),
        (&raw.chart_version, ("chartVersion", "chartVersion can not be specified for git Helm charts")),
    ];
    forbidden(&rules)
}

fn forbidden(rules: &[(&Option<String>, (&'static str, &'static str))]) -> Vec<(&'static str, &'static str)> {
    rules.iter().filter(|(field, _)| present(field.as_deref()).is_some()).map(|(_, rule)| *rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn release() -> RawConfig {
        RawConfig { release_name: "r".to_owned(), ..RawConfig::default() }
    }

    #[test]
    fn a_repository_needs_a_version_and_a_name() {
        let raw = RawConfig { repo: text("https://x"), ..release() };
        let fields: Vec<&str> = validate(&raw).iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["chartVersion", "chartName"]);
    }

    #[test]
    fn an_oci_chart_has_no_name() {
        let raw = RawConfig { repo: text("oci://x/y"), chart_version: text("1"), chart_name: text("y"), ..release() };
        assert_eq!(validate(&raw), [("chartName", "chartName can not be specified when repo is a OCI url")]);
    }

    #[test]
    fn sources_exclude_each_other() {
        let raw = RawConfig { repo: text("https://x"), path: text("x"), ..release() };
        assert_eq!(validate(&raw), [("repo", "only one of repo, path and git can be specified")]);
    }

    #[test]
    fn a_local_chart_has_no_version() {
        let raw = RawConfig { path: text("x"), chart_version: text("1"), update_constraints: text("1"), ..release() };
        let fields: Vec<&str> = validate(&raw).iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["chartVersion", "updateConstraints"]);
    }

    #[test]
    fn the_release_name_is_required() {
        let raw = RawConfig { path: text("x"), ..RawConfig::default() };
        assert_eq!(validate(&raw), [("ReleaseName", "required")]);
    }
}
