//! The steps around `run`: preparing cluster and files, and looking at them.

use std::fs;
use std::path::Path;

use super::case::Running;
use super::compare::{self, Mismatch};
use super::steps::{Get, GitStep, Patch};
use super::{file_of, live, recorded};
use crate::servers::{Commit, Outcome, git};
use crate::yaml;

impl Running<'_> {
    pub(super) fn kubectl(&self, arguments: &[&str], stdin: &str) -> Result<Outcome, String> {
        let plane = self.environment.plane.ok_or("the case has no cluster")?;
        plane.kubectl(arguments, stdin).map_err(|error| error.to_string())
    }

    fn kubectl_ok(&self, arguments: &[&str], stdin: &str) -> Result<Outcome, String> {
        let outcome = self.kubectl(arguments, stdin)?;
        if outcome.success { Ok(outcome) } else { Err(format!("kubectl {}: {}", arguments.join(" "), outcome.stderr)) }
    }

    pub(super) fn manifest(&self, verb: &str, file: &str, manager: Option<&str>) -> Result<(), String> {
        let path = file_of(&self.environment.case, file);
        let text = fs::read_to_string(&path).map_err(|error| format!("read `{}`: {error}", path.display()))?;
        let mut arguments = vec![verb];
        if let Some(manager) = manager {
            arguments.extend(["--server-side", "--force-conflicts", "--field-manager", manager]);
        }
        arguments.extend(["-f", "-"]);
        self.kubectl_ok(&arguments, &self.environment.places.fill(&text)).map(drop)
    }

    pub(super) fn patch(&self, step: &Patch) -> Result<(), String> {
        let Patch { patch, body, r#type, subresource, manager } = step;
        let body = body.to_string();
        let mut arguments = vec!["patch"];
        arguments.extend(patch.split_whitespace());
        arguments.extend(["--type", r#type, "-p", &body]);
        if let Some(subresource) = subresource {
            arguments.extend(["--subresource", subresource]);
        }
        if let Some(manager) = manager {
            arguments.extend(["--field-manager", manager]);
        }
        self.kubectl_ok(&arguments, "").map(drop)
    }

    pub(super) fn get(&self, step: &Get) -> Result<Option<Mismatch>, String> {
        let mut arguments = vec!["get"];
        arguments.extend(step.get.split_whitespace());
        arguments.extend(["-o", "json", "--show-managed-fields"]);
        let outcome = self.kubectl(&arguments, "")?;
        let expected = self.expected(Some(&step.expect))?;
        let what = format!("get {}", step.get);
        if !outcome.success {
            let missing = outcome.stderr.contains("NotFound");
            let text = if missing { "NotFound\n" } else { outcome.stderr.as_str() };
            return Ok(compare::texts(&what, &expected, text));
        }
        let mut object = yaml::load(&outcome.stdout)?;
        let object = match &step.live {
            Some(how) => live::treated(object, how == "full")?,
            None => {
                live::plain(&mut object);
                object
            }
        };
        let object = self.environment.places.normal_value(object);
        Ok(compare::values(&what, &yaml::load(&expected)?, &object))
    }

    pub(super) fn other_kubectl(&self, arguments: &[String], expect: Option<&str>) -> Result<Option<Mismatch>, String> {
        let places = &self.environment.places;
        let arguments: Vec<_> = arguments.iter().map(|argument| places.fill(argument)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let Some(expect) = expect else {
            return self.kubectl_ok(&arguments, "").map(|_| None);
        };
        let outcome = self.kubectl(&arguments, "")?;
        let what = format!("kubectl {}", arguments.join(" "));
        let expected = self.expected(Some(expect))?;
        Ok(compare::texts(&what, &expected, &places.normal(&outcome.stdout)))
    }

    pub(super) fn git_step(&self, step: &GitStep) -> Result<(), String> {
        let GitStep { git: name, from, branch, tag, push, message, bare: _ } = step;
        let server = self.environment.git.as_ref().ok_or("the case has no git server")?;
        let text = |error: crate::SandboxError| error.to_string();
        server.create(name, branch).map_err(text)?;
        if *push {
            server.allow_push(name).map_err(text)?;
        }
        let Some(from) = from else { return Ok(()) };
        let from = recorded().join(&self.environment.case).join(from);
        let commit = Commit { from: Some(&from), branch, tag: tag.as_deref(), message: message.as_str() };
        server.commit(name, commit).map_err(text)
    }

    pub(super) fn init(&self, folder: &str) -> Result<(), String> {
        let folder = self.environment.project().join(folder);
        let commands: [&[&str]; 3] =
            [&["init", "-q", "-b", "main"], &["add", "-A"], &["commit", "-q", "--allow-empty", "-m", "start"]];
        commands.into_iter().try_for_each(|arguments| git(&folder, arguments)).map_err(|error| error.to_string())
    }

    pub(super) fn charts(&self, folder: &str) -> Result<(), String> {
        let server = self.environment.charts.as_ref().ok_or("the case has no chart server")?;
        let folder = recorded().join(&self.environment.case).join(folder);
        let entries = fs::read_dir(&folder).map_err(|error| format!("charts: {error}"))?;
        let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        folders.iter().try_for_each(|folder| server.add(folder)).map_err(|error| error.to_string())
    }

    pub(super) fn image(&self, repository: &str, tags: &[String]) -> Result<(), String> {
        let registry = self.environment.registry.as_ref().ok_or("the case has no registry")?;
        let tags: Vec<_> = tags.iter().map(String::as_str).collect();
        registry.push_images(repository, &tags).map_err(|error| error.to_string())
    }

    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let path = self.environment.project().join(path);
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, self.environment.places.fill(text)))
            .map_err(|error| format!("write `{}`: {error}", path.display()))
    }

    pub(super) fn link(&self, path: &str, target: &str) -> Result<(), String> {
        let path = self.environment.project().join(path);
        // The recorded file in its place, if there is one.
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(target, &path).map_err(|error| format!("link `{}`: {error}", path.display()))
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), String> {
        let path = self.environment.project().join(path);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| format!("remove `{}`: {error}", path.display()))
    }

    pub(super) fn cat(&self, path: &str, expect: &str) -> Result<Option<Mismatch>, String> {
        let bytes = fs::read(self.environment.work().join(path));
        let text = match bytes {
            Ok(bytes) => self.environment.places.normal(&String::from_utf8_lossy(&bytes)),
            Err(_) => "NotFound\n".to_owned(),
        };
        Ok(compare::texts(&format!("cat {path}"), &self.expected(Some(expect))?, &text))
    }

    pub(super) fn tree(&self, folder: &str, expect: &str) -> Result<Option<Mismatch>, String> {
        let root = self.environment.work().join(folder);
        let mut lines = Vec::new();
        list_files(&root, "", &mut lines);
        lines.sort();
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        let text = self.environment.places.normal(&text);
        Ok(compare::texts(&format!("tree {folder}"), &self.expected(Some(expect))?, &text))
    }
}

fn list_files(folder: &Path, prefix: &str, lines: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let shown = format!("{prefix}{}", name.to_string_lossy());
        match fs::read_link(&path) {
            Ok(target) => lines.push(format!("{shown} -> {}", target.display())),
            Err(_) if path.is_dir() && name == ".git" => {}
            Err(_) if path.is_dir() => list_files(&path, &format!("{shown}/"), lines),
            Err(_) => lines.push(shown),
        }
    }
}
