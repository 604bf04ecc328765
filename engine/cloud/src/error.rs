//! Why a call gave no answer. Texts name service, resource and cause, never a secret.

use std::time::Duration;

/// A call to a cloud or secret store that gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{service}: {action}: {problem}")]
pub struct CloudError {
    /// The service in people's words, such as `AWS Secrets Manager`.
    pub service: &'static str,
    /// What was done and with what resource.
    pub action: String,
    /// The cause.
    #[source]
    pub problem: Box<Problem>,
}

/// The cause of a [`CloudError`].
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// What was asked for cannot be right.
    #[error("{0}")]
    Input(String),
    /// No source of credentials has any.
    #[error("no credentials found; looked at {}", tried.join(", "))]
    NoCredentials {
        /// The sources, with the reason where there is one.
        tried: Vec<String>,
        /// How to get some.
        hint: &'static str,
    },
    /// A source of credentials exists and does not work.
    #[error("credentials of {origin}: {reason}")]
    Credentials {
        /// The source.
        origin: String,
        /// Why not.
        reason: String,
    },
    /// The server does not know the resource.
    #[error("not found: {message}")]
    NotFound {
        /// The server's words.
        message: String,
    },
    /// The server does not let us.
    #[error("refused with status {status}: {message}")]
    Denied {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The server answers with another error.
    #[error("failed with status {status}: {message}")]
    Failed {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The answer is not what the protocol says.
    #[error("the answer can not be used: {0}")]
    Answer(String),
    /// The answer is larger than any honest one.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Server.
        host: String,
        /// Limit in bytes.
        limit: usize,
    },
    /// No answer in time.
    #[error("{host} does not answer within {} s", limit.as_secs())]
    Timeout {
        /// Server.
        host: String,
        /// The time given.
        limit: Duration,
    },
    /// No connection.
    #[error("{host} can not be reached: {reason}")]
    Transport {
        /// Server.
        host: String,
        /// Why not.
        reason: String,
    },
}

impl Problem {
    /// Adds what was being done.
    pub(crate) fn during(self, service: &'static str, action: impl Into<String>) -> CloudError {
        CloudError { service, action: action.into(), problem: Box::new(self) }
    }
}

impl CloudError {
    /// Whether the resource does not exist, as opposed to anything that hides whether it does.
    pub fn is_not_found(&self) -> bool {
        matches!(*self.problem, Problem::NotFound { .. })
    }

    /// What the user can do next.
    pub fn hint(&self) -> Option<String> {
        Some(match &*self.problem {
            Problem::NoCredentials { hint, .. } => (*hint).to_owned(),
            Problem::Credentials { origin, .. } => format!("renew or remove the credentials of {origin}"),
            Problem::NotFound { .. } => {
                "check the name, and that it belongs to the account or project of the credentials; \
                 `ignoreMissing: true` tolerates its absence in `vars`"
                    .to_owned()
            }
            Problem::Denied { .. } => "the credentials are valid but may not do this, or are of another account: \
                                       give their identity read access to the resource"
                .to_owned(),
            Problem::Timeout { .. } | Problem::Transport { .. } => {
                "check network, proxy variables and the address".to_owned()
            }
            Problem::Failed { .. } => {
                "try again; if it stays, the service has an outage or its limits are too low".to_owned()
            }
            Problem::Input(_) | Problem::Answer(_) | Problem::TooLarge { .. } => return None,
        })
    }
}

/// A server's words on one short line, without the secrets that were sent to it.
pub(crate) fn quoted(text: &str, secrets: &[String]) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for secret in secrets.iter().filter(|secret| secret.len() > 3) {
        line = line.replace(secret.as_str(), "*****");
    }
    let line: String = line.trim().chars().take(300).collect();
    if line.is_empty() { "no reason given".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_service_action_and_cause() {
        let error = Problem::Denied { status: 403, message: "no".into() }.during("AWS KMS", "decrypt with `k`");
        assert_eq!(error.to_string(), "AWS KMS: decrypt with `k`: refused with status 403: no");
        assert!(error.hint().is_some_and(|hint| hint.contains("read access")));
        assert!(!error.is_not_found());
    }

    #[test]
    fn words_of_servers_are_one_short_line_without_what_was_sent() {
        assert_eq!(quoted("bad\ntoken s3cret!", &["s3cret!".to_owned(), String::new()]), "bad token *****");
        assert_eq!(quoted(&"x".repeat(999), &[]).len(), 300);
        assert_eq!(quoted(" ", &[]), "no reason given");
    }
}
