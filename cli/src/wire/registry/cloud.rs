//! Logins for the registries of clouds, by the identity that the environment has there.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use windlass_cloud::{
    Aws, AwsOptions, Azure, AzureSources, CloudError, CloudRegistry, Google, GoogleOptions, RegistryLogin, Session,
};
use windlass_registry::{CloudLogin, CloudLogins, Login};

use crate::env_vars::Environment;
use crate::printer::Printer;

/// Finds identities when the first registry of a cloud asks for one.
pub(super) struct RegistryLogins {
    environment: Environment,
    printer: Arc<Printer>,
    clients: OnceLock<Result<Clients, String>>,
}

struct Clients {
    aws: Aws,
    google: Google,
    azure: Azure,
}

impl RegistryLogins {
    /// Asks nobody yet.
    pub(super) fn new(environment: Environment, printer: Arc<Printer>) -> Self {
        Self { environment, printer, clients: OnceLock::new() }
    }

    fn clients(&self) -> Result<&Clients, String> {
        let make = || {
            let session = Session::new(self.environment.all().clone(), self.environment.home());
            let session = session.map_err(|error| text(&error))?;
            Ok(Clients {
                aws: Aws::new(&session, AwsOptions::default()),
                google: Google::new(&session, GoogleOptions::default()),
                azure: Azure::new(&session, AzureSources::All),
            })
        };
        self.clients.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}

#[async_trait]
impl CloudLogins for RegistryLogins {
    async fn login(&self, host: &str) -> Result<Option<CloudLogin>, String> {
        let Some(cloud) = CloudRegistry::of_host(host) else { return Ok(None) };
        let clients = self.clients()?;
        let answer = match cloud {
            CloudRegistry::Aws => clients.aws.registry_login(host).await,
            CloudRegistry::Google => clients.google.registry_login().await,
            CloudRegistry::Azure => clients.azure.registry_login(host).await,
        };
        let RegistryLogin { username, password, end } = answer.map_err(|error| text(&error))?;
        let login = Login::Basic { username, password };
        super::hide(&self.printer, &login);
        let rest = |end| SystemTime::from(end).duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        Ok(Some(CloudLogin { login, valid_for: end.map(rest) }))
    }
}

/// An error with its causes, in one line.
fn text(error: &CloudError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn other_hosts_have_no_cloud() {
        let logins = RegistryLogins::new(
            Environment::of(&[]),
            Arc::new(Printer::new(crate::printer::Style::detect(false, true))),
        );
        assert!(logins.login("reg.example").await.expect("an answer").is_none());
    }
}
