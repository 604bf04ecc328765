//! Platforms such as `linux/arm64/v8`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`.
    pub os: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// `v8`; absent covers every variant.
    #[serde(default)]
    pub variant: Option<String>,
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform; write `os/architecture` or `os/architecture/variant`, such as `linux/amd64`")]
pub struct PlatformError(pub String);

impl Platform {
    /// Whether another platform is this one.
    pub fn covers(&self, other: &Self) -> bool {
        let Self { os, architecture, variant } = self;
        *os == other.os && *architecture == other.architecture && (variant.is_none() || *variant == other.variant)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.os != "unknown" && self.architecture != "unknown"
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(PlatformError(text.to_owned())),
        };
        if parts.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Err(PlatformError(text.to_owned()));
        }
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn texts_come_back() {
        for text in ["linux/amd64", "linux/arm64/v8"] {
            assert_eq!(platform(text).to_string(), text);
        }
    }

    #[test]
    fn a_platform_without_variant_covers_all() {
        assert!(platform("linux/arm").covers(&platform("linux/arm/v7")));
        assert!(!platform("linux/arm/v7").covers(&platform("linux/arm/v6")));
        assert!(!platform("linux/arm/v7").covers(&platform("linux/arm")));
        assert!(!platform("linux/amd64").covers(&platform("windows/amd64")));
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in ["", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux/amd 64"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
