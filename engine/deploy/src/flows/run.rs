//! What the flows against a cluster have in common.

use std::sync::Arc;

use windlass_cluster::{Cluster, DryRun, cluster_id};
use windlass_model::result::{CommandInfo, CommandResult, GitInfo};
use windlass_results::UNKNOWN_CLUSTER_ID;

use super::{Outcome, Run};
use crate::clock;
use crate::error::Error;
use crate::images::ImageMode;
use crate::keep::{Keeping, SecretValues};
use crate::mask;
use crate::prepare::{Need, Prepared, Request, prepare_for};
use crate::problems::Problems;
use crate::report::{self, ObjectFacts, RunFacts};

const NO_DISCRIMINATOR: &str = "No discriminator configured. Orphan object detection will not work";
const NO_DISCRIMINATOR_IN_RESULT: &str = "no discriminator configured. Orphan object detection will not work";

/// Prepares a flow that ends early, saying `without`, when there is no cluster.
pub(super) async fn prepare_connected(
    request: &Request,
    mode: ImageMode,
    without: &'static str,
    run: Run<'_>,
) -> Result<(Prepared, Arc<dyn Cluster>), Error> {
    let prepared = prepare_for(request, mode, Need::Cluster(without), run.ports, run.events).await?;
    let cluster = prepared.cluster.clone().ok_or(Error::NoCluster { message: without })?;
    Ok((prepared, cluster))
}

/// Warns when orphans can not be found.
pub(super) fn warn_without_discriminator(prepared: &Prepared, run: Run<'_>, problems: &Problems) {
    if prepared.target.target.discriminator.is_empty() {
        run.events.warn(NO_DISCRIMINATOR.into());
        problems.general_warning(NO_DISCRIMINATOR_IN_RESULT);
    }
}

/// Identity of run, repository and cluster; what can not be read is a warning.
pub(super) async fn facts(prepared: &Prepared, run: Run<'_>, problems: &Problems) -> RunFacts {
    let git = git_info(prepared, run, problems);
    let cluster_id = cluster_id_of(prepared, problems).await;
    let repo_key = git.url.as_deref().and_then(|url| run.ports.repository.key(url)).unwrap_or_default();
    RunFacts { id: uuid::Uuid::new_v4().to_string(), git, repo_key, cluster_id }
}

fn git_info(prepared: &Prepared, run: Run<'_>, problems: &Problems) -> GitInfo {
    let project = &prepared.target.project;
    let relative = project.source.relative(&project.dir);
    let sub_dir = if relative == "." { "" } else { relative.as_str() };
    tokio::task::block_in_place(|| run.ports.repository.info(&project.source.root, sub_dir)).unwrap_or_else(|error| {
        problems.general_warning(error.to_string());
        GitInfo::default()
    })
}

/// The id is read once per run: an open store knows it already.
async fn cluster_id_of(prepared: &Prepared, problems: &Problems) -> String {
    let warning = match (&prepared.keeping, &prepared.cluster) {
        (Keeping::Store(store), _) => return store.cluster_id().to_owned(),
        (Keeping::Denied, _) => UNKNOWN_CLUSTER_ID.to_owned(),
        (Keeping::Unwanted, None) => return String::new(),
        (Keeping::Unwanted, Some(cluster)) => match cluster_id(cluster.as_ref()).await {
            Ok(id) => return id,
            // Nothing is stored, so nobody will look for the id.
            Err(error) if error.is_permission() => return String::new(),
            Err(error) => error.to_string(),
        },
    };
    problems.general_warning(warning);
    String::new()
}

/// The `command` part of a result, without the flags of the single command.
pub(super) fn command(name: &str, request: &Request, prepared: &Prepared, dry_run: DryRun) -> CommandInfo {
    let inclusion = &request.inclusion;
    CommandInfo {
        start_time: Some(prepared.started.clone()),
        command: name.into(),
        target_name_override: request.target.name_override.clone().unwrap_or_default(),
        context_override: request.target.context.clone().unwrap_or_default(),
        args: request.load.external_args.clone(),
        images: report::command_images(prepared),
        dry_run: dry_run == DryRun::All,
        include_tags: inclusion.include_tags.iter().cloned().collect(),
        exclude_tags: inclusion.exclude_tags.iter().cloned().collect(),
        include_deployment_dirs: inclusion.include_dirs.iter().cloned().collect(),
        exclude_deployment_dirs: inclusion.exclude_dirs.iter().cloned().collect(),
        ..CommandInfo::default()
    }
}

/// Closes the command and builds its result, without values of Secrets unless they are wanted.
pub(super) fn finish(
    prepared: &Prepared,
    run: RunFacts,
    command: CommandInfo,
    facts: ObjectFacts<'_>,
    problems: &Problems,
) -> CommandResult {
    let command = CommandInfo { end_time: Some(clock::now()), ..command };
    let mut result = report::result(prepared, run, command, facts, problems.errors(), problems.warnings());
    mask::register_secrets_of(&result, &prepared.secrets);
    match prepared.secret_values {
        SecretValues::Hidden => {
            windlass_diff::obfuscate_result(&mut result);
            mask::command_result(&mut result, &prepared.secrets);
        }
        SecretValues::Shown => {}
    }
    result
}

/// Keeps the result where the caller wants it.
pub(super) async fn keep(prepared: &Prepared, result: CommandResult, run: Run<'_>) -> Outcome {
    let kept = prepared.keeping.keep(&result, prepared.secret_values, &prepared.secrets, run.events).await;
    Outcome { result, not_stored: kept.err() }
}

/// Ends a command that cannot do its work, before anything is read or written.
pub(super) async fn refuse(
    prepared: &Prepared,
    command: CommandInfo,
    run: Run<'_>,
    problems: &Problems,
) -> CommandResult {
    let facts = facts(prepared, run, problems).await;
    finish(prepared, facts, command, ObjectFacts::default(), problems)
}

/// The server's word for a dry run.
pub(super) fn dry_run(is_dry_run: bool) -> DryRun {
    if is_dry_run { DryRun::All } else { DryRun::No }
}
