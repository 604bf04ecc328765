//! Which of the existing versions a chart should have.

use std::cmp::Ordering;

use windlass_images::semver::{SemverRange, SemverVersion};

/// There is no version to choose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// No version at all, or only pre-releases and texts that are no versions.
    #[error("no version found")]
    None,
    /// None that the constraints allow.
    #[error("no version found that satisfies constraints '{0}'")]
    NoneAllowed(String),
    /// The constraints can not be read.
    #[error("invalid constraints '{constraints}': {reason}")]
    Constraints {
        /// As written.
        constraints: String,
        /// Why.
        reason: String,
    },
}

/// The highest version that the constraints allow; without constraints the highest that is no pre-release.
pub(crate) fn latest<'a>(
    versions: &'a [String],
    constraints: Option<&str>,
    current: &str,
) -> Result<&'a str, VersionError> {
    let constraints = constraints.map(str::trim).filter(|text| !text.is_empty());
    let range = constraints.map(SemverRange::parse).transpose().map_err(|error| VersionError::Constraints {
        constraints: constraints.unwrap_or_default().to_owned(),
        reason: error.to_string(),
    })?;
    let allowed = |version: &SemverVersion<'_>| match &range {
        Some(range) => range.matches(version),
        None => version.pre.is_empty(),
    };
    let candidates = versions.iter().filter_map(|text| Some((SemverVersion::parse(text)?, text.as_str())));
    let best = candidates.filter(|(version, _)| allowed(version)).max_by(|(a, left), (b, right)| {
        // Of equal versions (`1.0.0` and `v1.0.0`) the current one, so that nothing changes for nothing.
        a.compare(b).then_with(|| (*left == current).cmp(&(*right == current))).then_with(|| left.cmp(right))
    });
    best.map(|(_, text)| text).ok_or_else(|| match constraints {
        Some(constraints) => VersionError::NoneAllowed(constraints.to_owned()),
        None => VersionError::None,
    })
}

/// Whether `new` is a step upwards. A current version that is no version is always behind.
pub(crate) fn is_newer(current: &str, new: &str) -> bool {
    match (SemverVersion::parse(current), SemverVersion::parse(new)) {
        (Some(current), Some(new)) => new.compare(&current) == Ordering::Greater,
        _ => current != new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(versions: &[&str], constraints: Option<&str>) -> Result<String, String> {
        let versions: Vec<String> = versions.iter().map(|text| (*text).to_owned()).collect();
        latest(&versions, constraints, "1.0.0").map(str::to_owned).map_err(|error| error.to_string())
    }

    #[test]
    fn the_highest_version_wins() {
        assert_eq!(of(&["1.2.0", "v1.10.0", "1.9.0", "main", "2.0.0-rc1"], None).unwrap(), "v1.10.0");
        assert_eq!(of(&["1.2.0", "2.0.0-rc1"], Some(">=1.0.0-0")).unwrap(), "2.0.0-rc1");
        assert_eq!(of(&["1.0.5", "1.1.0"], Some("~1.0.0")).unwrap(), "1.0.5");
        assert_eq!(of(&["1.0.5", "3.0.0", "2.0.0"], Some("<1 || ^2")).unwrap(), "2.0.0");
    }

    #[test]
    fn of_equal_versions_the_current_one_stays() {
        assert_eq!(of(&["v1.0.0", "1.0.0", "1.0.0+b"], None).unwrap(), "1.0.0");
    }

    #[test]
    fn without_a_candidate_there_is_none() {
        assert_eq!(of(&["1.0.0-rc", "main"], None).unwrap_err(), "no version found");
        assert_eq!(of(&[], None).unwrap_err(), "no version found");
        assert_eq!(of(&["1.0.0"], Some(">=5")).unwrap_err(), "no version found that satisfies constraints '>=5'");
        assert_eq!(
            of(&["1.0.0"], Some("nonsense")).unwrap_err(),
            "invalid constraints 'nonsense': improper constraint: \"nonsense\""
        );
    }

    #[test]
    fn only_steps_upwards_are_newer() {
        assert!(is_newer("1.0.0", "1.0.1"));
        assert!(!is_newer("2.0.0", "1.9.0"));
        assert!(!is_newer("v1.0.0", "1.0.0+b"));
        assert!(is_newer("main", "1.0.0"));
        assert!(!is_newer("main", "main"));
    }
}
