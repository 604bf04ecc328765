//! Renders the realistic project files again and again in one thread and prints what a pass takes.
//!
//! `cargo bench -p windlass-template --bench speed` runs it; `compare.py` runs it beside Python's Jinja2.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use windlass_template::{Batch, Engine, EngineOptions, Ports, SearchPath, Vars};

/// Passes when no number is given.
const PASSES: usize = 30;

fn main() -> io::Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let passes = numbers.next_back().unwrap_or(PASSES).max(3);
    let work = renders()?;
    // The first passes warm up.
    let times: Vec<(f64, f64)> = (0..passes).map(|_| pass(&work)).skip(passes / 10 + 1).collect();
    let wall = median(times.iter().map(|time| time.0).collect());
    let cpu = median(times.iter().map(|time| time.1).collect());
    let (renders, passes) = (work.len(), times.len());
    writeln!(
        io::stdout(),
        "{{\"renders\": {renders}, \"passes\": {passes}, \"median_ms\": {wall:.4}, \"cpu_ms\": {cpu:.4}}}"
    )
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Milliseconds that this thread has run, where Linux tells; it does not count the time of others on a busy machine.
fn cpu_ms() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e6
}

/// Milliseconds of wall and processor time.
fn pass(work: &[(Batch, PathBuf)]) -> (f64, f64) {
    let (start, cpu) = (Instant::now(), cpu_ms());
    let mut size = 0;
    for (batch, path) in work {
        size += batch.render_file(path).map_or(0, |text| text.len());
    }
    assert!(size > 0, "nothing was rendered");
    (start.elapsed().as_secs_f64() * 1000.0, cpu_ms() - cpu)
}

/// Every file with every context of its project that renders.
fn renders() -> io::Result<Vec<(Batch, PathBuf)>> {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let answers: Value = read_json(&oracle.join("projects.json"))?;
    let mut work = Vec::new();
    for (project, files) in answers.as_object().into_iter().flatten() {
        let folder = oracle.join("projects").join(project);
        let contexts: Vec<Value> = read_json(&folder.join("contexts.json"))?.as_array().cloned().unwrap_or_default();
        let engine = Engine::new(EngineOptions::default(), Ports::default());
        let batches: Vec<Batch> = contexts
            .into_iter()
            .map(|context| Vars::new(context.as_object().cloned().unwrap_or_default()))
            .map(|vars| engine.batch(vars, SearchPath::new([folder.clone()])))
            .collect();
        for (name, rows) in files.as_object().into_iter().flatten() {
            for (batch, answer) in batches.iter().zip(rows.as_array().into_iter().flatten()) {
                if answer[0].is_string() {
                    work.push((batch.clone(), folder.join(name)));
                }
            }
        }
    }
    Ok(work)
}

fn read_json(path: &Path) -> io::Result<Value> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
