//! External accounts: the token of another identity provider, from a file, an address, a program or AWS.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::Token;
use super::file::File;
use crate::error::Problem;
use crate::http::Call;
use crate::session::{parse_address, read_text};

/// A Google token for the subject of another provider.
pub(super) async fn token(file: &File<'_>) -> Result<Token, Problem> {
    let source = &file.json["credential_source"];
    let subject = if let Some(path) = source["file"].as_str() {
        let text = read_text(Path::new(path)).await.map_err(|reason| file.bad(reason))?;
        formatted(file, source, &text)?
    } else if source["environment_id"].as_str().is_some_and(|id| id.starts_with("aws")) {
        of_aws(file, source).await?
    } else if let Some(address) = source["url"].as_str() {
        let mut call = Call::get(parse_address(address, "`credential_source.url`")?);
        for (name, value) in source["headers"].as_object().into_iter().flatten() {
            call = call.header(name, value.as_str().unwrap_or_default());
        }
        let answer = file.session.http().ask(&call).await.map_err(|problem| file.bad(problem.to_string()))?;
        formatted(file, source, &answer.text())?
    } else if let Some(command) = source["executable"]["command"].as_str() {
        of_program(file, command).await?
    } else {
        return Err(file.bad("`credential_source` is of an unknown kind"));
    };
    file.exchange(&subject).await
}

/// The token in a text, or in a field of a JSON text.
fn formatted(file: &File<'_>, source: &Value, text: &SecretString) -> Result<SecretString, Problem> {
    let format = &source["format"];
    if format["type"].as_str() != Some("json") {
        return Ok(text.expose_secret().trim().to_owned().into());
    }
    let field = format["subject_token_field_name"].as_str().unwrap_or_default();
    let json: Value = serde_json::from_str(text.expose_secret()).unwrap_or_default();
    let token = json[field].as_str().map(|token| token.to_owned().into());
    token.ok_or_else(|| file.bad(format!("the subject token has no field `{field}`")))
}

/// Programs run only when the user allows it, as Google's own libraries demand.
async fn of_program(file: &File<'_>, command: &str) -> Result<SecretString, Problem> {
    if file.session.variable("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES") != Some("1") {
        return Err(file.bad("it runs a program; set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 to allow that"));
    }
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let args: Vec<&str> = words.collect();
    let output = file.session.output(program, &args).await.map_err(|reason| file.bad(reason))?;
    let json: Value = serde_json::from_str(output.expose_secret()).unwrap_or_default();
    if json["success"].as_bool() != Some(true) {
        return Err(file.bad("the program reports no success"));
    }
    let token = ["id_token", "saml_response"].iter().find_map(|name| json[*name].as_str());
    token.map(|token| token.to_owned().into()).ok_or_else(|| file.bad("the program gave no token"))
}

/// A signed request for the caller's identity in AWS is the subject token.
async fn of_aws(file: &File<'_>, source: &Value) -> Result<SecretString, Problem> {
    let template = source["regional_cred_verification_url"].as_str();
    let template = template.ok_or_else(|| file.bad("`regional_cred_verification_url` is missing"))?;
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| file.session.variable(name));
    let region = region.ok_or_else(|| file.bad("AWS_REGION is not set"))?;
    let url = file.address(&template.replace("{region}", region), "regional_cred_verification_url")?;
    let credentials = crate::aws::default_credentials(file.session).await?;
    let target = file.text("audience")?;
    let call = Call::new(reqwest::Method::POST, url).header("x-goog-cloud-target-resource", target);
    let call = crate::aws::signed(call, "sts", region, &credentials);
    let host = call.url.host_str().unwrap_or_default();
    let mut headers = vec![json!({ "key": "host", "value": host })];
    headers.extend(call.headers.iter().map(|(name, value)| json!({ "key": name, "value": value.expose_secret() })));
    let request = json!({ "url": call.url.as_str(), "method": "POST", "headers": headers, "body": "" });
    Ok(crate::encode::percent(&request.to_string()).into())
}
