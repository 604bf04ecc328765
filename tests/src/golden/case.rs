//! Runs one case.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::compare::Mismatch;
use super::environment::Environment;
use super::file_of;
use super::steps::{self, Step};
use crate::servers::ControlPlane;

/// A case that is being run.
pub(super) struct Running<'a> {
    pub(super) environment: Environment<'a>,
    pub(super) verbose: bool,
}

/// The steps of a case.
pub fn read(case: &str) -> Result<Vec<Step>, String> {
    let path = file_of(case, "steps.yaml");
    let text = fs::read_to_string(&path).map_err(|error| format!("read `{}`: {error}", path.display()))?;
    steps::parse(&text)
}

/// Whether the case wants a control plane.
pub fn needs_cluster(steps: &[Step]) -> bool {
    steps.iter().any(|s| matches!(s, Step::Needs(needs) if needs.iter().any(|n| n == "cluster")))
}

/// Runs a case; answers what differs from the recording.
///
/// A step that cannot be carried out ends the case and counts as a difference.
pub fn run(case: &str, binary: &Path, plane: Option<&ControlPlane>, verbose: bool) -> Result<Vec<Mismatch>, String> {
    let steps = read(case)?;
    let environment =
        Environment::prepare(case, binary, &steps, plane).map_err(|error| format!("prepare the case: {error}"))?;
    let running = Running { environment, verbose };
    let (mut found, mut runs) = (Vec::new(), 0);
    for step in &steps {
        runs += usize::from(matches!(step, Step::Run(_)));
        match running.step(step, runs) {
            Ok(more) => found.extend(more),
            Err(error) => {
                found.push(Mismatch::new(format!("after run {runs}"), error + "\n"));
                break;
            }
        }
    }
    Ok(found)
}

impl Running<'_> {
    /// Carries out a step; `number` counts the `run` steps.
    pub(super) fn step(&self, step: &Step, number: usize) -> Result<Vec<Mismatch>, String> {
        let done = |()| None;
        let found = match step {
            Step::Run(run) => return self.run(run, number),
            Step::Needs(_) => None,
            Step::Manifest { verb, file, manager } => self.manifest(verb, file, manager.as_deref()).map(done)?,
            Step::Patch(patch) => self.patch(patch).map(done)?,
            Step::Get(get) => self.get(get)?,
            Step::Kubectl { arguments, expect } => self.other_kubectl(arguments, expect.as_deref())?,
            Step::Git(step) => self.git_step(step).map(done)?,
            Step::Init(folder) => self.init(folder).map(done)?,
            Step::Charts(folder) => self.charts(folder).map(done)?,
            Step::Image { repository, tags } => self.image(repository, tags).map(done)?,
            Step::Write { path, text } => self.write(path, text).map(done)?,
            Step::Link { path, target } => self.link(path, target).map(done)?,
            Step::Remove(path) => self.remove(path).map(done)?,
            Step::Cat { path, expect } => self.cat(path, expect)?,
            Step::Tree { folder, expect } => self.tree(folder, expect)?,
            Step::Sleep(seconds) => {
                thread::sleep(Duration::from_secs_f64(*seconds));
                None
            }
        };
        Ok(found.into_iter().collect())
    }
}
