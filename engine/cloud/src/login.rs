//! What opens a registry, and which cloud a registry belongs to.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::cache::Ends;

/// User and password for a registry; renew them when they have ended.
#[derive(Clone, Debug)]
pub struct RegistryLogin {
    /// User.
    pub username: String,
    /// Password or token.
    pub password: SecretString,
    /// When the password ends, if the cloud tells.
    pub end: Option<Timestamp>,
}

impl Ends for RegistryLogin {
    fn end(&self) -> Option<Timestamp> {
        self.end
    }
}

/// The cloud behind a registry's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudRegistry {
    /// ECR.
    Aws,
    /// Artifact Registry and `gcr.io`.
    Google,
    /// ACR.
    Azure,
}

impl CloudRegistry {
    /// The cloud whose logins open the registry at `host` (with or without port); `None` for all other registries.
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        if crate::aws::EcrHost::parse(&host).is_some() {
            return Some(Self::Aws);
        }
        if host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with("-docker.pkg.dev") {
            return Some(Self::Google);
        }
        let azure = ["azurecr.io", "azurecr.cn", "azurecr.us"];
        azure
            .iter()
            .any(|domain| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.')))
            .then_some(Self::Azure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_clouds_are_known_by_their_whole_domain() {
        use CloudRegistry::{Aws, Azure, Google};
        for (host, cloud) in [
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", Some(Aws)),
            ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", Some(Aws)),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some(Aws)),
            ("public.ecr.aws", Some(Aws)),
            ("europe-docker.pkg.dev", Some(Google)),
            ("EU.gcr.io", Some(Google)),
            ("team.azurecr.io", Some(Azure)),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example", None),
            ("12345.dkr.ecr.eu-central-1.amazonaws.com", None),
            ("evilgcr.io", None),
            ("azurecr.io", None),
            ("team.azurecr.io.evil.example", None),
            ("docker.io", None),
        ] {
            assert_eq!(CloudRegistry::of_host(host), cloud, "{host}");
        }
    }
}
