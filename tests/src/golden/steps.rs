//! The steps of a case, as data.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::yaml;

/// One entry of `steps.yaml`.
#[derive(Debug, Clone)]
pub enum Step {
    /// What the case needs beside files.
    Needs(Vec<String>),
    /// Run windlass.
    Run(Box<Run>),
    /// `kubectl apply` or `kubectl delete` with a file of the case.
    Manifest {
        /// `apply` or `delete`.
        verb: &'static str,
        /// File of the case.
        file: String,
        /// Server-side apply as this field manager.
        manager: Option<String>,
    },
    /// `kubectl patch`.
    Patch(Patch),
    /// Compare a live object.
    Get(Get),
    /// Any other `kubectl` call.
    Kubectl {
        /// Arguments.
        arguments: Vec<String>,
        /// File with the expected stdout; without one the call must succeed.
        expect: Option<String>,
    },
    /// Add a commit to a served repository.
    Git(GitStep),
    /// Make a folder of the project a repository.
    Init(String),
    /// Serve the charts of a folder of the case.
    Charts(String),
    /// Push a tiny image.
    Image {
        /// Repository without the registry.
        repository: String,
        /// One image under all of these.
        tags: Vec<String>,
    },
    /// Write a file of the project.
    Write {
        /// Below the project.
        path: String,
        /// With placeholders.
        text: String,
    },
    /// Make a file of the project a symbolic link: the recorded projects hold links as files with the target's path.
    Link {
        /// Below the project.
        path: String,
        /// What it points to.
        target: String,
    },
    /// Remove a file or folder of the project.
    Remove(String),
    /// Compare a file that windlass wrote.
    Cat {
        /// Below the work folder.
        path: String,
        /// File with the expected content.
        expect: String,
    },
    /// Compare a list of files.
    Tree {
        /// Below the work folder.
        folder: String,
        /// File with the expected list.
        expect: String,
    },
    /// Wait, in seconds.
    Sleep(f64),
}

/// A `run` step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Arguments without the program.
    #[serde(deserialize_with = "texts")]
    pub run: Vec<String>,
    /// A number or `any`.
    #[serde(default)]
    pub exit: Value,
    /// File with the expected stdout; none means empty.
    pub stdout: Option<String>,
    /// File with the expected stderr; none means empty.
    pub stderr: Option<String>,
    /// Streams that are not compared.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Streams whose lines come in any order.
    #[serde(default)]
    pub unordered: Vec<String>,
    /// Additional environment.
    #[serde(default)]
    pub env: Map<String, Value>,
    /// Below the project.
    #[serde(default)]
    pub cwd: String,
    /// What is piped in.
    #[serde(default)]
    pub stdin: String,
    /// Run on a terminal.
    #[serde(default)]
    pub tty: bool,
    /// Answers on the terminal.
    #[serde(default)]
    pub r#type: Vec<String>,
    /// File with what the terminal shows.
    pub terminal: Option<String>,
    /// The older release that recorded this step; windlass runs all the same.
    pub tool: Option<String>,
    /// `text`, `full` or `brief`.
    pub result: Option<String>,
    /// User to impersonate.
    pub r#as: Option<String>,
    /// Steps that are carried out while the command runs.
    #[serde(default)]
    pub during: Vec<Value>,
}

/// A `patch` step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// `kind/name -n namespace`.
    pub patch: String,
    /// The patch.
    pub body: Value,
    /// `merge`, `json` or `strategic`.
    #[serde(default = "merge")]
    pub r#type: String,
    /// For example `status`.
    pub subresource: Option<String>,
    /// Field manager.
    pub manager: Option<String>,
}

/// A `get` step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// `kind/name -n namespace`.
    pub get: String,
    /// File with the expected object.
    pub expect: String,
    /// `brief` or `full`.
    pub live: Option<String>,
}

/// A `git` step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitStep {
    /// Name of the repository.
    pub git: String,
    /// Folder of the case.
    pub from: Option<String>,
    /// Default `main`.
    #[serde(default = "main_branch")]
    pub branch: String,
    /// Tag of the commit.
    pub tag: Option<String>,
    /// Accept pushes.
    #[serde(default)]
    pub push: bool,
    /// Commit message.
    #[serde(default = "change")]
    pub message: String,
    /// Always so.
    #[serde(default)]
    pub bare: bool,
}

fn merge() -> String {
    "merge".to_owned()
}

fn main_branch() -> String {
    "main".to_owned()
}

fn change() -> String {
    "change".to_owned()
}

fn texts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<Value>::deserialize(deserializer)?.iter().map(text).collect())
}

/// A scalar as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads the text of a `steps.yaml`.
pub fn parse(text: &str) -> Result<Vec<Step>, String> {
    match yaml::load(text)? {
        Value::Array(steps) => steps.iter().map(step).collect(),
        _ => Err("steps.yaml is not a list".to_owned()),
    }
}

/// Reads one step.
pub fn step(value: &Value) -> Result<Step, String> {
    let entries = value.as_object().ok_or("a step is not a mapping")?;
    let has = |key: &str| entries.contains_key(key);
    let string = |key: &str| entries.get(key).map(text);
    let required = |key: &str| string(key).ok_or_else(|| format!("a step needs `{key}`: {value}"));
    let list = |key: &str| -> Vec<String> {
        entries.get(key).and_then(Value::as_array).into_iter().flatten().map(text).collect()
    };
    Ok(match () {
        () if has("needs") => Step::Needs(list("needs")),
        () if has("run") => Step::Run(Box::new(typed(value)?)),
        () if has("apply") || has("delete") => {
            let verb = if has("apply") { "apply" } else { "delete" };
            Step::Manifest { verb, file: required(verb)?, manager: string("manager") }
        }
        () if has("patch") => Step::Patch(typed(value)?),
        () if has("get") => Step::Get(typed(value)?),
        () if has("kubectl") => Step::Kubectl { arguments: list("kubectl"), expect: string("expect") },
        () if has("git") => Step::Git(typed(value)?),
        () if has("init") => Step::Init(required("init")?),
        () if has("charts") => Step::Charts(required("charts")?),
        () if has("image") => Step::Image { repository: required("image")?, tags: list("tags") },
        () if has("write") => Step::Write { path: required("write")?, text: required("text")? },
        () if has("link") => Step::Link { path: required("link")?, target: required("to")? },
        () if has("remove") => Step::Remove(required("remove")?),
        () if has("cat") => Step::Cat { path: required("cat")?, expect: required("expect")? },
        () if has("tree") => Step::Tree { folder: required("tree")?, expect: required("expect")? },
        () if has("sleep") => Step::Sleep(entries["sleep"].as_f64().unwrap_or_default()),
        () => return Err(format!("unknown step {value}")),
    })
}

fn typed<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{error} in step {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_step_is_understood() {
        let mut steps = 0;
        for area in super::super::AREAS {
            for case in super::super::cases(area) {
                let file = super::super::recorded().join(&case).join("steps.yaml");
                let text = std::fs::read_to_string(file).expect("a file");
                steps += parse(&text).unwrap_or_else(|error| panic!("{case}: {error}")).len();
            }
        }
        assert!(steps > 1000, "only {steps} steps were found");
    }

    #[test]
    fn unknown_steps_and_keys_are_errors() {
        assert!(parse("- {dance: x}").is_err());
        assert!(parse("- {run: [a], tempo: 1}").is_err());
        assert!(parse("- {write: a}").is_err());
        assert!(parse("- {link: a}").is_err());
        assert!(parse("run: [a]").is_err());
    }
}
