//! The registries of clouds, whose credentials come from the cloud's own identity.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::settings::Login;

/// A login that the cloud gave.
#[derive(Debug, Clone)]
pub struct CloudLogin {
    /// To be used like any other.
    pub login: Login,
    /// How long it works; absent means for the whole run.
    pub valid_for: Option<Duration>,
}

/// Asks a cloud for credentials of its registry.
///
/// Only for hosts that look like one of ECR, Google or Azure, and only when neither
/// explicit entries nor login files know the host; at once for ECR's private registries, for
/// others when they refuse a stranger, as many of their repositories are public.
#[async_trait::async_trait]
pub trait CloudLogins: Send + Sync {
    /// `None` when there is no identity to ask with; an error (its text without secrets) when asking failed.
    async fn login(&self, host: &str) -> Result<Option<CloudLogin>, String>;
}

/// Whether a host looks like a cloud's registry.
pub(crate) fn is_cloud_host(host: &str) -> bool {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| host.ends_with(suffix));
    is_ecr(host)
        || host == "public.ecr.aws"
        || host == "gcr.io"
        || ends(&[".gcr.io", "-docker.pkg.dev"])
        || ends(&[".azurecr.io", ".azurecr.cn", ".azurecr.de", ".azurecr.us"])
}

/// `<account>.dkr.ecr[-fips].<region>.<domain>`, also with `dkr-ecr`.
fn is_ecr(host: &str) -> bool {
    let Some((account, rest)) = host.split_once('.') else { return false };
    let service = ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr.", "dkr-ecr-fips."].iter().find_map(|s| rest.strip_prefix(s));
    account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && service.is_some_and(|rest| rest.contains('.'))
}

type Cell = Arc<tokio::sync::Mutex<Option<Known>>>;

#[derive(Clone)]
struct Known {
    outcome: Result<Option<Login>, String>,
    refresh_at: Option<Instant>,
}

/// Logins that were asked for, once per host until they end.
pub(crate) struct CloudStore {
    source: Arc<dyn CloudLogins>,
    known: Mutex<HashMap<String, Cell>>,
    /// Hosts that have refused a stranger.
    closed: Mutex<HashSet<String>>,
}

impl CloudStore {
    pub(crate) fn new(source: Arc<dyn CloudLogins>) -> Self {
        Self { source, known: Mutex::default(), closed: Mutex::default() }
    }

    /// Whether the host's logins come from here.
    pub(crate) fn is_wanted(&self, host: &str) -> bool {
        is_ecr(host) || self.closed.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }

    /// From now on; answers whether that is new.
    pub(crate) fn want(&self, host: &str) -> bool {
        is_cloud_host(host)
            && !self.is_wanted(host)
            && self.closed.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned())
    }

    pub(crate) async fn login(&self, host: &str) -> Result<Option<Login>, String> {
        let cell =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(host.to_owned()).or_default().clone();
        let mut known = cell.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.refresh_at.is_none_or(|at| at > Instant::now())) {
            return known.outcome.clone();
        }
        let answer = self.source.login(host).await;
        let valid_for = answer.as_ref().ok().and_then(|login| login.as_ref()?.valid_for);
        let refresh_at = valid_for.map(|valid| Instant::now() + valid.mul_f64(0.8));
        let outcome = answer.map(|login| login.map(|login| login.login));
        *known = Some(Known { outcome: outcome.clone(), refresh_at });
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn hosts_of_clouds() {
        for host in [
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "123456789012.dkr-ecr.eu-west-1.on.aws",
            "public.ecr.aws",
            "gcr.io",
            "eu.gcr.io",
            "europe-west1-docker.pkg.dev",
            "me.azurecr.io",
            "me.azurecr.cn",
        ] {
            assert!(is_cloud_host(host), "{host}");
        }
        for host in [
            "123456789012.dkr.ecr.evil",
            "12345.dkr.ecr.eu-west-1.amazonaws.com",
            "notgcr.io",
            "gcr.io.evil.example",
            "azurecr.io",
            "ghcr.io",
            "index.docker.io",
        ] {
            assert!(!is_cloud_host(host), "{host}");
        }
    }

    struct Counting(AtomicUsize, Option<Duration>);

    #[async_trait::async_trait]
    impl CloudLogins for Counting {
        async fn login(&self, _: &str) -> Result<Option<CloudLogin>, String> {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Some(CloudLogin { login: Login::Bearer(format!("t{count}").into()), valid_for: self.1 }))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn logins_are_asked_for_once_until_they_end() {
        let store = CloudStore::new(Arc::new(Counting(AtomicUsize::new(0), Some(Duration::from_secs(100)))));
        for (pause, wanted) in [(0, "t0"), (79, "t0"), (2, "t1")] {
            tokio::time::advance(Duration::from_secs(pause)).await;
            assert_eq!(store.login("gcr.io").await.unwrap().unwrap().secret(), wanted);
        }
        assert_eq!(store.login("eu.gcr.io").await.unwrap().unwrap().secret(), "t2");
    }
}
