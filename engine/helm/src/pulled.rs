//! The layout of `.helm-charts`: where a pulled chart lies.

use std::path::{Path, PathBuf};

use url::Url;

use crate::config::{ChartSource, GitChart, GitRef};
use crate::error::RenderFailure;

/// The folder of pulled charts.
pub const BASE_NAME: &str = ".helm-charts";

/// The nearest `.helm-charts` from `dir` up to `root`.
#[must_use]
pub fn pulled_base(dir: &Path, root: &Path) -> Option<PathBuf> {
    dir.ancestors()
        .take_while(|ancestor| ancestor.starts_with(root))
        .map(|ancestor| ancestor.join(BASE_NAME))
        .find(|base| base.is_dir())
}

/// The folder of a chart's version, relative to `.helm-charts`; nothing for a local chart.
pub fn pulled_dir(source: &ChartSource) -> Result<Option<PathBuf>, RenderFailure> {
    match source {
        ChartSource::Local { .. } => Ok(None),
        ChartSource::Oci { url, version } => Ok(Some(below(repository_dir(url)?, &[version]))),
        ChartSource::Repository { url, name, version } => Ok(Some(below(repository_dir(url)?, &[name, version]))),
        ChartSource::Git(chart) => Ok(Some(git_dir(chart))),
    }
}

fn repository_dir(text: &str) -> Result<PathBuf, RenderFailure> {
    let unsupported = || RenderFailure::UnsupportedScheme { url: text.to_owned() };
    let url = Url::parse(text).map_err(|_| unsupported())?;
    // The parser drops a port that is the default of `http` or `https`, and knows no default for `oci`.
    match url.scheme() {
        "http" | "https" | "oci" => {}
        _ => return Err(unsupported()),
    }
    let host = url.host_str().ok_or_else(unsupported)?;
    Ok(place(url.scheme(), url.port(), host, url.path()))
}

fn git_dir(chart: &GitChart) -> PathBuf {
    let GitChart { url, reference, sub_dir } = chart;
    let mut dir = place(&format!("git_{}", url.scheme), url.port, &url.host, &url.path);
    if let Some(sub_dir) = sub_dir {
        dir.extend(elements(&sub_dir.to_lowercase()));
    }
    match reference {
        Some(GitRef::Tag(tag)) => below(dir, &["refs/tags", tag]),
        Some(GitRef::Branch(branch)) => below(dir, &["refs/heads", branch]),
        Some(GitRef::Commit(commit)) => below(dir, &["refs/commits", commit]),
        None => dir.join("unknown"),
    }
}

fn below(mut dir: PathBuf, names: &[&str]) -> PathBuf {
    dir.extend(names.iter().flat_map(|name| elements(name)));
    dir
}

/// Where older tools put a chart of a commit; different commits share it.
pub(crate) fn shared_commit_dir(chart: &GitChart) -> Option<PathBuf> {
    match &chart.reference {
        Some(GitRef::Commit(_)) => {
            let bare = GitChart { reference: None, ..chart.clone() };
            Some(git_dir(&bare).with_file_name("HEAD"))
        }
        _ => None,
    }
}

fn place(scheme: &str, port: Option<u16>, host: &str, path: &str) -> PathBuf {
    let port = port.map_or(String::new(), |port| format!("{port}_"));
    let mut dir = PathBuf::from(format!("{scheme}_{port}{}", host.to_lowercase()));
    dir.extend(elements(&path.to_lowercase()));
    dir
}

/// `.` and `..` would lead to other charts.
fn elements(path: &str) -> Vec<String> {
    path.split('/').filter(|element| !matches!(*element, "" | "." | "..")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git_url::GitUrl;

    fn repository(url: &str, name: &str) -> String {
        let source = ChartSource::Repository { url: url.into(), name: name.into(), version: "1.2.3".into() };
        pulled_dir(&source).unwrap().unwrap().display().to_string()
    }

    fn oci(url: &str) -> String {
        let source = ChartSource::Oci { url: url.into(), version: "1.2.3".into() };
        pulled_dir(&source).unwrap().unwrap().display().to_string()
    }

    fn git(url: &str, reference: Option<GitRef>, sub_dir: Option<&str>) -> String {
        let chart = GitChart { url: GitUrl::parse(url).unwrap(), reference, sub_dir: sub_dir.map(str::to_owned) };
        pulled_dir(&ChartSource::Git(chart)).unwrap().unwrap().display().to_string()
    }

    #[test]
    fn repositories_have_their_places() {
        assert_eq!(
            repository("https://charts.example.com/stable", "redis"),
            "https_charts.example.com/stable/redis/1.2.3"
        );
        assert_eq!(
            repository("https://charts.example.com:8443/", "redis"),
            "https_8443_charts.example.com/redis/1.2.3"
        );
        assert_eq!(repository("https://charts.example.com:443", "x"), "https_charts.example.com/x/1.2.3");
        assert_eq!(repository("http://charts.example.com:8080", "x"), "http_8080_charts.example.com/x/1.2.3");
        assert_eq!(repository("https://Charts.example.com/Stable", "Pep"), "https_charts.example.com/stable/Pep/1.2.3");
    }

    #[test]
    fn registries_keep_an_explicit_port() {
        assert_eq!(oci("oci://registry.example.com/team/pepper"), "oci_registry.example.com/team/pepper/1.2.3");
        assert_eq!(oci("oci://registry.example.com:5000/pepper"), "oci_5000_registry.example.com/pepper/1.2.3");
        assert_eq!(oci("oci://registry.example.com:443/pepper"), "oci_443_registry.example.com/pepper/1.2.3");
    }

    #[test]
    fn git_charts_have_their_places() {
        assert_eq!(
            git("https://git.example.com/Ops/Charts.git", Some(GitRef::Tag("v1".into())), Some("charts/Salt")),
            "git_https_git.example.com/ops/charts/charts/salt/refs/tags/v1"
        );
        assert_eq!(
            git("git@git.example.com:ops/charts", Some(GitRef::Branch("main".into())), None),
            "git_ssh_git.example.com/ops/charts/refs/heads/main"
        );
        assert!(git("https://a/b", Some(GitRef::Commit("0a".into())), None).ends_with("b/refs/commits/0a"));
        assert!(git("https://a/b", None, None).ends_with("b/unknown"));
    }

    #[test]
    fn commits_were_once_in_one_place() {
        let chart = |reference| GitChart { url: GitUrl::parse("https://a/b").unwrap(), reference, sub_dir: None };
        let commit = chart(Some(GitRef::Commit("0a".into())));
        assert_eq!(shared_commit_dir(&commit), Some(PathBuf::from("git_https_a/b/HEAD")));
        assert_eq!(shared_commit_dir(&chart(None)), None);
    }

    #[test]
    fn names_of_versions_do_not_climb() {
        let source = ChartSource::Oci { url: "oci://a/b".into(), version: "../../x".into() };
        assert_eq!(pulled_dir(&source).unwrap(), Some(PathBuf::from("oci_a/b/x")));
        assert!(git("https://a/b", Some(GitRef::Tag("../../../x".into())), None).ends_with("b/refs/tags/x"));
    }

    #[test]
    fn other_schemes_are_refused() {
        let source = ChartSource::Repository { url: "ftp://x/y".into(), name: "n".into(), version: "1".into() };
        assert_eq!(pulled_dir(&source).unwrap_err().to_string(), "unsupported scheme in ftp://x/y");
    }

    #[test]
    fn the_nearest_base_wins_and_the_root_is_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        let item = root.join("a/b");
        std::fs::create_dir_all(&item).unwrap();
        std::fs::create_dir_all(dir.path().join(BASE_NAME)).unwrap();
        assert_eq!(pulled_base(&item, &root), None);
        std::fs::create_dir_all(root.join(BASE_NAME)).unwrap();
        assert_eq!(pulled_base(&item, &root), Some(root.join(BASE_NAME)));
        std::fs::create_dir_all(root.join("a").join(BASE_NAME)).unwrap();
        assert_eq!(pulled_base(&item, &root), Some(root.join("a").join(BASE_NAME)));
    }
}
