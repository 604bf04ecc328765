//! Completion from the project's own content. Needs no cluster; a project that does not load gives nothing.

use std::path::PathBuf;

use windlass_deploy::load::{self, LoadRequest};
use windlass_deploy::target;
use windlass_model::event::Silent;

use super::candidates::Typed;
use crate::app::App;
use crate::args::Flag;
use crate::args::value::expand_home;
use crate::wire;

/// Values for `flag`, when the project knows any.
pub(super) fn values(app: &App, flag: &'static Flag, typed: &[Typed]) -> Option<Vec<String>> {
    match flag.name {
        "target" => Some(targets(app, typed)),
        _ => None,
    }
}

fn targets(app: &App, typed: &[Typed]) -> Vec<String> {
    let load = || {
        let dir = path(app, typed, "project-dir").unwrap_or_else(|| PathBuf::from("."));
        let request = LoadRequest {
            project_dir: std::fs::canonicalize(dir).ok()?,
            config_file: path(app, typed, "project-config"),
            external_args: serde_json::Map::new(),
        };
        let project = load::load(&request, &Silent).ok()?;
        Some(target::render_all(&project, &wire::plain_engine(), &Silent))
    };
    load().unwrap_or_default().into_iter().map(|target| target.name).collect()
}

fn path(app: &App, typed: &[Typed], name: &str) -> Option<PathBuf> {
    let (_, text) = typed.iter().rev().find(|(flag, _)| flag.name == name)?;
    Some(expand_home(text, app.environment.home().as_deref()))
}
