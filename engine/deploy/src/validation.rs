//! Rules between the fields of configuration files, in the wording scripts know (spec 01 section 1.1, rule 8).

use windlass_model::deployment::{ConflictResolution, DeploymentConfig, IgnoreForDiff, ItemConfig, ObjectMatch};
use windlass_model::project::{ArgDefinition, ProjectConfig};
use windlass_model::source::bad_sub_dir_element;
use windlass_model::vars_source::{ClusterKeySource, VarsSource};

use crate::config_file::ConfigError;

/// Checks `.kluctl.yaml`.
///
/// # Errors
/// Every broken rule.
pub fn check_project(config: &ProjectConfig) -> Result<(), ConfigError> {
    let mut rules = Rules::default();
    rules.args(&config.args);
    for image in config.targets.iter().flat_map(|t| &t.images) {
        rules.fixed_image(image);
    }
    rules.finish()
}

/// Checks the args of a library.
///
/// # Errors
/// Every broken rule.
pub fn check_args(args: &[ArgDefinition]) -> Result<(), ConfigError> {
    let mut rules = Rules::default();
    rules.args(args);
    rules.finish()
}

/// Checks `deployment.yaml`.
///
/// # Errors
/// Every broken rule.
pub fn check_deployment(config: &DeploymentConfig) -> Result<(), ConfigError> {
    let mut rules = Rules::default();
    for item in &config.deployments {
        rules.item(item);
    }
    config.vars.iter().for_each(|source| rules.vars_source(source));
    config.ignore_for_diff.iter().for_each(|rule| rules.ignore_for_diff(rule));
    config.conflict_resolution.iter().for_each(|rule| rules.conflict_resolution(rule));
    rules.finish()
}

#[derive(Default)]
struct Rules {
    violations: Vec<String>,
}

impl Rules {
    fn finish(self) -> Result<(), ConfigError> {
        if self.violations.is_empty() { Ok(()) } else { Err(ConfigError::Invalid { violations: self.violations }) }
    }

    fn broken(&mut self, key: &str, rule: &str) {
        let field = key.rsplit('.').next().unwrap_or(key);
        self.violations.push(format!("Key: '{key}' Error:Field validation for '{field}' failed on the '{rule}' tag"));
    }

    fn args(&mut self, args: &[ArgDefinition]) {
        for _ in args.iter().filter(|a| a.name.is_empty()) {
            self.broken("DeploymentArg.Name", "required");
        }
    }

    fn fixed_image(&mut self, image: &serde_json::Value) {
        let is_set = |key: &str| image.get(key).and_then(|v| v.as_str()).is_some_and(|text| !text.is_empty());
        if !is_set("resultImage") {
            self.broken("FixedImage.ResultImage", "required");
        }
        match (is_set("image"), is_set("imageRegex")) {
            (true, true) => self.broken("FixedImage.image", "only one of image or imageRegex can be set"),
            (false, false) => self.broken("FixedImage.image", "one of image or imageRegex must be set"),
            _ => {}
        }
    }

    fn item(&mut self, item: &ItemConfig) {
        let sources = [item.path.is_some(), item.include.is_some(), item.git.is_some(), item.oci.is_some()];
        let is_include = item.include.is_some() || item.git.is_some() || item.oci.is_some();
        if sources.iter().filter(|set| **set).count() > 1 {
            let rule = "only one of path, include, git and oci can be set at the same time";
            self.broken("DeploymentItemConfig.self", rule);
        }
        if let Some(element) = item.git.as_ref().and_then(|git| bad_sub_dir_element(git.sub_dir.as_deref()?)) {
            let rule = format!("'{element}' is not valid git subdirectory path");
            self.broken("DeploymentItemConfig.Git.subDir", &rule);
        }
        if let Some(element) = item.oci.as_ref().and_then(|oci| bad_sub_dir_element(oci.sub_dir.as_deref()?)) {
            let rule = format!("'{element}' is not valid oci subdirectory path");
            self.broken("DeploymentItemConfig.Oci.subDir", &rule);
        }
        if item.recursive && item.path.is_none() {
            self.broken("DeploymentItemConfig.recursive", "recursive can only be set when path is set");
        }
        if item.wait_readiness && item.path.is_none() {
            let rule = "only kustomize deployments are allowed to have waitReadiness set";
            self.broken("DeploymentItemConfig.waitReadiness", rule);
        }
        if !is_include && item.args.as_ref().is_some_and(|args| !args.is_empty()) {
            let rule = "args are only allowed when another project is included (via include, git or oci)";
            self.broken("DeploymentItemConfig.self", rule);
        }
        if !is_include && item.pass_vars {
            let rule = "passVars is only allowed when another project is included (via include, git or oci)";
            self.broken("DeploymentItemConfig.self", rule);
        }
        item.delete_objects.iter().for_each(|m| self.object_match("DeleteObjectItemConfig", m));
        item.wait_readiness_objects.iter().for_each(|m| self.object_match("WaitReadinessObjectItemConfig", m));
        if let Some(chart) = &item.rendered_helm_chart_config {
            self.rendered_chart(chart);
        }
        item.vars.iter().for_each(|source| self.vars_source(source));
    }

    /// The field is output only, but its own rules come first.
    fn rendered_chart(&mut self, chart: &serde_json::Value) {
        let chart = chart.get("helmChart").unwrap_or(chart);
        let has = |key: &str| chart.get(key).is_some_and(|value| !value.is_null());
        let owner = "DeploymentItemConfig.RenderedHelmChartConfig.HelmChartConfig2";
        if !has("releaseName") {
            self.broken(&format!("{owner}.ReleaseName"), "required");
        }
        if !["repo", "path", "git"].into_iter().any(has) {
            self.broken(&format!("{owner}.repo"), "either repo, path or git must be specified");
        }
    }

    fn object_match(&mut self, owner: &str, object: &ObjectMatch) {
        if object.name.is_empty() {
            self.broken(&format!("{owner}.ObjectRefItem.Name"), "required");
        }
        if object.group.is_none() && object.kind.is_none() {
            self.broken(&format!("{owner}.self"), "at least one of group or kind must be set");
        }
    }

    fn ignore_for_diff(&mut self, rule: &IgnoreForDiff) {
        if rule.field_path.is_empty() && rule.field_path_regex.is_empty() {
            let text = "at least one of fieldPath or fieldPathRegex must be set";
            self.broken("IgnoreForDiffItemConfig.self", text);
        }
    }

    fn conflict_resolution(&mut self, rule: &ConflictResolution) {
        if rule.action.is_none() {
            self.broken("ConflictResolutionConfig.Action", "required");
        }
        if rule.field_path.is_empty() && rule.field_path_regex.is_empty() && rule.manager.is_empty() {
            let text = "at least one of fieldPath, fieldPathRegex or manager must be set";
            self.broken("ConflictResolutionConfig.self", text);
        }
    }

    fn vars_source(&mut self, source: &VarsSource) {
        match source.kinds().len() {
            0 => self.broken("VarsSource.self", "unknown vars source type"),
            1 => {}
            _ => self.broken("VarsSource.self", "more then one vars source type"),
        }
        if let Some(key) = &source.cluster_config_map {
            self.cluster_key("ClusterConfigMap", key);
        }
        if let Some(key) = &source.cluster_secret {
            self.cluster_key("ClusterSecret", key);
        }
        if let Some(object) = &source.cluster_object {
            self.required("VarsSource.ClusterObject.Kind", &object.kind);
            self.required("VarsSource.ClusterObject.Path", &object.path);
            self.one_name("ClusterObject", object.name.is_some(), !object.labels.is_empty());
        }
        self.remote_source(source);
    }

    fn remote_source(&mut self, source: &VarsSource) {
        if let Some(git) = &source.git {
            self.required("VarsSource.Git.Url", &git.url);
            self.required("VarsSource.Git.Path", &git.path);
        }
        if let Some(git) = &source.git_files {
            self.required("VarsSource.GitFiles.Url", &git.url);
            git.files.iter().for_each(|file| self.required("VarsSource.GitFiles.Files.Glob", &file.glob));
        }
        if let Some(http) = &source.http {
            self.required("VarsSource.Http.Url", &http.url);
        }
        if let Some(secret) = &source.aws_secrets_manager {
            self.required("VarsSource.AwsSecretsManager.SecretName", &secret.secret_name);
        }
        if let Some(secret) = &source.gcp_secret_manager {
            self.required("VarsSource.GcpSecretManager.SecretName", &secret.secret_name);
        }
        if let Some(secret) = &source.azure_key_vault {
            self.required("VarsSource.AzureKeyVault.VaultUri", &secret.vault_uri);
            self.required("VarsSource.AzureKeyVault.SecretName", &secret.secret_name);
        }
        if let Some(secret) = &source.vault {
            self.required("VarsSource.Vault.Address", &secret.address);
            self.required("VarsSource.Vault.Path", &secret.path);
        }
    }

    fn cluster_key(&mut self, field: &str, key: &ClusterKeySource) {
        self.required(&format!("VarsSource.{field}.Namespace"), &key.namespace);
        self.required(&format!("VarsSource.{field}.Key"), &key.key);
        self.one_name(field, key.name.is_some(), !key.labels.is_empty());
    }

    fn required(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            self.broken(key, "required");
        }
    }

    fn one_name(&mut self, field: &str, name: bool, labels: bool) {
        let rule = match (name, labels) {
            (false, false) => "either name or labels must be set",
            (true, true) => "only one of name or labels can be set",
            _ => return,
        };
        self.broken(&format!("VarsSource.{field}.self"), rule);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn violations(config: serde_json::Value) -> String {
        let config: DeploymentConfig = serde_json::from_value(config).unwrap();
        check_deployment(&config).map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn a_valid_item_breaks_no_rule() {
        let item = json!({"path": "a", "waitReadiness": true, "recursive": true, "vars": [{"values": {}}]});
        assert_eq!(violations(json!({"deployments": [item, {"barrier": true}]})), "");
    }

    #[test]
    fn every_rule_of_an_item_is_checked() {
        let text = violations(json!({"deployments": [
            {"path": "a", "include": "b"},
            {"waitReadiness": true, "recursive": true},
            {"path": "a", "args": {"x": 1}, "passVars": true},
            {"deleteObjects": [{"kind": "X"}, {"name": "a"}]},
            {"vars": [{}, {"values": {}, "file": "x"}]},
        ]}));
        assert_eq!(text.lines().count(), 9, "{text}");
        assert!(text.contains("Key: 'DeleteObjectItemConfig.ObjectRefItem.Name' Error:Field validation for 'Name'"));
    }

    #[test]
    fn an_output_only_chart_is_checked_first() {
        let item = json!({"path": "a", "renderedHelmChartConfig": {}});
        assert_eq!(violations(json!({"deployments": [item]})).lines().count(), 2);
        let chart = json!({"helmChart": {"releaseName": "r", "path": "p"}});
        assert_eq!(violations(json!({"deployments": [{"path": "a", "renderedHelmChartConfig": chart}]})), "");
    }

    #[test]
    fn cluster_sources_need_a_place_and_one_name() {
        let text = violations(json!({"vars": [
            {"clusterSecret": {"name": "a", "labels": {"b": "c"}, "namespace": "n"}},
            {"clusterObject": {"kind": "ConfigMap"}},
        ]}));
        let broken: Vec<&str> = text.lines().filter_map(|line| line.split('\'').nth(1)).collect();
        assert_eq!(
            broken,
            [
                "VarsSource.ClusterSecret.Key",
                "VarsSource.ClusterSecret.self",
                "VarsSource.ClusterObject.Path",
                "VarsSource.ClusterObject.self"
            ]
        );
    }

    #[test]
    fn rules_need_a_path_and_an_action() {
        let text = violations(json!({"ignoreForDiff": [{"kind": "A"}], "conflictResolution": [{"manager": "x"}]}));
        assert!(text.contains("IgnoreForDiffItemConfig.self"));
        assert!(text.contains("ConflictResolutionConfig.Action"));
    }

    #[test]
    fn a_fixed_image_needs_exactly_one_name_and_a_result() {
        let config = json!({"targets": [{"name": "a", "images": [{"image": "x"}, {"image": "x", "imageRegex": "y",
            "resultImage": "z"}, {"resultImage": "z"}]}]});
        let config: ProjectConfig = serde_json::from_value(config).unwrap();
        let text = check_project(&config).unwrap_err().to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
