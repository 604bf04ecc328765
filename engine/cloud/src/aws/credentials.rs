//! Where AWS credentials come from, in the order of AWS's own programs.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::profile::{Origin, Profiles};
use super::{STS, sso};
use crate::cache::Ends;
use crate::encode::{percent, xml_text};
use crate::error::Problem;
use crate::http::{Call, refusal};
use crate::session::{Session, parse_address, read_text};

/// How sessions are called in AWS's logs.
const SESSION_NAME: &str = "windlass";
const HINT: &str = "log in with `aws sso login`, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set \
                    `aws.profile` in `.kluctl.yaml`";
/// A chain of profiles longer than this is a mistake.
const MAX_CHAIN: usize = 8;

/// A key pair.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Access key id; not secret.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: SecretString,
    /// Of temporary credentials.
    pub session_token: Option<SecretString>,
    /// When temporary credentials end.
    pub end: Option<Timestamp>,
}

impl Ends for Credentials {
    fn end(&self) -> Option<Timestamp> {
        self.end
    }
}

/// A role that is assumed with a token of another identity provider.
#[derive(Clone, Debug)]
pub struct WebIdentity {
    /// ARN of the role.
    pub role: String,
    /// The token.
    pub token: SecretString,
    /// Name of the session in AWS's logs.
    pub session_name: String,
    /// Region of the token service; the global one without.
    pub region: Option<String>,
}

/// Finds credentials.
pub(crate) struct Chain<'a> {
    pub(crate) session: &'a Session,
    pub(crate) profiles: Profiles,
}

impl Chain<'_> {
    /// The whole chain; `profile` is one that the caller names in place of the environment's.
    pub(crate) async fn find(&self, profile: Option<&str>) -> Result<Credentials, Problem> {
        if let Some(profile) = profile {
            return self.of_named(profile).await;
        }
        if let Some(found) = self.of_environment()? {
            return Ok(found);
        }
        if let Some(file) = self.session.variable("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let role = self.session.variable("AWS_ROLE_ARN").ok_or_else(|| {
                Problem::Input("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not".to_owned())
            })?;
            return self.of_token_file(file, role, self.session.variable("AWS_ROLE_SESSION_NAME")).await;
        }
        self.of_named(self.environment_profile().unwrap_or("default")).await
    }

    pub(crate) fn environment_profile(&self) -> Option<&str> {
        self.session.variable("AWS_PROFILE").or_else(|| self.session.variable("AWS_DEFAULT_PROFILE"))
    }

    fn of_environment(&self) -> Result<Option<Credentials>, Problem> {
        let first = |names: [&'static str; 2]| names.into_iter().find(|name| self.session.variable(name).is_some());
        let key = first(["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"]);
        let secret = first(["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"]);
        match (key, secret.and_then(|name| self.session.secret_variable(name))) {
            (Some(key), Some(secret_key)) => Ok(Some(Credentials {
                access_key: self.session.variable(key).unwrap_or_default().to_owned(),
                secret_key,
                session_token: self.session.secret_variable("AWS_SESSION_TOKEN"),
                end: None,
            })),
            (Some(key), None) => Err(Problem::Input(format!("{key} is set, but AWS_SECRET_ACCESS_KEY is not"))),
            (None, _) => Ok(None),
        }
    }

    async fn of_named(&self, name: &str) -> Result<Credentials, Problem> {
        let mut roles = Vec::new();
        let mut current = name.to_owned();
        let base = loop {
            if roles.len() > MAX_CHAIN {
                return Err(Problem::Input(format!("the source profiles of `{name}` form a circle")));
            }
            let origin = self.profiles.origin(&current).map_err(Problem::Input)?;
            match origin {
                Origin::Role { role, source } => {
                    roles.push(role);
                    match source {
                        super::profile::RoleSource::Profile(source) if source == current => {
                            break self.keys_of(&current)?;
                        }
                        super::profile::RoleSource::Profile(source) => current = source,
                        super::profile::RoleSource::Place(place) => break self.of_place(&place).await?,
                    }
                }
                origin => break self.of_origin(&current, origin).await?,
            }
        };
        let mut credentials = base;
        for role in roles.iter().rev() {
            credentials = self.assume(role, &credentials).await?;
        }
        Ok(credentials)
    }

    fn keys_of(&self, profile: &str) -> Result<Credentials, Problem> {
        self.profiles.keys(profile).ok_or_else(|| Problem::Credentials {
            origin: format!("AWS profile `{profile}`"),
            reason: "it is its own source_profile, but has no access key".to_owned(),
        })
    }

    async fn of_origin(&self, profile: &str, origin: Origin) -> Result<Credentials, Problem> {
        match origin {
            Origin::Keys(keys) => Ok(keys),
            Origin::TokenFile { file, role, session_name } => {
                self.of_token_file(&file, &role, session_name.as_deref()).await
            }
            Origin::Sso(login) => sso::credentials(self.session, &login, profile).await,
            Origin::Process(command) => self.of_process(&command, profile).await,
            Origin::Nothing => self.of_machine().await,
            Origin::Role { .. } => Err(Problem::Input(format!("profile `{profile}` has no end"))),
        }
    }

    /// Container, then virtual machine.
    async fn of_machine(&self) -> Result<Credentials, Problem> {
        if self.container()?.is_some() {
            return self.of_container().await;
        }
        self.of_instance().await
    }

    async fn of_place(&self, place: &str) -> Result<Credentials, Problem> {
        match place {
            "Environment" => self.of_environment()?.ok_or_else(|| self.nothing("credential_source = Environment")),
            "EcsContainer" => self.of_container().await,
            "Ec2InstanceMetadata" => self.of_instance().await,
            other => Err(Problem::Input(format!("credential_source `{other}` is not known"))),
        }
    }

    fn nothing(&self, last: &str) -> Problem {
        let tried = ["environment variables", "web identity token file", "shared config and credentials files"];
        let tried = tried.into_iter().chain(["container endpoint"]).map(str::to_owned).chain([last.to_owned()]);
        Problem::NoCredentials { tried: tried.collect(), hint: HINT }
    }

    async fn of_process(&self, command: &str, profile: &str) -> Result<Credentials, Problem> {
        let origin = || format!("credential_process of AWS profile `{profile}`");
        let bad = |reason: String| Problem::Credentials { origin: origin(), reason };
        let (shell, flag) = if cfg!(windows) { ("cmd.exe", "/C") } else { ("sh", "-c") };
        let output = self.session.output(shell, &[flag, command]).await.map_err(bad)?;
        let json: Value = serde_json::from_str(output.expose_secret()).unwrap_or_default();
        if json["Version"].as_i64() != Some(1) {
            return Err(bad("its output is not JSON with `\"Version\": 1`".to_owned()));
        }
        of_json(&json, "SessionToken").ok_or_else(|| bad("its output has no access key".to_owned()))
    }

    async fn of_token_file(&self, file: &str, role: &str, name: Option<&str>) -> Result<Credentials, Problem> {
        let bad = |reason: String| Problem::Credentials { origin: "the web identity token file".to_owned(), reason };
        let token = read_text(&PathBuf::from(file)).await.map_err(bad)?;
        let region = self.region().or_else(|| super::Arn::parse(role).map(|arn| arn.region));
        self.with_token(&WebIdentity {
            role: role.to_owned(),
            token: token.expose_secret().trim().to_owned().into(),
            session_name: name.unwrap_or(SESSION_NAME).to_owned(),
            region: region.filter(|region| !region.is_empty()),
        })
        .await
    }

    fn region(&self) -> Option<String> {
        let set = |name| self.session.variable(name).map(str::to_owned);
        let of_profile = || self.profiles.region(self.environment_profile().unwrap_or("default"));
        set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).or_else(of_profile)
    }

    /// Assumes a role with a token; the request is not signed.
    pub(crate) async fn with_token(&self, identity: &WebIdentity) -> Result<Credentials, Problem> {
        let url = STS.endpoint(self.session, &self.profiles, identity.region.as_deref().unwrap_or_default())?;
        let call = Call::form(
            url,
            &[
                ("Action", "AssumeRoleWithWebIdentity"),
                ("Version", "2011-06-15"),
                ("RoleArn", &identity.role),
                ("RoleSessionName", &identity.session_name),
                ("WebIdentityToken", identity.token.expose_secret()),
            ],
        );
        self.exchange(call, &identity.role).await
    }

    /// Assumes a role with other credentials.
    pub(crate) async fn assume(&self, role: &Role, with: &Credentials) -> Result<Credentials, Problem> {
        let region = role.region.clone().or_else(|| self.region());
        let region = region.as_deref().unwrap_or_default();
        let mut form = vec![
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", role.arn.as_str()),
            ("RoleSessionName", role.session_name.as_deref().unwrap_or(SESSION_NAME)),
        ];
        form.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
        form.extend(role.seconds.as_deref().map(|seconds| ("DurationSeconds", seconds)));
        let call = Call::form(STS.endpoint(self.session, &self.profiles, region)?, &form);
        let region = if region.is_empty() { "us-east-1" } else { region };
        let scope = super::sign::Scope { service: "sts", region };
        self.exchange(super::sign::sign(call, scope, with, Timestamp::now()), &role.arn).await
    }

    async fn exchange(&self, call: Call, role: &str) -> Result<Credentials, Problem> {
        let origin = || format!("role `{role}`");
        let answer = self.session.http().send(&call).await?;
        if !answer.is_success() {
            return Err(Problem::Credentials { origin: origin(), reason: refusal(&call, &answer).to_string() });
        }
        let body = answer.text();
        let text = |tag| xml_text(body.expose_secret(), tag);
        let whole = || {
            Some(Credentials {
                access_key: text("AccessKeyId")?,
                secret_key: text("SecretAccessKey")?.into(),
                session_token: Some(text("SessionToken")?.into()),
                end: text("Expiration")?.parse().ok(),
            })
        };
        whole().ok_or_else(|| Problem::Credentials {
            origin: origin(),
            reason: "the answer of the token service has no credentials".to_owned(),
        })
    }

    /// The address of the container's credential service.
    fn container(&self) -> Result<Option<Url>, Problem> {
        if let Some(path) = self.session.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            let base = "http://169.254.170.2";
            return parse_address(&format!("{base}{path}"), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(Some);
        }
        let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        let Some(url) = self.session.address(name)? else { return Ok(None) };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let near = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"].contains(&host.as_str())
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if url.scheme() != "https" && !near {
            return Err(Problem::Input(format!("{name} must be `https` or an address of this machine")));
        }
        Ok(Some(url))
    }

    async fn of_container(&self) -> Result<Credentials, Problem> {
        let Some(url) = self.container()? else { return Err(self.nothing("container endpoint")) };
        let bad = |reason: String| Problem::Credentials { origin: "the container's endpoint".to_owned(), reason };
        let token = match self.session.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => Some(read_text(&PathBuf::from(file)).await.map_err(bad)?),
            None => self.session.secret_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        let mut call = Call::get(url).on_machine();
        if let Some(token) = token {
            call = call.header("authorization", token.expose_secret().trim());
        }
        let answer = self.session.http().ask(&call).await.map_err(|problem| bad(problem.to_string()))?;
        of_json(&answer.json(), "Token").ok_or_else(|| bad("its answer has no access key".to_owned()))
    }

    async fn of_instance(&self) -> Result<Credentials, Problem> {
        if self.session.switch("AWS_EC2_METADATA_DISABLED") {
            return Err(self.nothing("instance metadata (disabled by AWS_EC2_METADATA_DISABLED)"));
        }
        let base = self.session.address("AWS_EC2_METADATA_SERVICE_ENDPOINT")?;
        let base = base.map_or_else(|| "http://169.254.169.254".to_owned(), |url| url.to_string());
        let base = base.trim_end_matches('/').to_owned();
        let at = |path: &str| parse_address(&format!("{base}/latest/{path}"), "the metadata endpoint");
        let token = Call::new(Method::PUT, at("api/token")?)
            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .on_machine();
        let absent = |_| self.nothing("instance metadata (no answer)");
        let token = self.session.http().ask(&token).await.map_err(absent)?.text();
        let get = |url: Url| Call::get(url).header("x-aws-ec2-metadata-token", token.expose_secret()).on_machine();
        let roles = get(at("meta-data/iam/security-credentials/")?);
        let roles = self.session.http().ask(&roles).await.map_err(|_| self.nothing("instance metadata (no role)"))?;
        let roles = roles.text();
        let role = roles.expose_secret().lines().next().unwrap_or_default().trim();
        let bad = |reason: String| Problem::Credentials { origin: "the instance's role".to_owned(), reason };
        let call = get(at(&format!("meta-data/iam/security-credentials/{}", percent(role)))?);
        let answer = self.session.http().ask(&call).await.map_err(|problem| bad(problem.to_string()))?;
        of_json(&answer.json(), "Token").ok_or_else(|| bad("the metadata have no access key".to_owned()))
    }
}

/// A role to assume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) seconds: Option<String>,
    pub(crate) region: Option<String>,
}

/// The JSON of processes, containers and instances; only the token's name differs.
fn of_json(json: &Value, token: &str) -> Option<Credentials> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    Some(Credentials {
        access_key: text("AccessKeyId")?,
        secret_key: text("SecretAccessKey")?.into(),
        session_token: text(token).map(Into::into),
        end: text("Expiration").and_then(|end| end.parse().ok()).or_else(|| {
            // Without an end they are static for a process; a machine's always have one.
            (token == "Token").then(|| Timestamp::now() + SignedDuration::from_mins(15))
        }),
    })
}
