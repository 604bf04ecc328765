//! Runs the benchmark and prints one table.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::probe::Floors;
use super::{Floor, Shape, Usage, generate, measure, probe};
use crate::servers::{ControlPlane, Options, SandboxError};
use crate::windlass;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program; a release build.
    pub binary: PathBuf,
    /// Sizes for `render`.
    pub render: Vec<usize>,
    /// Sizes for `deploy` and `diff`.
    pub cluster: Vec<usize>,
    /// Runs per figure; the median is printed.
    pub runs: usize,
}

struct Row {
    work: String,
    usages: Vec<Usage>,
    floor: Option<Floor>,
    goal: Option<f64>,
}

/// Measures everything of the plan; each row is printed as soon as it is known.
pub fn report(plan: &Plan, output: &mut dyn Write) -> Result<(), SandboxError> {
    let home = tempfile::tempdir().map_err(SandboxError::file("create a folder in", std::env::temp_dir()))?;
    let bench = Bench { plan, home: home.path() };
    let mut print = |text: String| {
        // A closed pipe is the reader's wish.
        let _ = output.write_all(text.as_bytes());
        let _ = output.flush();
    };
    print(HEAD.to_owned());
    print(bench.repeated("version", |_| bench.windlass(&["version"]))?.line());
    for &objects in &plan.render {
        let project = bench.project(objects)?;
        let row = bench.repeated(&format!("render {objects}"), |_| {
            let mut command = bench.windlass(&["render", "-t", "dev", "--offline-kubernetes"]);
            command.arg("--print-all").current_dir(&project);
            command
        })?;
        print(row.line());
    }
    for &objects in &plan.cluster {
        for row in bench.cluster(objects)? {
            print(row.line());
        }
    }
    Ok(())
}

struct Bench<'a> {
    plan: &'a Plan,
    home: &'a Path,
}

impl Bench<'_> {
    fn windlass(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.plan.binary);
        windlass::isolate(&mut command, self.home);
        command.arg("--no-update-check").args(arguments);
        command
    }

    fn project(&self, objects: usize) -> Result<PathBuf, SandboxError> {
        let folder = self.home.join(format!("project-{objects}"));
        generate(&folder, Shape { objects })?;
        Ok(folder)
    }

    fn repeated(&self, work: &str, command: impl Fn(usize) -> Command) -> Result<Row, SandboxError> {
        let usages = (0..self.plan.runs).map(|run| measure(&command(run))).collect::<Result<_, _>>()?;
        Ok(Row { work: work.to_owned(), usages, floor: None, goal: None })
    }

    /// First deploy (each run into a namespace of its own), unchanged diff, unchanged deploy.
    fn cluster(&self, objects: usize) -> Result<Vec<Row>, SandboxError> {
        let options = Options { audit: false, ..Options::default() };
        let shape = Shape { objects };
        // A plane of its own, which is gone before windlass runs: neither slows the other down.
        let Floors { apply, dry_run } = probe(&ControlPlane::start(options)?, shape)?;
        let plane = ControlPlane::start(options)?;
        let project = self.project(objects)?;
        let on_plane = |verb: &str, run: usize| {
            let namespace = format!("namespace=bench-{run}");
            let mut command = self.windlass(&[verb, "-t", "dev", "-a", &namespace]);
            if verb == "deploy" {
                command.arg("--yes");
            }
            command.env("KUBECONFIG", plane.kubeconfig()).current_dir(&project);
            command
        };
        let mut deploy = self.repeated(&format!("first deploy {objects}"), |run| on_plane("deploy", run))?;
        (deploy.floor, deploy.goal) = (Some(apply), Some(1.3));
        let mut diff = self.repeated(&format!("unchanged diff {objects}"), |_| on_plane("diff", 0))?;
        (diff.floor, diff.goal) = (Some(dry_run), Some(1.25));
        let mut again = self.repeated(&format!("unchanged deploy {objects}"), |_| on_plane("deploy", 0))?;
        again.floor = Some(dry_run);
        Ok(vec![deploy, diff, again])
    }
}

const HEAD: &str = "\
| work | median | best | CPU | peak memory | floor | ratio | goal |
|---|---|---|---|---|---|---|---|
";

impl Row {
    fn line(&self) -> String {
        let wall = |usage: &Usage| usage.wall;
        let median = median(self.usages.iter().map(wall).collect());
        let best = self.usages.iter().map(wall).fold(f64::INFINITY, f64::min);
        let cpu = self::median(self.usages.iter().map(|usage| usage.user + usage.system).collect());
        let peak = self.usages.iter().map(|usage| usage.peak_bytes).max().unwrap_or_default();
        let floor = self.floor.map_or_else(|| "–".to_owned(), describe);
        let ratio =
            self.floor.map_or_else(|| "–".to_owned(), |floor| format!("{:.2}", median / floor.time.as_secs_f64()));
        let goal = self.goal.map_or_else(|| "–".to_owned(), |goal| format!("≤ {goal}"));
        format!(
            "| {} | {} | {} | {} | {} MB | {floor} | {ratio} | {goal} |\n",
            self.work,
            seconds(median),
            seconds(best),
            seconds(cpu),
            peak.div_ceil(1_000_000),
        )
    }
}

fn describe(Floor { time, concurrency, http2 }: Floor) -> String {
    let protocol = if http2 { "HTTP/2" } else { "HTTP/1.1" };
    format!("{} ({concurrency} in flight, {protocol})", seconds(Duration::as_secs_f64(&time)))
}

fn seconds(value: f64) -> String {
    if value < 1.0 { format!("{:.0} ms", value * 1000.0) } else { format!("{value:.2} s") }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_even_and_odd_counts() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(vec![]).abs() < 1e-9);
    }

    #[test]
    fn line_names_ratio_and_memory() {
        let usage = Usage { code: 0, wall: 1.5, user: 0.5, system: 0.25, peak_bytes: 99_500_000 };
        let floor = Floor { time: Duration::from_secs(1), concurrency: 16, http2: true };
        let row = Row { work: "diff".to_owned(), usages: vec![usage], floor: Some(floor), goal: Some(1.25) };
        let wanted = "| diff | 1.50 s | 1.50 s | 750 ms | 100 MB | \
                      1.00 s (16 in flight, HTTP/2) | 1.50 | ≤ 1.25 |\n";
        assert_eq!(row.line(), wanted);
    }
}
