//! The text of a marker: `{"$imagepolicy": "namespace:name[:field]"}`. Spec 06 7.1.

use std::fmt;

use serde_json::Value;
use windlass_images::project_policy::Address;

/// Bytes that every marked file has; what lacks them is not parsed.
pub(crate) const TOKEN: &str = "\"$imagepolicy\"";

const KEY: &str = "$imagepolicy";

/// Which part of an election is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `image:tag`, with the digest when there is one.
    Full,
    /// The tag.
    Tag,
    /// The image without tag.
    Name,
    /// The digest.
    Digest,
    /// `image:tag` without digest.
    Image,
    /// `image@digest`.
    ImageDigest,
    /// The part of the tag that the policy compared.
    Version,
    /// First number of the version.
    Major,
    /// Second number of the version.
    Minor,
}

impl Field {
    /// All names, for messages.
    pub const NAMES: [&'static str; 8] =
        ["tag", "name", "digest", "image", "image-digest", "version", "major", "minor"];

    /// The field with this name; without a name the full reference.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "tag" => Self::Tag,
            "name" => Self::Name,
            "digest" => Self::Digest,
            "image" => Self::Image,
            "image-digest" => Self::ImageDigest,
            "version" => Self::Version,
            "major" => Self::Major,
            "minor" => Self::Minor,
            _ => return None,
        })
    }

    /// Name as in a marker; empty for the full reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "",
            Self::Tag => "tag",
            Self::Name => "name",
            Self::Digest => "digest",
            Self::Image => "image",
            Self::ImageDigest => "image-digest",
            Self::Version => "version",
            Self::Major => "major",
            Self::Minor => "minor",
        }
    }
}

/// What a marker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The policy; an empty namespace is the default one.
    pub policy: Address,
    /// The field, or the unknown name of one.
    pub field: Result<Field, String>,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.policy.namespace, self.policy.name)?;
        match &self.field {
            Ok(Field::Full) => Ok(()),
            Ok(field) => write!(f, ":{}", field.as_str()),
            Err(name) => write!(f, ":{name}"),
        }
    }
}

/// Reads a comment, given with or without its first `#`.
///
/// Nothing for an ordinary comment; an error for one that looks like a marker and is none.
pub fn parse(comment: &str) -> Option<Result<Marker, String>> {
    let text = comment.trim_start_matches('#').trim();
    if !text.starts_with('{') {
        return (text.contains(TOKEN) && text.contains('{'))
            .then(|| Err("a marker must be the whole comment, nothing before or after it".to_owned()));
    }
    let parsed: Result<serde_json::Map<String, Value>, _> = serde_json::from_str(text);
    let map = match parsed {
        Ok(map) => map,
        Err(error) if text.contains(KEY) => {
            return Some(Err(match error.classify() {
                serde_json::error::Category::Syntax if error.to_string().starts_with("trailing characters") => {
                    "a marker must be the whole comment, nothing before or after it".to_owned()
                }
                _ => format!("the marker is not valid JSON (character {})", error.column()),
            }));
        }
        Err(_) => return None,
    };
    let value = map.get(KEY)?;
    if let Some((key, _)) = map.iter().find(|(_, value)| !value.is_string()) {
        return Some(Err(format!("the value of \"{key}\" must be a text")));
    }
    Some(address(value.as_str().unwrap_or_default()))
}

fn address(text: &str) -> Result<Marker, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (namespace, name, field) = match parts[..] {
        [namespace, name] => (namespace, name, Ok(Field::Full)),
        [namespace, name, field] => (namespace, name, Field::parse(field).ok_or_else(|| field.to_owned())),
        _ => return Err(format!("`{text}` is no address; write `namespace:name` or `namespace:name:field`")),
    };
    if name.is_empty() {
        return Err(format!("`{text}` names no policy; write `namespace:name` or `namespace:name:field`"));
    }
    Ok(Marker { policy: Address { namespace: namespace.to_owned(), name: name.to_owned() }, field })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(comment: &str) -> String {
        match parse(comment) {
            None => "none".to_owned(),
            Some(Ok(marker)) => marker.to_string(),
            Some(Err(reason)) => format!("error: {reason}"),
        }
    }

    #[test]
    fn markers_are_whole_comments() {
        for comment in [
            "# {\"$imagepolicy\": \"a:b:tag\"}",
            "#{\"$imagepolicy\":\"a:b:tag\"}",
            "##\t{ \"$imagepolicy\" : \"a:b:tag\" }  ",
            "{\"note\": \"x\", \"$imagepolicy\": \"a:b:tag\"}",
            "{\"$imagepolicy\": \"x:y\", \"$imagepolicy\": \"a:b:tag\"}",
            "{\"\\u0024imagepolicy\": \"a\\u003ab:tag\"}",
        ] {
            assert_eq!(shown(comment), "a:b:tag", "{comment}");
        }
        assert_eq!(shown("{\"$imagepolicy\": \":b\"}"), ":b");
        assert_eq!(shown("{\"$imagepolicy\": \"a:b:TAG\"}"), "a:b:TAG");
    }

    #[test]
    fn what_looks_like_a_marker_and_is_none_says_why() {
        for (comment, wanted) in [
            ("# image {\"$imagepolicy\": \"a:b\"}", "error: a marker must be the whole comment"),
            ("# {\"$imagepolicy\": \"a:b\"} keep", "error: a marker must be the whole comment"),
            ("### # {\"$imagepolicy\": \"a:b\"}", "error: a marker must be the whole comment"),
            ("# {'$imagepolicy': 'a:b'}", "error: the marker is not valid JSON"),
            ("# {\"$imagepolicy\": \"a:b\",}", "error: the marker is not valid JSON"),
            ("# {\"$imagepolicy\": 1}", "error: the value of \"$imagepolicy\" must be a text"),
            ("# {\"$imagepolicy\": \"a:b\", \"n\": 1}", "error: the value of \"n\" must be a text"),
            ("# {\"$imagepolicy\": \"a\"}", "error: `a` is no address"),
            ("# {\"$imagepolicy\": \"a:b:c:d\"}", "error: `a:b:c:d` is no address"),
            ("# {\"$imagepolicy\": \"a:\"}", "error: `a:` names no policy"),
        ] {
            assert!(shown(comment).starts_with(wanted), "{comment}: {}", shown(comment));
        }
        for comment in ["# plain", "# {}", "# [\"$imagepolicy\"]", "# {\"$openapi\": \"a:b\"}", "# {% if x %}"] {
            assert_eq!(shown(comment), "none", "{comment}");
        }
    }
}
