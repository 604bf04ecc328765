//! How a placeholder's tag is elected.

use crate::filter::FilterError;
use crate::placeholder::ImageCall;
use crate::policy::{Policy, TagFilter};
use crate::project_policy::{DigestReflection, ProjectPolicies, UnknownPolicy};
use crate::reference::same_repository;

/// What a registry's tags are put through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// Which tags count.
    pub filter: TagFilter,
    /// How they are compared.
    pub policy: Policy,
    /// Whether the result names the digest too.
    pub digest: bool,
}

/// A call whose tags can not be elected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElectionError {
    /// The filter text does not parse, which only a hand-made placeholder can hold.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// No such policy.
    #[error(transparent)]
    Policy(#[from] UnknownPolicy),
    /// The policy is of another image.
    #[error("policy `{policy}` chooses tags of `{image}`, not of `{asked}`")]
    OtherImage {
        /// The policy's address.
        policy: String,
        /// Its image.
        image: String,
        /// The image of the call.
        asked: String,
    },
    /// The policy is suspended.
    #[error("policy `{0}` is suspended; pin the image or resume the policy")]
    Suspended(String),
    /// The policy has conditions that only image automation checks.
    #[error("policy `{policy}` uses {}, which is checked by image automation only: pin its choice with `image policy -o fixed-images`", checks.join(" and "))]
    Checks {
        /// The policy's address.
        policy: String,
        /// The fields.
        checks: Vec<&'static str>,
    },
}

impl Election {
    /// What a call asks for.
    pub fn of(call: &ImageCall, policies: &ProjectPolicies) -> Result<Self, ElectionError> {
        let filter = call.filter()?;
        let Some(name) = filter.policy_name() else {
            let digest = call.digest || filter.wants_digest();
            return Ok(Self { filter: TagFilter::default(), policy: Policy::Filter(filter), digest });
        };
        let found = policies.find(name)?;
        let address = found.address.to_string();
        if !same_repository(&found.image, &call.image) {
            let (image, asked) = (found.image.clone(), call.image.clone());
            return Err(ElectionError::OtherImage { policy: address, image, asked });
        }
        if found.suspend {
            return Err(ElectionError::Suspended(address));
        }
        if !found.checks.is_empty() {
            return Err(ElectionError::Checks { policy: address, checks: found.checks.clone() });
        }
        let digest = call.digest || found.digest != DigestReflection::Never;
        Ok(Self { filter: found.filter.clone(), policy: found.policy.clone(), digest })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn elect(policy: &str, image: &str) -> Result<Election, String> {
        let section = json!({"policies": [
            {"name": "web", "image": "r/web", "select": {"semver": {"range": "1.x"}}, "digest": "IfNotPresent"},
            {"name": "old", "image": "r/old", "minimumAge": "3d", "platforms": ["linux/arm64"]},
            {"name": "off", "image": "r/off", "suspend": true}]});
        let policies = ProjectPolicies::compile(&serde_json::from_value(section).unwrap()).unwrap();
        let call = ImageCall { latest_version: Some(format!("policy('{policy}')")), ..ImageCall::new(image) };
        Election::of(&call, &policies).map_err(|e| e.to_string())
    }

    #[test]
    fn a_policy_by_name_brings_its_own_filter_and_digest() {
        let election = elect("web", "r/web").unwrap();
        assert!(election.digest && matches!(election.policy, Policy::Semver(_)));
        assert_eq!(election.filter.exclude.len(), 1);
    }

    #[test]
    fn policies_that_can_not_answer_say_why() {
        for (policy, image, wanted) in [
            ("nope", "r/web", "no policy `nope`; the project has off, old, web"),
            ("web", "r/other", "policy `web` chooses tags of `r/web`, not of `r/other`"),
            ("off", "r/off", "policy `off` is suspended; pin the image or resume the policy"),
            (
                "old",
                "r/old",
                "policy `old` uses platforms and minimumAge, which is checked by image automation only: pin its choice \
                 with `image policy -o fixed-images`",
            ),
        ] {
            assert_eq!(elect(policy, image).unwrap_err(), wanted);
        }
    }
}
