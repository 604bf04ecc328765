//! The `sops` section of a file: keys, rules, authentication code.

mod flat;
mod groups;

use regex::Regex;

use crate::dotenv::METADATA_PREFIX;
use crate::error::SopsError;
use crate::format::Format;
use crate::keys::MasterKey;
use crate::tree::{Node, Scalar};

/// What a file says about its encryption.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// All keys of one group encrypt the same share.
    pub(crate) groups: Vec<Vec<MasterKey>>,
    /// Groups that are needed.
    pub(crate) threshold: usize,
    pub(crate) mac: String,
    /// The text, and Go's form of it.
    pub(crate) last_modified: Vec<String>,
    pub(crate) mac_only_encrypted: bool,
    pub(crate) rule: Rule,
}

/// Which values are encrypted.
#[derive(Debug)]
pub(crate) enum Rule {
    ExceptSuffix(String),
    OnlySuffix(String),
    Except(Regex),
    Only(Regex),
    /// By the comments around a value: the value itself tells.
    ByComment,
}

impl Rule {
    /// `None`: the path does not decide.
    pub(crate) fn encrypts(&self, path: &[&str]) -> Option<bool> {
        Some(match self {
            Self::ExceptSuffix(suffix) => !path.iter().any(|key| key.ends_with(suffix)),
            Self::OnlySuffix(suffix) => path.iter().any(|key| key.ends_with(suffix)),
            Self::Except(regex) => !path.iter().any(|key| regex.is_match(key)),
            Self::Only(regex) => path.iter().any(|key| regex.is_match(key)),
            Self::ByComment => return None,
        })
    }
}

/// Finds the metadata in the documents and reads it.
pub(crate) fn read(format: Format, documents: &[Node]) -> Result<Metadata, SopsError> {
    let section = match format {
        Format::Dotenv => {
            let pairs = documents.iter().flat_map(Node::pairs);
            let flat = pairs.filter_map(|pair| Some((pair.key.strip_prefix(METADATA_PREFIX)?, &pair.value)));
            flat::unflatten(flat)?
        }
        Format::Ini => {
            let section = documents.first().and_then(|document| document.get("sops"));
            flat::unflatten(section.into_iter().flat_map(Node::pairs).map(|pair| (pair.key.as_str(), &pair.value)))?
        }
        _ => {
            let found = documents.iter().find_map(|document| document.get("sops"));
            found.cloned().ok_or_else(|| problem("is missing"))?
        }
    };
    of_section(&Fields(&section))
}

fn of_section(fields: &Fields<'_>) -> Result<Metadata, SopsError> {
    check_version(&fields.text("version")?.unwrap_or_default())?;
    let groups = groups::read(fields)?;
    let last_modified = fields.text("lastmodified")?.ok_or_else(|| problem("has no `lastmodified`"))?;
    let threshold = match fields.number("shamir_threshold")? {
        _ if groups.len() == 1 => 1,
        0 => groups.len(),
        number if number > groups.len() => return Err(problem("asks for more key groups than it has")),
        number => number,
    };
    Ok(Metadata {
        threshold,
        groups,
        mac: fields.text("mac")?.filter(|mac| !mac.is_empty()).ok_or_else(|| problem("has no `mac`"))?,
        last_modified: stamps(last_modified),
        mac_only_encrypted: fields.flag("mac_only_encrypted")?,
        rule: rule(fields)?,
    })
}

/// Majors after 3 may mean anything; files of older versions, and without one, are read like today's.
fn check_version(version: &str) -> Result<(), SopsError> {
    let major = version.trim_start_matches('v').split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(0..=3) => Ok(()),
        _ if version.is_empty() => Ok(()),
        _ => Err(SopsError::Version { version: version.chars().take(40).collect() }),
    }
}

fn rule(fields: &Fields<'_>) -> Result<Rule, SopsError> {
    const NAMES: [&str; 6] = [
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
    ];
    let mut set = Vec::new();
    for name in NAMES {
        set.extend(fields.text(name)?.filter(|text| !text.is_empty()).map(|text| (name, text)));
    }
    if set.len() > 1 {
        let names: Vec<String> = set.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(problem(format!("has more than one rule: {}", names.join(", "))));
    }
    let Some((name, text)) = set.pop() else { return Ok(Rule::ExceptSuffix("_unencrypted".into())) };
    let regex = || Regex::new(&text).map_err(|_| problem(format!("has an invalid regular expression in `{name}`")));
    Ok(match name {
        "unencrypted_suffix" => Rule::ExceptSuffix(text),
        "encrypted_suffix" => Rule::OnlySuffix(text),
        "unencrypted_regex" => Rule::Except(regex()?),
        "encrypted_regex" => Rule::Only(regex()?),
        _ => {
            regex()?;
            Rule::ByComment
        }
    })
}

/// Forms in which the date was bound to the authentication code: SOPS reads it and writes it again.
fn stamps(text: String) -> Vec<String> {
    let whole = match (text.find('.'), text.find(['Z', '+'])) {
        (Some(point), Some(zone)) if point < zone => format!("{}{}", &text[..point], &text[zone..]),
        _ => text.clone(),
    };
    let utc = whole.strip_suffix("+00:00").map(|start| format!("{start}Z"));
    let mut stamps = vec![text];
    for form in [Some(whole), utc].into_iter().flatten() {
        if !stamps.contains(&form) {
            stamps.push(form);
        }
    }
    stamps
}

fn problem(text: impl Into<String>) -> SopsError {
    SopsError::Metadata { problem: text.into() }
}

/// Access to the fields of a section; flat formats have texts only, so numbers and booleans may be texts.
struct Fields<'a>(&'a Node);

impl Fields<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, SopsError> {
        match self.0.get(name) {
            None | Some(Node::Null) => Ok(None),
            Some(Node::Scalar(Scalar::Bytes(_)) | Node::Map(_) | Node::List(_)) => {
                Err(problem(format!("has a `{name}` that is no text")))
            }
            Some(Node::Scalar(scalar)) => Ok(Some(String::from_utf8_lossy(&scalar.digest_bytes()).into_owned())),
        }
    }

    fn number(&self, name: &str) -> Result<usize, SopsError> {
        let text = self.text(name)?.unwrap_or_default();
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().map_err(|_| problem(format!("has a `{name}` that is no number")))
    }

    fn flag(&self, name: &str) -> Result<bool, SopsError> {
        match self.text(name)?.unwrap_or_default().as_str() {
            "" | "false" | "False" | "0" => Ok(false),
            "true" | "True" | "1" => Ok(true),
            _ => Err(problem(format!("has a `{name}` that is no boolean"))),
        }
    }
}

#[cfg(test)]
mod tests;
