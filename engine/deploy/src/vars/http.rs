//! `http`: the answer of an address, parsed but not rendered.

use secrecy::ExposeSecret as _;
use serde_json::Value;
use windlass_fieldpath::JsonPath;
use windlass_model::vars_source::HttpSource;

use super::VarsError;
use super::remote::Reader;
use crate::ports::{Login, WebAnswer};

/// Parts of header names that announce a secret.
const SECRET_HEADERS: [&str; 6] = ["auth", "token", "key", "secret", "password", "cookie"];

/// Reads the answer; `None` when there is none and that is tolerated.
pub(super) async fn read(request: &HttpSource, reader: &Reader<'_>) -> Result<Option<Value>, VarsError> {
    let path = request.json_path.as_deref().filter(|path| !path.is_empty());
    let path = path.map(JsonPath::parse).transpose().map_err(VarsError::HttpPath)?;
    let url = shown(&request.url);
    register(request, reader);
    let WebAnswer { status, body, login } = reader.remote.web.fetch(request).await?;
    if status == 404 && login == Login::None && reader.source.ignore_missing {
        return Ok(None);
    }
    if !(200..300).contains(&status) {
        return Err(VarsError::HttpStatus { url, status });
    }
    let subject = format!("http request {url}");
    let document = |text: &str| -> Result<Value, VarsError> {
        let value = reader.parse(text, &subject)?;
        if login == Login::Used && reader.source.sensitive != Some(false) {
            reader.remote.secrets.register_value(&value);
        }
        Ok(value)
    };
    let value = match &path {
        None => document(body.expose_secret())?,
        Some(path) => match document(&text_at(path, body.expose_secret(), &url, reader)?)? {
            value @ Value::Object(_) => value,
            _ => return Err(reader.unusable(&format!("{path} in result of {subject}"), "is not a YAML map")),
        },
    };
    Ok(Some(value))
}

/// The text at the first match.
fn text_at(path: &JsonPath, body: &str, url: &str, reader: &Reader<'_>) -> Result<String, VarsError> {
    let document = reader.parse(body, &format!("http request {url}"))?;
    let places = path.locate(&document);
    let (path, url) = (path.to_string(), url.to_owned());
    match places.first().and_then(|place| place.get(&document)) {
        None => Err(VarsError::HttpPathNotFound { path, url }),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(VarsError::HttpPathNoText { path, url }),
    }
}

/// Hides what the request proves itself with.
fn register(request: &HttpSource, reader: &Reader<'_>) {
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if SECRET_HEADERS.iter().any(|part| name.contains(part)) {
            reader.remote.secrets.register(value);
            value.split_whitespace().skip(1).for_each(|part| reader.remote.secrets.register(part));
        }
    }
    if let Some((_, password)) = userinfo(&request.url).and_then(|userinfo| userinfo.split_once(':')) {
        reader.remote.secrets.register(password);
    }
}

fn userinfo(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(userinfo, _)| userinfo)
}

/// The address without user and password.
fn shown(url: &str) -> String {
    match userinfo(url) {
        Some(userinfo) => url.replacen(&format!("{userinfo}@"), "", 1),
        None => url.to_owned(),
    }
}
