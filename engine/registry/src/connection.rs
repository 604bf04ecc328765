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
        let choose = || async {
            match self.plain_http {
                Some(true) => self.url("http"),
                None if repository.is_local() => self.spoken().await,
                _ => self.url("https"),
            }
        };
        self.base.get_or_try_init(choose).await
    }

    fn url(&self, scheme: &str) -> Result<Url, RegistryError> {
        let text = format!("{scheme}://{}/v2/", self.transport.host);
        Url::parse(&text).map_err(|e| RegistryError::Settings {
            host: self.transport.host.clone(),
            origin: "image name".into(),
            reason: e.to_string(),
        })
    }

    /// HTTPS if it answers. Plain HTTP only where nothing speaks TLS: a certificate that is
    /// refused must not lead to passwords in the clear. No credentials are sent.
    async fn spoken(&self) -> Result<Url, RegistryError> {
        let (secure, plain) = (self.url("https")?, self.url("http")?);
        // Once: a server of the other scheme may close the connection, which looks like any broken one.
        let answer = self.transport.probe(self.transport.client.get(secure.clone())).await;
        let error = match answer {
            Err(error @ RegistryError::Connect { .. }) => error,
            Ok(answer) => {
                self.remember(&answer);
                return Ok(secure);
            }
            // Any answer, even an error, proves that the scheme is spoken.
            Err(RegistryError::Status { .. } | RegistryError::Throttled { .. }) => return Ok(secure),
            Err(error) => return Err(error),
        };
        match self.transport.send(|client| client.get(plain.clone())).await {
            // What servers with TLS say to plain HTTP.
            Ok(answer) if answer.status == 400 => Err(error),
            Ok(answer) => {
                self.remember(&answer);
                Ok(plain)
            }
            Err(RegistryError::Status { .. } | RegistryError::Throttled { .. }) => Ok(plain),
            Err(_) => Err(error),
        }
    }

    /// Saves the first request from being refused.
    fn remember(&self, answer: &Answer) {
        if answer.status == 401
            && let Some(challenge) = Challenge::parse(answer.header("www-authenticate"))
        {
            *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        }
    }

    pub(crate) fn challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
