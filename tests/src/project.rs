//! A project in a folder of its own, and windlass run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::servers::{ControlPlane, copy_tree};
use crate::windlass;

/// A project that a test runs windlass on; everything is removed when it is dropped.
///
/// Panics when files cannot be written, because no test can go on without them.
#[derive(Debug)]
pub struct TestProject {
    folder: tempfile::TempDir,
    kubeconfig: Option<PathBuf>,
}

/// What a run of windlass answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl TestProject {
    /// A copy of one of the projects in `examples/`.
    pub fn from_example(name: &str) -> Self {
        let project = Self::empty();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        copy_tree(&example, &project.dir()).expect("a copy of the example");
        project
    }

    /// A project of these files: path and content.
    pub fn from_files(files: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("windlass-test").tempdir().expect("a temporary folder");
        for name in ["home", "t", "project"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self { folder, kubeconfig: None }
    }

    /// Lets windlass talk to a control plane as `admin`.
    #[must_use]
    pub fn on(self, plane: &ControlPlane) -> Self {
        self.with_kubeconfig(plane.kubeconfig())
    }

    /// Lets windlass use any kubeconfig.
    #[must_use]
    pub fn with_kubeconfig(self, path: PathBuf) -> Self {
        Self { kubeconfig: Some(path), ..self }
    }

    /// Folder of the project.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Folder for what the test needs beside the project.
    pub fn work(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Content of a file of the project.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir().join(path)).expect("a file")
    }

    /// The command, to change or start it in another way than [`Self::run`].
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = windlass::command(self.work());
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command.current_dir(self.dir()).args(arguments);
        command
    }

    /// Runs windlass in the project.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        Answer::from(self.command(arguments).output().expect("windlass runs"))
    }

    /// Runs windlass, which must succeed.
    pub fn succeed(&self, arguments: &[&str]) -> Answer {
        let answer = self.run(arguments);
        assert_eq!(answer.code, 0, "windlass {arguments:?}\n{}\n{}", answer.stdout, answer.stderr);
        answer
    }

    /// Files that windlass left in its folder for temporary files, sorted.
    pub fn temporary_files(&self) -> Vec<String> {
        files_below(&self.work().join("t"))
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// All files below a folder, relative to it and sorted; empty when it does not exist.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}
