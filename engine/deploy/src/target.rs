//! Stage 2: renders the targets and selects one (spec 01 sections 3.6 to 3.8).

use serde_json::{Map, Value};
use windlass_model::event::Events;
use windlass_model::project::TargetConfig;
use windlass_template::{Batch, Engine, SearchPath, TemplateError, Vars};

use crate::args::{ArgsError, merge_args};
use crate::load::Project;
use crate::multi_error::Errors;
use crate::traceback::Traceback;

/// Rendering stops after this many passes, whether or not something still changes.
const MAX_PASSES: usize = 10;

/// Which target the caller wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetRequest {
    /// `-t`.
    pub name: Option<String>,
    /// `-T`: replaces the name after selection.
    pub name_override: Option<String>,
    /// `--discriminator`: replaces the rendered one.
    pub discriminator: Option<String>,
    /// `--context`.
    pub context: Option<String>,
}

/// A selected target. `target.context` is what the target wants; see [`ResolvedTarget::with_context`].
#[derive(Debug, Clone)]
pub struct ResolvedTarget {
    /// The project it belongs to.
    pub project: Project,
    /// The rendered target.
    pub target: TargetConfig,
    /// Merged args: defaults < target < caller.
    pub args: Map<String, Value>,
}

/// Why one target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokenTarget {
    /// Its args.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// Its templates.
    #[error(transparent)]
    Template(#[from] Errors<RenderedText>),
    /// Rendering changed its shape.
    #[error("the rendered target is not valid: {0}")]
    Shape(String),
}

/// A template error with the line end that upstream's layout has.
#[derive(Debug, thiserror::Error)]
#[error("{}", Traceback(.0))]
pub struct RenderedText(#[source] pub TemplateError);

/// Why no target can be selected.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// `-t` names a target that does not exist or could not be loaded.
    #[error("target {name} not existent in kluctl project config")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that exist, sorted.
        available: Vec<String>,
    },
    /// There are targets and none was named.
    #[error("a target must be explicitly selected when targets are defined in the Kluctl project")]
    NotSelected {
        /// The names that exist, sorted.
        available: Vec<String>,
    },
    /// Targets are configured, but none could be loaded.
    #[error("missing no-name target, which is unexpected")]
    NoneUsable,
    /// The target of a project without targets is broken.
    #[error(transparent)]
    Broken(#[from] BrokenTarget),
}

/// All targets that can be used, sorted by name; warns about the others.
pub fn render_all(project: &Project, engine: &Engine, events: &dyn Events) -> Vec<TargetConfig> {
    let mut targets: Vec<TargetConfig> = Vec::new();
    for (index, config) in project.config.targets.iter().enumerate() {
        if config.name.is_empty() {
            events.warn(format!("Target at index {index} has no name"));
            continue;
        }
        match render(project, config, engine) {
            Err(error) => events.warn(format!("Failed to load target {}: {error}", config.name)),
            Ok(target) if targets.iter().any(|t| t.name == target.name) => {
                events.warn(format!("Duplicate target {}", target.name));
            }
            Ok(target) => targets.push(target),
        }
    }
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    targets
}

/// Selects the target of a run.
///
/// # Errors
/// See [`TargetError`].
pub fn resolve(
    project: Project,
    request: &TargetRequest,
    engine: &Engine,
    events: &dyn Events,
) -> Result<ResolvedTarget, TargetError> {
    let mut target = select(&project, request.name.as_deref(), engine, events)?;
    if let Some(name) = &request.name_override {
        target.name.clone_from(name);
    }
    if let Some(discriminator) = request.discriminator.as_ref().filter(|d| !d.is_empty()) {
        target.discriminator.clone_from(discriminator);
    }
    if request.context.is_some() {
        target.context.clone_from(&request.context);
    }
    let args = target_args(&project, &target).map_err(BrokenTarget::from)?;
    Ok(ResolvedTarget { project, target, args })
}

impl ResolvedTarget {
    /// The context that is really used becomes `target.context` (spec 01 section 3.7, step 4).
    #[must_use]
    pub fn with_context(mut self, context: &str) -> Self {
        self.target.context = Some(context.into());
        self
    }

    /// The base variables of the root deployment project: `target` and `args`.
    pub fn vars(&self) -> Vars {
        variables(&self.target, &self.args)
    }
}

fn select(
    project: &Project,
    name: Option<&str>,
    engine: &Engine,
    events: &dyn Events,
) -> Result<TargetConfig, TargetError> {
    let targets = render_all(project, engine, events);
    let available = || targets.iter().map(|t| t.name.clone()).collect();
    match name {
        Some(name) => targets
            .iter()
            .find(|t| t.name == name)
            .cloned()
            .ok_or_else(|| TargetError::Unknown { name: name.into(), available: available() }),
        None if !targets.is_empty() => Err(TargetError::NotSelected { available: available() }),
        None if !project.config.targets.is_empty() => Err(TargetError::NoneUsable),
        None => Ok(render(project, &TargetConfig::default(), engine)?),
    }
}

fn render(project: &Project, config: &TargetConfig, engine: &Engine) -> Result<TargetConfig, BrokenTarget> {
    let mut target = config.clone();
    if target.discriminator.is_empty() {
        target.discriminator.clone_from(&project.config.discriminator);
    }
    if let Some(aws) = &project.config.aws {
        target.aws = target.aws.or(aws);
    }
    let mut outcome = Ok(());
    for _ in 0..MAX_PASSES {
        let args = target_args(project, &target)?;
        let batch = engine.batch(variables(&target, &args), SearchPath::empty());
        let (rendered, errors) = render_pass(&batch, &target)?;
        let changed = rendered != target;
        target = rendered;
        outcome = Errors::check(errors);
        if outcome.is_ok() && !changed {
            break;
        }
    }
    outcome?;
    Ok(target)
}

/// Strings that render are replaced at once; failing ones stay for the next pass.
fn render_pass(batch: &Batch, target: &TargetConfig) -> Result<(TargetConfig, Vec<RenderedText>), BrokenTarget> {
    let shape = |e: serde_json::Error| BrokenTarget::Shape(e.to_string());
    let mut value = serde_json::to_value(target).map_err(shape)?;
    let mut errors = Vec::new();
    render_in_place(batch, &mut value, &mut errors);
    Ok((serde_json::from_value(value).map_err(shape)?, errors))
}

fn render_in_place(batch: &Batch, value: &mut Value, errors: &mut Vec<RenderedText>) {
    match value {
        Value::String(text) => render_text(batch, text, errors),
        Value::Array(items) => items.iter_mut().for_each(|item| render_in_place(batch, item, errors)),
        Value::Object(map) => {
            for (mut key, mut value) in std::mem::take(map) {
                render_text(batch, &mut key, errors);
                render_in_place(batch, &mut value, errors);
                map.insert(key, value);
            }
        }
        _ => {}
    }
}

fn render_text(batch: &Batch, text: &mut String, errors: &mut Vec<RenderedText>) {
    match batch.render_named(text, ".kluctl.yaml") {
        Ok(rendered) => *text = rendered,
        Err(error) => errors.push(RenderedText(error)),
    }
}

fn target_args(project: &Project, target: &TargetConfig) -> Result<Map<String, Value>, ArgsError> {
    let empty = Map::new();
    merge_args(&project.config.args, [target.args.as_ref().unwrap_or(&empty), &project.external_args])
}

fn variables(target: &TargetConfig, args: &Map<String, Value>) -> Vars {
    let target = serde_json::to_value(target).unwrap_or_default();
    Vars::new(Map::from_iter([("target".to_owned(), target), ("args".to_owned(), Value::Object(args.clone()))]))
}
