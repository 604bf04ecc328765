//! AWS: Secrets Manager, KMS and ECR, signed with version 4.

mod credentials;
mod profile;
mod sign;
mod sso;

use std::collections::BTreeMap;
use std::future::Future;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::{Value, json};
use url::Url;

use credentials::{Chain, Role};
pub use credentials::{Credentials, WebIdentity};
use profile::Profiles;

use crate::cache::Cache;
use crate::encode::{base64_bytes, base64_text};
use crate::error::{CloudError, Problem};
use crate::http::Call;
use crate::login::RegistryLogin;
use crate::session::{Session, parse_address};

/// Whose credentials are used; see [`Aws::new`].
#[derive(Clone, Debug, Default)]
pub struct AwsOptions {
    /// A profile of the shared files, in place of the environment's.
    pub profile: Option<String>,
    /// A role that is assumed when no profile is usable.
    pub web_identity: Option<WebIdentity>,
    /// Fixed credentials, in place of all others.
    pub credentials: Option<Credentials>,
}

/// A ciphertext of AWS KMS.
#[derive(Clone, Copy, Debug)]
pub struct KmsRequest<'a> {
    /// ARN of the key.
    pub key: &'a str,
    /// What was encrypted.
    pub ciphertext: &'a [u8],
    /// A role to assume first.
    pub role: Option<&'a str>,
    /// Must be what the text was encrypted with.
    pub context: &'a BTreeMap<String, String>,
}

/// A client with one identity. Credentials are found at the first call and kept.
pub struct Aws {
    session: Session,
    options: AwsOptions,
    kept: Cache<Credentials>,
}

/// One service of AWS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// In people's words.
    title: &'static str,
    /// In `AWS_ENDPOINT_URL_<..>`.
    variable: &'static str,
    /// In the `services` section of the config file.
    id: &'static str,
    /// In signatures.
    signing: &'static str,
    /// In host names; `{fips}` is `-fips` or nothing.
    host: &'static str,
}

const SECRETS_MANAGER: Service = Service {
    title: "AWS Secrets Manager",
    variable: "SECRETS_MANAGER",
    id: "secrets_manager",
    signing: "secretsmanager",
    host: "secretsmanager{fips}",
};
const KMS: Service = Service { title: "AWS KMS", variable: "KMS", id: "kms", signing: "kms", host: "kms{fips}" };
const ECR: Service = Service { title: "AWS ECR", variable: "ECR", id: "ecr", signing: "ecr", host: "api.ecr{fips}" };
const ECR_PUBLIC: Service = Service {
    title: "AWS ECR Public",
    variable: "ECR_PUBLIC",
    id: "ecr_public",
    signing: "ecr-public",
    host: "api.ecr-public",
};
const STS: Service = Service { title: "AWS STS", variable: "STS", id: "sts", signing: "sts", host: "sts{fips}" };

impl Service {
    /// The address of the service; without a region the global one.
    fn endpoint(&self, session: &Session, profiles: &Profiles, region: &str) -> Result<Url, Problem> {
        if !session.switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            for name in [format!("AWS_ENDPOINT_URL_{}", self.variable), "AWS_ENDPOINT_URL".to_owned()] {
                if let Some(url) = session.address(&name)? {
                    return Ok(url);
                }
            }
            let profile = session.variable("AWS_PROFILE").unwrap_or("default");
            if let Some(text) = profiles.endpoint(profile, self.id) {
                return parse_address(&text, &format!("endpoint_url of AWS profile `{profile}`"));
            }
        }
        if !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(Problem::Input(format!("`{region}` is no AWS region")));
        }
        let fips = if session.switch("AWS_USE_FIPS_ENDPOINT") { "-fips" } else { "" };
        let host = self.host.replace("{fips}", fips);
        let place = if region.is_empty() { String::new() } else { format!(".{region}") };
        parse_address(&format!("https://{host}{place}.{}", suffix(region)), "the region")
    }
}

/// The domain of a region's partition.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The parts of an ARN that clients need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arn {
    pub(crate) service: String,
    pub(crate) region: String,
}

impl Arn {
    /// `arn:partition:service:region:account:resource`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (_partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (_account, _resource) = (parts.next()?, parts.next()?);
        Some(Self { service: service.to_owned(), region: region.to_owned() })
    }
}

impl Aws {
    /// Stores the options; asks nobody yet.
    ///
    /// Credentials are searched in this order (spec 01 section 3.5): fixed ones; those that the environment selects
    /// (access keys, a web identity token file, or a profile that exists); the profile of the options, when the shared
    /// files have it; the web identity of the options; then AWS's default chain (environment, web identity, profile
    /// `default` with role, SSO or process, container, instance).
    pub fn new(session: &Session, options: AwsOptions) -> Self {
        Self { session: session.clone(), options, kept: Cache::new() }
    }

    /// The text of the newest version of a secret; a binary one is read as text.
    ///
    /// # Errors
    /// See [`Problem`]; a secret that does not exist is [`CloudError::is_not_found`].
    pub async fn secret(&self, region: Option<&str>, name: &str) -> Result<SecretString, CloudError> {
        let during = format!("get secret `{name}`");
        self.traced(SECRETS_MANAGER, &during, async {
            let region = match region.filter(|region| !region.is_empty()) {
                Some(region) => region.to_owned(),
                None => {
                    Arn::parse(name).map(|arn| arn.region).filter(|region| !region.is_empty()).ok_or_else(|| {
                        Problem::Input("when omitting the AWS region, the secret name must be a valid ARN".to_owned())
                    })?
                }
            };
            let body = json!({ "SecretId": name });
            let answer = self.call(SECRETS_MANAGER, &region, "secretsmanager.GetSecretValue", &body, None).await?;
            if let Some(text) = answer["SecretString"].as_str() {
                return Ok(text.to_owned().into());
            }
            let bytes = answer["SecretBinary"].as_str().and_then(base64_bytes);
            let bytes = bytes.ok_or_else(|| Problem::Answer("it has neither text nor bytes".to_owned()))?;
            let text = String::from_utf8(bytes).map_err(|_| Problem::Answer("the secret is no text".to_owned()))?;
            Ok(text.into())
        })
        .await
    }

    /// Decrypts with a key of KMS.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn decrypt(&self, request: KmsRequest<'_>) -> Result<SecretSlice<u8>, CloudError> {
        let KmsRequest { key, ciphertext, role, context } = request;
        let during = format!("decrypt with `{key}`");
        self.traced(KMS, &during, async {
            let arn = Arn::parse(key).filter(|arn| arn.service == "kms" && !arn.region.is_empty());
            let arn = arn.ok_or_else(|| Problem::Input("the key is not named by its ARN".to_owned()))?;
            let mut body = json!({ "KeyId": key, "CiphertextBlob": base64_text(ciphertext) });
            if !context.is_empty() {
                body["EncryptionContext"] = json!(context);
            }
            let answer = self.call(KMS, &arn.region, "TrentService.Decrypt", &body, role).await?;
            let plain = answer["Plaintext"].as_str().and_then(base64_bytes);
            plain.map(Into::into).ok_or_else(|| Problem::Answer("it has no plaintext".to_owned()))
        })
        .await
    }

    /// A login for a registry `<account>.dkr.ecr.<region>.amazonaws.com` or `public.ecr.aws`.
    ///
    /// # Errors
    /// See [`Problem`]; a host of another kind is an [`Problem::Input`].
    pub async fn registry_login(&self, host: &str) -> Result<RegistryLogin, CloudError> {
        let during = format!("log in to `{host}`");
        self.traced(ECR, &during, async {
            let place = EcrHost::parse(host).ok_or_else(|| Problem::Input("this is no host of ECR".to_owned()))?;
            let data = match &place {
                EcrHost::Public => {
                    let target = "SpencerFrontendService.GetAuthorizationToken";
                    self.call(ECR_PUBLIC, "us-east-1", target, &json!({}), None).await?["authorizationData"].take()
                }
                EcrHost::Private { account, region } => {
                    let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
                    let body = json!({ "registryIds": [account] });
                    self.call(ECR, region, target, &body, None).await?["authorizationData"][0].take()
                }
            };
            of_authorization(&data).ok_or_else(|| Problem::Answer("it has no token".to_owned()))
        })
        .await
    }

    async fn traced<T>(
        &self,
        service: Service,
        during: &str,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, CloudError> {
        work.await.map_err(|problem| problem.during(service.title, during))
    }

    /// One signed call of the JSON protocol.
    async fn call(
        &self,
        service: Service,
        region: &str,
        target: &str,
        body: &Value,
        role: Option<&str>,
    ) -> Result<Value, Problem> {
        let chain = Chain { session: &self.session, profiles: Profiles::load(&self.session).await };
        let url = service.endpoint(&self.session, &chain.profiles, region)?;
        let mut credentials = self.kept.get(self.find(&chain)).await?;
        if let Some(arn) = role.filter(|role| !role.is_empty()) {
            let role = Role { arn: arn.to_owned(), region: Some(region.to_owned()), ..Role::default() };
            credentials = chain.assume(&role, &credentials).await?;
        }
        let call = Call::json(url, body);
        let call = Call { headers: Vec::new(), ..call }
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let scope = sign::Scope { service: service.signing, region };
        let call = sign::sign(call, scope, &credentials, Timestamp::now());
        match self.session.http().ask(&call).await {
            Ok(answer) => Ok(answer.json()),
            Err(problem) => Err(sorted(problem)),
        }
    }

    async fn find(&self, chain: &Chain<'_>) -> Result<Credentials, Problem> {
        let AwsOptions { profile, web_identity, credentials } = &self.options;
        if let Some(fixed) = credentials {
            return Ok(fixed.clone());
        }
        let set = |name: &&str| self.session.variable(name).is_some();
        let keys = ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"].iter().any(set);
        if keys || chain.environment_profile().is_some_and(|name| chain.profiles.exists(name)) {
            return chain.find(None).await;
        }
        if let Some(profile) = profile.as_deref().filter(|name| chain.profiles.exists(name)) {
            return chain.find(Some(profile)).await;
        }
        if let Some(identity) = web_identity {
            return chain.with_token(identity).await;
        }
        chain.find(None).await
    }
}

/// The default chain, for other clouds that trust AWS.
pub(crate) async fn default_credentials(session: &Session) -> Result<Credentials, Problem> {
    Chain { session, profiles: Profiles::load(session).await }.find(None).await
}

/// A call signed now.
pub(crate) fn signed(call: Call, service: &str, region: &str, credentials: &Credentials) -> Call {
    sign::sign(call, sign::Scope { service, region }, credentials, Timestamp::now())
}

/// AWS says with status 400 what others say with 404 and 403.
fn sorted(problem: Problem) -> Problem {
    let Problem::Failed { status, message } = problem else { return problem };
    let code = message.split(':').next().unwrap_or_default();
    match code {
        "ResourceNotFoundException" | "NotFoundException" => Problem::NotFound { message },
        _ if ["AccessDenied", "UnrecognizedClient", "InvalidSignature", "ExpiredToken", "MissingAuthentication"]
            .iter()
            .any(|start| code.starts_with(start)) =>
        {
            Problem::Denied { status, message }
        }
        _ => Problem::Failed { status, message },
    }
}

fn of_authorization(data: &Value) -> Option<RegistryLogin> {
    let token = String::from_utf8(base64_bytes(data["authorizationToken"].as_str()?)?).ok()?;
    let (username, password) = token.split_once(':')?;
    let end = data["expiresAt"].as_f64().and_then(|end| Timestamp::from_second(end as i64).ok());
    Some(RegistryLogin { username: username.to_owned(), password: password.to_owned().into(), end })
}

/// Hosts of ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EcrHost {
    Public,
    Private { account: String, region: String },
}

impl EcrHost {
    pub(crate) fn parse(host: &str) -> Option<Self> {
        if matches!(host, "public.ecr.aws" | "ecr-public.aws.com") {
            return Some(Self::Public);
        }
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let kinds = ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr.", "dkr-ecr-fips."];
        let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
        let (region, domain) = rest.split_once('.')?;
        let known = ["amazonaws.com", "amazonaws.com.cn", "on.aws", "on.amazonwebservices.com.cn"].contains(&domain);
        known.then(|| Self::Private { account: account.to_owned(), region: region.to_owned() })
    }
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("profile", &self.options.profile).finish_non_exhaustive()
    }
}

impl Credentials {
    /// A key pair without end.
    pub fn fixed(access_key: &str, secret_key: SecretString, session_token: Option<SecretString>) -> Self {
        Self { access_key: access_key.to_owned(), secret_key, session_token, end: None }
    }

    /// What must not be seen in any output.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        [Some(&self.secret_key), self.session_token.as_ref()].into_iter().flatten().map(|secret| secret.expose_secret())
    }
}

#[cfg(test)]
mod tests;
