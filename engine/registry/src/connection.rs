//! One host with its transport options, scheme and tokens.

use std::sync::{Mutex, PoisonError};

use tokio::sync::OnceCell;
use url::Url;

use crate::auth::{Challenge, Tokens};
use crate::error::RegistryError;
use crate::http::{Answer, Transport};
use crate::repository::Repository;

/// A host with its transport options, scheme and tokens.
pub(crate) struct Connection {
    pub(crate) transport: Transport,
    pub(crate) base: OnceCell<Url>,
    pub(crate) plain_http: Option<bool>,
    pub(crate) challenge: Mutex<Option<Challenge>>,
    pub(crate) tokens: Tokens,
}

impl Connection {
    /// `https://host/v2/`, or `http` when told so or when a local host speaks nothing else.
    pub(crate) async fn base(&self, repository: &Repository) -> Result<&Url, RegistryError> {
        let url = |scheme: &str| {
            let text = format!("{scheme}://{}/v2/", self.transport.host);
            Url::parse(&text).map_err(|e| RegistryError::Settings {
                host: self.transport.host.clone(),
                origin: "image name".into(),
                reason: e.to_string(),
            })
        };
        let choose = || async {
            match self.plain_http {
                Some(true) => return url("http"),
                None if repository.is_local() => {}
                _ => return url("https"),
            }
            // Any answer, even an error, proves that the scheme is spoken. No credentials are sent.
            let spoken = |answer: Result<Answer, RegistryError>| match answer {
                Ok(_) | Err(RegistryError::Status { .. } | RegistryError::Throttled { .. }) => Ok(()),
                Err(error) => Err(error),
            };
            let (secure, plain) = (url("https")?, url("http")?);
            // Once: a server of the other scheme may close the connection, which looks like any broken one.
            match spoken(self.transport.probe(self.transport.client.get(secure.clone())).await) {
                Ok(()) => Ok(secure),
                Err(error @ (RegistryError::Connect { .. } | RegistryError::Tls { .. })) => {
                    let answer = self.transport.send(|client| client.get(plain.clone())).await;
                    spoken(answer).map(|()| plain.clone()).map_err(|_| error)
                }
                Err(error) => Err(error),
            }
        };
        self.base.get_or_try_init(choose).await
    }

    pub(crate) fn challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
