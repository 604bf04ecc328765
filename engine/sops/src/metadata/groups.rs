//! The key groups of a file.

use std::collections::BTreeMap;

use super::{Fields, problem};
use crate::error::SopsError;
use crate::keys::{AgeKey, AwsKmsKey, AzureKey, GcpKmsKey, MasterKey, PgpKey, VaultKey};
use crate::tree::Node;

/// Fields that are no lists of keys.
const OTHERS: [&str; 12] = [
    "shamir_threshold",
    "key_groups",
    "lastmodified",
    "mac",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
    "mac_only_encrypted",
    "version",
];

/// Keys outside of groups are one group; then groups do not count.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<Vec<MasterKey>>, SopsError> {
    let own = group(fields)?;
    if !own.is_empty() {
        return Ok(vec![own]);
    }
    let groups = match fields.0.get("key_groups") {
        None | Some(Node::Null) => Vec::new(),
        Some(list @ Node::List(_)) => list.items().map(|item| group(&Fields(item))).collect::<Result<_, _>>()?,
        Some(_) => return Err(problem("has `key_groups` that are no list")),
    };
    if groups.iter().all(Vec::is_empty) {
        return Err(problem("has no keys"));
    }
    Ok(groups)
}

/// Offline keys first, in the order of SOPS: age, PGP, then the others.
fn group(fields: &Fields<'_>) -> Result<Vec<MasterKey>, SopsError> {
    let mut keys = Vec::new();
    for pair in fields.0.pairs().filter(|pair| !OTHERS.contains(&pair.key.as_str())) {
        let items: Vec<&Node> = match &pair.value {
            Node::List(_) => pair.value.items().collect(),
            Node::Null => continue,
            // A list without members may be written as an empty text in flat formats.
            Node::Scalar(_) if pair.value.as_text() == Some("") => continue,
            Node::Scalar(_) if !is_known(&pair.key) => continue,
            _ => return Err(problem(format!("has a `{}` that is no list", pair.key))),
        };
        for item in items {
            keys.push(key(&pair.key, &Fields(item))?);
        }
    }
    keys.sort_by_key(MasterKey::rank);
    Ok(keys)
}

fn is_known(kind: &str) -> bool {
    ["age", "pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"].contains(&kind)
}

fn key(kind: &str, fields: &Fields<'_>) -> Result<MasterKey, SopsError> {
    let required = |name: &str| {
        let text = fields.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| problem(format!("has a key below `{kind}` without `{name}`")))
    };
    let optional =
        |name: &str| -> Result<Option<String>, SopsError> { Ok(fields.text(name)?.filter(|text| !text.is_empty())) };
    let encrypted = required("enc")?;
    Ok(match kind {
        "age" => MasterKey::Age(AgeKey { recipient: required("recipient")?, encrypted }),
        "pgp" => MasterKey::Pgp(PgpKey { fingerprint: required("fp")?, encrypted }),
        "kms" => MasterKey::AwsKms(AwsKmsKey {
            arn: required("arn")?,
            role: optional("role")?,
            profile: optional("aws_profile")?,
            context: context(fields)?,
            encrypted,
        }),
        "gcp_kms" => MasterKey::GcpKms(GcpKmsKey { resource: required("resource_id")?, encrypted }),
        "azure_kv" => MasterKey::Azure(AzureKey {
            vault_url: required("vault_url")?,
            name: required("name")?,
            version: required("version")?,
            encrypted,
        }),
        "hc_vault" => MasterKey::Vault(VaultKey {
            address: required("vault_address")?,
            engine_path: required("engine_path")?,
            name: required("key_name")?,
            encrypted,
        }),
        kind => MasterKey::Unknown { kind: kind.chars().take(40).collect() },
    })
}

fn context(fields: &Fields<'_>) -> Result<BTreeMap<String, String>, SopsError> {
    match fields.0.get("context") {
        None | Some(Node::Null) => Ok(BTreeMap::new()),
        Some(map @ Node::Map(_)) => {
            let texts = Fields(map);
            map.pairs().map(|pair| Ok((pair.key.clone(), texts.text(&pair.key)?.unwrap_or_default()))).collect()
        }
        Some(_) => Err(problem("has a `context` that is no map")),
    }
}
