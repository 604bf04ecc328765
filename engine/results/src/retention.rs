//! Which stored results are too old to be kept (spec 03 section 21.4).
//!
//! Results count per namespace. The predecessor lists the Secrets of the whole cluster, which few
//! may do, lets results of other namespaces use up the count, and then deletes in its own only.

use windlass_model::result::{ProjectKey, TargetKey};

use crate::catalogue::Listed;

/// The results of one project and target beyond the newest `keep`, newest first.
///
/// `listed` is in the order of [`crate::catalogue::catalogue`].
pub fn surplus(listed: Vec<Listed>, project: &ProjectKey, target: &TargetKey, keep: usize) -> Vec<Listed> {
    let ours = listed.into_iter().filter(|listed| listed.is_of(project) && listed.target == *target);
    ours.skip(keep).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_model::object::Object;

    use super::*;
    use crate::catalogue::catalogue;
    use crate::naming::ResultKind;

    fn project(repo_key: &str, sub_dir: &str) -> ProjectKey {
        ProjectKey { repo_key: repo_key.into(), sub_dir: sub_dir.into() }
    }

    fn target(name: &str, cluster: &str, discriminator: &str) -> TargetKey {
        TargetKey { target_name: name.into(), cluster_id: cluster.into(), discriminator: discriminator.into() }
    }

    /// Ids `r0` (oldest), `r1`, … in the order given.
    fn listed(results: &[(ProjectKey, TargetKey)]) -> Vec<Listed> {
        let secrets: Vec<_> = results
            .iter()
            .enumerate()
            .map(|(n, (project, target))| {
                let summary = json!({"projectKey": project, "targetKey": target,
                    "commandInfo": {"startTime": format!("2024-05-01T10:00:0{n}Z")}});
                Object(json!({"metadata": {"name": format!("cr-r{n}"), "namespace": "r",
                    "labels": {"kluctl.io/command-result-id": format!("r{n}")},
                    "annotations": {"kluctl.io/command-result-summary": summary.to_string()}}}))
            })
            .collect();
        catalogue(ResultKind::Command, &secrets)
    }

    fn surplus_ids(results: &[(ProjectKey, TargetKey)], of: &(ProjectKey, TargetKey), keep: usize) -> Vec<String> {
        surplus(listed(results), &of.0, &of.1, keep).into_iter().map(|listed| listed.id).collect()
    }

    #[test]
    fn the_newest_are_kept() {
        let ours = (project("git://h/a", ""), target("dev", "1", "d"));
        let results = vec![ours.clone(); 4];
        assert_eq!(surplus_ids(&results, &ours, 2), ["r1", "r0"]);
        assert_eq!(surplus_ids(&results, &ours, 4), [""; 0]);
        assert_eq!(surplus_ids(&results, &ours, 9), [""; 0]);
        assert_eq!(surplus_ids(&results, &ours, 0), ["r3", "r2", "r1", "r0"]);
    }

    #[test]
    fn other_targets_neither_count_nor_go() {
        let repo = || project("git://h/a", "");
        let ours = (repo(), target("dev", "1", "d"));
        let results = [
            ours.clone(),
            (repo(), target("prod", "1", "d")),
            (repo(), target("dev", "2", "d")),
            (repo(), target("dev", "1", "e")),
            (repo(), target("", "1", "d")),
        ];
        assert_eq!(surplus_ids(&results, &ours, 0), ["r0"]);
        assert_eq!(surplus_ids(&results, &ours, 1), [""; 0]);
    }

    #[test]
    fn other_projects_neither_count_nor_go() {
        let ours = (project("git://h/a", "x"), target("dev", "1", "d"));
        let other = |repo: &str, dir: &str| (project(repo, dir), ours.1.clone());
        let results = [ours.clone(), other("git://h/b", "x"), other("git://h/a", "y"), other("", ""), ours.clone()];
        assert_eq!(surplus_ids(&results, &ours, 1), ["r0"]);
    }

    #[test]
    fn without_repository_only_the_target_tells_results_apart() {
        let target = target("dev", "1", "d");
        let ours = (project("", ""), target.clone());
        assert_eq!(surplus_ids(&[(project("git://h/b", "x"), target), ours.clone()], &ours, 1), ["r0"]);
    }
}
