//! `validate`: is everything there and ready? Prepared once, attempted as often as the caller likes.

use windlass_model::result::{ProjectKey, TargetKey, ValidateResult};

use super::{Run, run};
use crate::clock;
use crate::error::Error;
use crate::images::ImageMode;
use crate::mask;
use crate::prepare::{Prepared, Request};
use crate::problems::Problems;
use crate::report::RunFacts;
use crate::validate;

/// Error of validating without a cluster.
const VALIDATE_NEEDS_CLUSTER: &str = "can not validate objects without a Kubernetes API client";

/// A rendered project that can be checked again and again.
pub struct Validator {
    prepared: Prepared,
    facts: RunFacts,
}

/// Renders the project.
///
/// # Errors
/// Whatever ends the run before the cluster is looked at.
pub async fn validator(request: &Request, run: Run<'_>) -> Result<Validator, Error> {
    let (prepared, _) = run::prepare_connected(request, ImageMode::Normal, VALIDATE_NEEDS_CLUSTER, run).await?;
    let facts = run::facts(&prepared, run, &Problems::new()).await;
    Ok(Validator { prepared, facts })
}

impl Validator {
    /// Looks at the cluster once.
    pub async fn attempt(&self, run: Run<'_>) -> ValidateResult {
        let problems = Problems::new();
        let target = &self.prepared.target.target;
        let cluster = self.prepared.cluster.as_deref();
        let validation =
            validate::validate(&self.prepared.objects, &target.discriminator, cluster, run.events, &problems).await;
        let RunFacts { id, git, repo_key, cluster_id } = self.facts.clone();
        let mut result = ValidateResult {
            id,
            project_key: ProjectKey { repo_key, sub_dir: git.sub_dir },
            target_key: TargetKey {
                target_name: target.name.clone(),
                cluster_id,
                discriminator: target.discriminator.clone(),
            },
            start_time: Some(self.prepared.started.clone()),
            end_time: Some(clock::now()),
            ready: validation.ready,
            errors: problems.errors(),
            warnings: problems.warnings(),
            results: validation.results,
            ..ValidateResult::default()
        };
        mask::validate_result(&mut result, &self.prepared.secrets);
        result
    }
}
