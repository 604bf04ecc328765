//! `helm-pull` killed at any moment: charts are whole or absent, and the next run finds nothing to clean but does.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use windlass_tests::servers::Commit;
use windlass_tests::{ChartServer, GitServer, Registry, TestProject, files_below};

use super::chart;

const CHARTS: [&str; 3] = ["one", "two", "three"];

/// A chart of many files, so that there is much to interrupt.
fn large(work: &Path, name: &str, version: &str) -> std::path::PathBuf {
    let texts: Vec<(String, String)> = (0..60)
        .map(|file| {
            let mut text = String::new();
            for line in 0..200 {
                let _ = writeln!(text, "# {version} {file} {line} {}", (line * 7919 + file * 31) % 104_729);
            }
            (format!("templates/part-{file}.yaml"), text)
        })
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (&**path, &**text)).collect();
    chart(work, name, version, &files)
}

/// Wants all charts in one version: from a repository, a registry, and git.
fn want(project: &TestProject, [repository, registry, git]: &[String; 3], version: &str) {
    let sources = [
        format!("repo: '{repository}', chartName: one, chartVersion: {version}"),
        format!("repo: 'oci://{registry}/team/two', chartVersion: {version}"),
        format!("git: {{url: '{git}', ref: {{tag: v{version}}}}}"),
    ];
    for (name, source) in CHARTS.iter().zip(sources) {
        project.write(&format!("{name}/helm-chart.yaml"), &format!("helmChart: {{releaseName: r, {source}}}\n"));
    }
}

/// Every folder with a `Chart.yaml` has all files of the chart.
fn assert_whole(base: &Path, what: &str) {
    for file in files_below(base).iter().filter(|file| file.ends_with("Chart.yaml") && !file.contains("staging")) {
        let folder = base.join(file).parent().expect("a folder").to_owned();
        assert_eq!(files_below(&folder.join("templates")).len(), 60, "{what}: {file}");
        let version = fs::read_to_string(base.join(file)).expect("a file");
        let version = version.rsplit("version: ").next().unwrap_or_default().trim().trim_matches('"').to_owned();
        for part in files_below(&folder.join("templates")) {
            let text = fs::read_to_string(folder.join("templates").join(&part)).expect("a file");
            assert!(text.lines().count() == 200 && text.starts_with(&format!("# {version} ")), "{what}: {file} {part}");
        }
    }
}

/// Kills at another moment each time; half of the runs start without a cache.
#[test]
fn killed_pulls_leave_whole_charts_and_nothing_else() {
    let runs: u32 = std::env::var("WINDLASS_KILL_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let (repository, registry, git) = (ChartServer::start(), Registry::start(), GitServer::start());
    let (repository, registry, git) =
        (repository.expect("a server"), registry.expect("a registry"), git.expect("a server"));
    let project = TestProject::from_files(&[(".kluctl.yaml", "{}\n")]);
    for version in ["1.0.0", "1.1.0"] {
        repository.add(&large(project.work(), "one", version)).expect("a chart");
        registry.push_chart("team/two", &large(project.work(), "two", version)).expect("a chart");
        let from = large(project.work(), "three", version);
        let tag = format!("v{version}");
        git.commit("three", Commit { from: Some(&from), tag: Some(&tag), ..Commit::default() }).expect("a commit");
    }
    let places = [repository.url(), registry.address(), git.url("three")];
    let plain = format!("--registry-plain-http={}", registry.address());
    let arguments = ["helm-pull", &*plain];
    let (base, cache) = (project.dir().join(".helm-charts"), project.work().join("cache/helm-charts"));
    want(&project, &places, "1.0.0");
    let started = Instant::now();
    project.succeed(&arguments);
    let whole_run = started.elapsed();
    let mut interrupted = 0;
    for run in 0..runs {
        if run % 2 == 0 {
            let _ = fs::remove_dir_all(project.work().join("cache"));
        }
        let version = if run % 2 == 0 { "1.1.0" } else { "1.0.0" };
        want(&project, &places, version);
        let mut child =
            project.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
        std::thread::sleep(whole_run.mul_f64(f64::from(run * 37 % 101) / 90.0) + Duration::from_millis(1));
        if child.try_wait().expect("a state").is_none() {
            interrupted += 1;
        }
        let _ = child.kill();
        let _ = child.wait();
        assert_whole(&base, &format!("{run} after the kill"));
        project.succeed(&arguments);
        assert_whole(&base, &format!("{run} after the next run"));
        assert_whole(&cache, &format!("{run} in the cache"));
        let left = |folder: &Path| {
            let files = files_below(folder).into_iter();
            files.filter(|file| file.contains("staging") || file.contains(".new-")).collect::<Vec<_>>()
        };
        assert_eq!((left(&base), left(&cache)), (vec![], vec![]), "{run}");
        let versions = files_below(&base).into_iter().filter(|file| file.ends_with("Chart.yaml"));
        let versions: Vec<_> = versions.filter(|file| file.contains(&format!("{version}/"))).collect();
        assert_eq!(versions.len(), 3, "{run}: {versions:?}");
        assert_eq!(project.temporary_files(), Vec::<String>::new(), "{run}");
    }
    assert!(interrupted * 3 >= runs, "only {interrupted} of {runs} runs were interrupted");
}
