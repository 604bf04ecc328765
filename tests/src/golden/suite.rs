//! Runs many cases at once and holds them against the list of known failures.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Mismatch, case, environment, failing};
use crate::servers::{ControlPlane, Options, SandboxError};

/// What became of one case.
#[derive(Debug)]
pub struct Report {
    /// `area/case`.
    pub case: String,
    /// Empty when the case passed.
    pub found: Vec<Mismatch>,
    /// Duration of the case.
    pub took: Duration,
}

impl Report {
    /// Whether the answers were the recorded ones.
    pub fn passed(&self) -> bool {
        self.found.is_empty()
    }

    /// All differences, indented.
    pub fn describe(&self) -> String {
        let mut text = format!("{}\n", self.case);
        for Mismatch { what, difference } in &self.found {
            text.push_str(&format!("  {what}\n"));
            for line in difference.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
        text
    }
}

/// How many cases run at the same time; most of them wait for a process or the cluster.
const WORKERS: usize = 4;
/// How many control planes the cases share, each for one case at a time.
const PLANES: usize = 2;

struct Pool {
    planes: Mutex<Planes>,
    returned: std::sync::Condvar,
}

#[derive(Default)]
struct Planes {
    idle: Vec<ControlPlane>,
    started: usize,
}

/// Runs cases with a binary; `tell` hears of each report as it comes.
pub fn run(cases: &[String], binary: &Path, verbose: bool, tell: impl Fn(&Report) + Sync) -> Vec<Report> {
    let pool = Pool { planes: Mutex::default(), returned: std::sync::Condvar::new() };
    // The slow ones first, so that none of them is alone at the end.
    let mut order: Vec<_> = cases.to_vec();
    order.sort_by_key(|case| !case::read(case).is_ok_and(|steps| case::needs_cluster(&steps)));
    let queue = Mutex::new(VecDeque::from(order));
    let reports = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = locked(&queue).pop_front() {
                    let report = pool.report(case, binary, verbose);
                    tell(&report);
                    locked(&reports).push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by(|a, b| a.case.cmp(&b.case));
    reports
}

/// What contradicts the list of known failures, described; empty when all is as listed.
pub fn surprises(reports: &[Report]) -> Vec<String> {
    let known = failing::read();
    let mut texts = Vec::new();
    for report in reports {
        match (report.passed(), known.contains(&report.case)) {
            (true, true) => {
                texts.push(format!("{} passes: remove it from {}\n", report.case, failing::path().display()))
            }
            (false, false) => texts.push(report.describe()),
            _ => {}
        }
    }
    texts
}

/// Puts the outcome of these reports into the list of known failures.
pub fn write_failing(reports: &[Report]) -> std::io::Result<()> {
    let mut known: BTreeSet<_> = failing::read();
    for report in reports {
        if report.passed() {
            known.remove(&report.case);
        } else {
            known.insert(report.case.clone());
        }
    }
    failing::write(&known)
}

impl Pool {
    fn report(&self, case: String, binary: &Path, verbose: bool) -> Report {
        let started = Instant::now();
        let outcome = self.attempt(&case, binary, verbose);
        let found = outcome.unwrap_or_else(|error| vec![Mismatch::new("case", error + "\n")]);
        Report { case, found, took: started.elapsed() }
    }

    fn attempt(&self, case: &str, binary: &Path, verbose: bool) -> Result<Vec<Mismatch>, String> {
        if !case::needs_cluster(&case::read(case)?) {
            return case::run(case, binary, None, verbose);
        }
        let text = |error: SandboxError| format!("control plane: {error}");
        let plane = self.take().map_err(text)?;
        // Cases of the area `cluster` have names of their own, the others expect a fresh cluster.
        let ready = if case.starts_with("cluster/") { Ok(()) } else { environment::wait_clean(&plane, case) };
        let found = ready.map_err(text).and_then(|()| case::run(case, binary, Some(&plane), verbose));
        let cleaned = environment::clean(&plane);
        if cleaned.is_ok() {
            self.give_back(plane);
        } else {
            self.give_up(plane);
        }
        found
    }

    fn take(&self) -> Result<ControlPlane, SandboxError> {
        let mut planes = locked(&self.planes);
        loop {
            if let Some(plane) = planes.idle.pop() {
                return Ok(plane);
            }
            if planes.started < PLANES {
                planes.started += 1;
                drop(planes);
                let options = Options { controllers: true, audit: false, ..Options::default() };
                return ControlPlane::start(options).inspect_err(|_| self.forget_one());
            }
            planes = self.returned.wait(planes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, plane: ControlPlane) {
        locked(&self.planes).idle.push(plane);
        self.returned.notify_one();
    }

    /// A plane that could not be cleaned is stopped; the next case starts a new one.
    fn give_up(&self, plane: ControlPlane) {
        drop(plane);
        self.forget_one();
    }

    fn forget_one(&self) {
        locked(&self.planes).started -= 1;
        self.returned.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
