//! Signed assertions (RS256) that prove who we are to a token endpoint.

use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::Value;

use crate::encode::{base64_url, pem_block};

/// `header.claims.signature` with the key of a PEM text.
pub(crate) fn sign(header: &Value, claims: &Value, pem: &str) -> Result<String, String> {
    let key = private_key(pem)?;
    let unsigned =
        format!("{}.{}", base64_url(header.to_string().as_bytes()), base64_url(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), unsigned.as_bytes(), &mut signature)
        .map_err(|_| "signing failed".to_owned())?;
    Ok(format!("{unsigned}.{}", base64_url(&signature)))
}

fn private_key(pem: &str) -> Result<KeyPair, String> {
    if let Some(der) = pem_block(pem, &["PRIVATE KEY"]) {
        return KeyPair::from_pkcs8(&der).map_err(|error| format!("the private key can not be used: {error}"));
    }
    if let Some(der) = pem_block(pem, &["RSA PRIVATE KEY"]) {
        return KeyPair::from_der(&der).map_err(|error| format!("the private key can not be used: {error}"));
    }
    Err("there is no RSA private key in PEM form".to_owned())
}
