//! Signature version 4.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Method;
use ring::hmac;
use secrecy::ExposeSecret as _;
use url::Url;

use super::credentials::Credentials;
use crate::encode::{hex, percent, sha256_hex};
use crate::http::Call;

/// What a signature is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
}

/// Adds date, token and signature to a call.
pub(crate) fn sign(mut call: Call, scope: Scope<'_>, credentials: &Credentials, now: Timestamp) -> Call {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    call = call.header("x-amz-date", &time);
    if let Some(token) = &credentials.session_token {
        call = call.header("x-amz-security-token", token.expose_secret());
    }
    let (names, canonical) = canonical_request(&call);
    let date = &time[..8];
    let place = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{place}\n{}", sha256_hex(canonical.as_bytes()));
    let first = format!("AWS4{}", credentials.secret_key.expose_secret());
    let key = [date, scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()));
    let signature = hex(&mac(&key, to_sign.as_bytes()));
    let who = &credentials.access_key;
    let value = format!("AWS4-HMAC-SHA256 Credential={who}/{place}, SignedHeaders={names}, Signature={signature}");
    call.header("authorization", &value)
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
}

/// Names of the signed headers, and the canonical form.
fn canonical_request(call: &Call) -> (String, String) {
    let mut headers: Vec<(String, String)> = call
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.expose_secret().trim().to_owned()))
        .collect();
    headers.push(("host".to_owned(), host(&call.url)));
    headers.sort();
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let mut query: Vec<String> =
        call.url.query_pairs().map(|(name, value)| format!("{}={}", percent(&name), percent(&value))).collect();
    query.sort();
    let method: &Method = &call.method;
    let path = if call.url.path().is_empty() { "/" } else { call.url.path() };
    let body = sha256_hex(call.body.expose_secret().as_bytes());
    (names.clone(), format!("{method}\n{path}\n{}\n{lines}\n{names}\n{body}", query.join("&")))
}

/// As the client sends it: with the port unless it is the scheme's own.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's own test suite for the algorithm ("get-vanilla-query-order-key-case").
    #[test]
    fn the_published_example_has_the_published_signature() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned().into(),
            session_token: None,
            end: None,
        };
        let url = Url::parse("https://example.amazonaws.com/?Param2=value2&Param1=value1").expect("address");
        let now: Timestamp = "2015-08-30T12:36:00Z".parse().expect("time");
        let scope = Scope { service: "service", region: "us-east-1" };
        let call = sign(Call::get(url), scope, &credentials, now);
        let header = call.headers.last().map(|(_, value)| value.expose_secret().to_owned()).unwrap_or_default();
        assert_eq!(
            header,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
    }
}
