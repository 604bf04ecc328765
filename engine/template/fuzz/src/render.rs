//! Fuzz target: arbitrary template text, files and variables through the public API.
//!
//! Finds what ends or blocks the process: panics that are not turned into
//! errors, stack overflow, hangs and memory beyond the limit. Panics that the
//! engine catches are noted beside, in `caught-panics.txt`.
#![no_main]

mod grammar;
mod input;
mod variables;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use windlass_template::{Engine, EngineOptions, Limits, Ports, SearchPath};

use crate::input::Input;

/// One file beside the fixed ones is generated per part of the input.
const GENERATED: [&str; 3] = ["gen1.j2", "gen2.j2", "sub/gen3.j2"];

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let base = if Path::new("/dev/shm").is_dir() { PathBuf::from("/dev/shm") } else { PathBuf::from("files") };
    let folder = base.join(format!("windlass-fuzz-{}", std::process::id()));
    fs::create_dir_all(folder.join("sub")).expect("the folder for generated files");
    for (name, text) in variables::files() {
        fs::write(folder.join(name), text).expect("a fixed file");
    }
    folder
});

static SEEN_PANICS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fuzz_target!(
    init: {
        // A panic that the engine turns into an error is no crash; one that leaves it still ends the process.
        std::panic::set_hook(Box::new(|info| note_panic(&info.to_string())));
    },
    |data: &[u8]| -> Corpus { if run(&Input::parse(data)) { Corpus::Keep } else { Corpus::Reject } }
);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mutated = grammar::mutate(&data[..size], max_size, seed);
    let length = mutated.len().min(max_size).min(data.len());
    data[..length].copy_from_slice(&mutated[..length]);
    length
});

fn note_panic(text: &str) {
    let mut seen = SEEN_PANICS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if seen.insert(text.to_owned())
        && let Ok(mut file) = OpenOptions::new().create(true).append(true).open("caught-panics.txt")
    {
        let _ = writeln!(file, "{}", text.replace('\n', " "));
    }
}

fn limits(input: &Input) -> Limits {
    let usual = Limits::default();
    // Most runs get less fuel, so that more inputs are tried per second.
    if input.options & 0x0f == 0 { usual } else { Limits { fuel: usual.fuel / 100, ..usual } }
}

fn run(input: &Input) -> bool {
    for (name, text) in GENERATED.iter().zip(input.parts.iter().skip(1)) {
        if fs::write(FOLDER.join(name), text).is_err() {
            return false;
        }
    }
    let main = input.parts.first().map_or("", String::as_str);
    let engine = Engine::new(EngineOptions { limits: limits(input) }, Ports::default());
    let batch = engine.batch(variables::build(&input.variables, main), SearchPath::new([FOLDER.clone()]));
    match input.options >> 4 {
        0 => drop(batch.evaluate_named_condition(main, "fuzz")),
        1 => drop(batch.render_text_of(&FOLDER.join("main.yaml"), main.to_owned())),
        // Twice: the second time with files that are compiled already.
        2 => {
            let first = batch.render_named(main, "fuzz").map_err(|error| error.to_string());
            let second = batch.render_named(main, "fuzz").map_err(|error| error.to_string());
            let random = main.contains("random") || main.contains("lipsum") || main.contains("now");
            assert!(random || first == second, "two renders of the same differ");
        }
        _ => match batch.render_named(main, "fuzz") {
            Ok(_) => {}
            Err(error) => drop((error.to_string(), error.frames().len())),
        },
    }
    true
}
