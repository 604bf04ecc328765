//! `image markers`, `policy`, `scan`, `tags` and `update`.

mod text;

use serde_json::{Value, json};
use windlass_automate::fixed;
use windlass_automate::report;
use windlass_automate::select::{Outcome, Selection};
use windlass_automate::set::{self, MarkerState};
use windlass_automate::update::UpdatePlan;

use super::output;
use crate::app::App;
use crate::args::commands::Action;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::printer::Mark;
use crate::settings::{AutomationFormat, AutomationSettings, UpdateMode};
use crate::wire::{self, Automation};

pub(super) fn run(app: &App, action: Action, settings: AutomationSettings) -> Result<(), Failure> {
    let limit = settings.project.timeout;
    let (task, asked) = (app.clone(), settings.clone());
    let answer =
        interrupt::run(limit, Stopping::AtOnce, move |_| async move { ask(&task, &asked, action).await })?.value;
    answer.warnings.iter().for_each(|warning| app.printer.line(Mark::Warning, warning));
    output::to_all(app, std::slice::from_ref(&settings.output), &answer.text)?;
    answer.failure.map_or(Ok(()), Err)
}

async fn ask(app: &App, settings: &AutomationSettings, action: Action) -> Result<Answer, Failure> {
    if action == Action::ImageTags {
        return tags(app, settings).await;
    }
    let found = wire::index(settings)?;
    found.index.warnings.iter().for_each(|warning| app.printer.line(Mark::Warning, warning));
    match action {
        Action::ImageScan => scan(app, settings, &found).await,
        Action::ImagePolicy => policy(app, settings, &found).await,
        Action::ImageMarkers => markers(app, settings, &found).await,
        _ => update(app, settings, &found).await,
    }
}

/// What is shown, and how the command ends.
struct Answer {
    text: String,
    warnings: Vec<String>,
    failure: Option<Failure>,
}

impl Answer {
    fn of(text: String) -> Self {
        Self { text, warnings: Vec::new(), failure: None }
    }
}

fn document(value: &Value) -> String {
    format!("{value:#}\n")
}

async fn tags(app: &App, settings: &AutomationSettings) -> Result<Answer, Failure> {
    let Some(image) = settings.names.first() else {
        return Err(Failure::Output {
            text: "image tags needs an image: `image tags registry.example/team/app`".into(),
        });
    };
    let mut found = wire::tags(app, settings, image).await?;
    found.retain(|tag| settings.tags.compared(tag).is_some());
    if settings.limit > 0 {
        found.truncate(settings.limit);
    }
    Ok(Answer::of(match settings.format {
        AutomationFormat::Text => found.iter().map(|tag| format!("{tag}\n")).collect(),
        _ => document(&json!({"image": image, "tags": found})),
    }))
}

async fn scan(app: &App, settings: &AutomationSettings, found: &Automation) -> Result<Answer, Failure> {
    let inventory = wire::scan(app, settings, found).await?;
    let failed: Vec<String> =
        inventory.iter().filter_map(|(image, count)| count.err().map(|reason| format!("{image}: {reason}"))).collect();
    let entry = |(image, count): (&str, Result<usize, &str>)| match count {
        Ok(count) => json!({"image": image, "tags": count}),
        Err(reason) => json!({"image": image, "error": reason}),
    };
    let text = match settings.format {
        AutomationFormat::Text => text::scan(&inventory),
        _ => document(&json!({"repositories": inventory.iter().map(entry).collect::<Vec<_>>()})),
    };
    let all = failed.len() == inventory.iter().count();
    Ok(Answer { failure: failure(&failed, all, settings), ..Answer::of(text) })
}

/// Exit code 1 when all failed, 3 when some did.
fn failure(failed: &[String], all: bool, settings: &AutomationSettings) -> Option<Failure> {
    if failed.is_empty() || settings.allow_partial {
        return None;
    }
    let text = failed.join("\n");
    Some(if all { Failure::Output { text } } else { Failure::Partial { text } })
}

fn failed(selections: &[Selection]) -> (Vec<String>, bool) {
    let lines: Vec<String> = selections
        .iter()
        .filter_map(|selection| match &selection.outcome {
            Outcome::Failed(reason) => Some(format!("policy {}: {reason}", selection.address)),
            _ => None,
        })
        .collect();
    let all = lines.len() == selections.len();
    (lines, all)
}

async fn policy(app: &App, settings: &AutomationSettings, found: &Automation) -> Result<Answer, Failure> {
    let selections = wire::elect(app, settings, found, &settings.names).await?;
    let text = match settings.format {
        AutomationFormat::Text => text::policies(&selections),
        AutomationFormat::Json => {
            document(&json!({"policies": selections.iter().map(report::election).collect::<Vec<_>>()}))
        }
        AutomationFormat::FixedImages => {
            let images = fixed::document(&selections).map_err(|text| Failure::Output { text })?;
            windlass_yaml::to_string(&images)
        }
    };
    let (lines, all) = failed(&selections);
    Ok(Answer { failure: failure(&lines, all, settings), ..Answer::of(text) })
}

async fn markers(app: &App, settings: &AutomationSettings, found: &Automation) -> Result<Answer, Failure> {
    let selections = if settings.offline { Vec::new() } else { wire::elect(app, settings, found, &[]).await? };
    let set = wire::markers(found, &selections, settings.names.first())?;
    let text = match settings.format {
        AutomationFormat::Text => text::markers(&set.markers),
        _ => document(&json!({"markers": set.markers.iter().map(report::marker).collect::<Vec<_>>()})),
    };
    let fine = [MarkerState::Current, MarkerState::Outdated];
    let wrong = set.markers.iter().filter(|marker| {
        let is_fine = fine.contains(&marker.state) || (settings.offline && marker.state == MarkerState::Unresolved);
        !is_fine
    });
    let wrong = wrong.count();
    let strict = (settings.strict && wrong > 0).then(|| Failure::Output {
        text: format!("{wrong} of {} markers are neither current nor outdated", set.markers.len()),
    });
    let (lines, all) = failed(&selections);
    Ok(Answer { failure: strict.or_else(|| failure(&lines, all, settings)), ..Answer::of(text) })
}

async fn update(app: &App, settings: &AutomationSettings, found: &Automation) -> Result<Answer, Failure> {
    let plan = wire::plan(app, settings, found).await?;
    let write = settings.mode == UpdateMode::Write;
    if write {
        set::apply(&plan.edits).map_err(|error| Failure::Output { text: error.to_string() })?;
    }
    let text = match (settings.format, settings.diff) {
        (AutomationFormat::Text, true) => text::diff(&plan),
        (AutomationFormat::Text, false) => text::update(&plan, write),
        _ => document(&report::update(&plan, write)),
    };
    let failure = ending(&plan, settings);
    Ok(Answer { text, warnings: plan.edits.warnings, failure })
}

fn ending(plan: &UpdatePlan, settings: &AutomationSettings) -> Option<Failure> {
    let (lines, all) = failed(&plan.selections);
    let failed = failure(&lines, all, settings);
    let count = plan.edits.changes().count();
    let outdated = (settings.mode == UpdateMode::Check && count > 0)
        .then(|| Failure::Outdated { text: format!("{count} values are outdated; `image update --write` sets them") });
    failed.or(outdated)
}
