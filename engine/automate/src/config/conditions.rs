//! What a policy asks beyond the list of tags.

use std::time::Duration;

use windlass_model::image_automation::PolicyEntry;
use windlass_registry::Platform;

/// `minimumAge`, `platforms`, `downgrade`, `verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Least age of a candidate.
    pub minimum_age: Option<Duration>,
    /// What becomes of a candidate without known age.
    pub unknown_age: UnknownAge,
    /// All of these must be offered.
    pub platforms: Vec<Platform>,
    /// What becomes of a lower version than the file has.
    pub downgrade: Downgrade,
    /// Signatures are wanted.
    pub verify: bool,
}

/// `minimumAgeUnknown`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownAge {
    /// The candidate waits.
    #[default]
    Hold,
    /// It counts as old enough.
    Allow,
}

/// `downgrade`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Downgrade {
    /// Written.
    #[default]
    Allow,
    /// Written, with a warning.
    Warn,
    /// Not written.
    Deny,
}

/// A field and what is wrong with it.
pub(super) type Problem = (&'static str, Option<usize>, String);

impl Conditions {
    pub(super) fn read(entry: &PolicyEntry) -> Result<Self, Problem> {
        let minimum_age = entry.minimum_age.as_deref().map(parse_age).transpose();
        let minimum_age = minimum_age.map_err(|reason| ("minimumAge", None, reason))?;
        let unknown_age = match entry.minimum_age_unknown.as_deref() {
            None | Some("hold") => UnknownAge::Hold,
            Some("allow") => UnknownAge::Allow,
            Some(other) => return Err(choice("minimumAgeUnknown", other, "hold, allow")),
        };
        let downgrade = match entry.downgrade.as_deref() {
            None | Some("allow") => Downgrade::Allow,
            Some("warn") => Downgrade::Warn,
            Some("deny") => Downgrade::Deny,
            Some(other) => return Err(choice("downgrade", other, "allow, warn, deny")),
        };
        let platform = |(index, text): (usize, &String)| {
            text.parse::<Platform>().map_err(|error| ("platforms", Some(index), error.to_string()))
        };
        let platforms = entry.platforms.iter().enumerate().map(platform).collect::<Result<_, _>>()?;
        Ok(Self { minimum_age, unknown_age, platforms, downgrade, verify: !entry.verify.is_empty() })
    }
}

fn choice(field: &'static str, found: &str, wanted: &str) -> Problem {
    (field, None, format!("`{found}` is not possible here, use {wanted}"))
}

/// A Go duration that also knows days and weeks: `3d`, `1w`, `36h`, `1h30m`.
pub fn parse_age(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is no time; write a number with a unit, such as `3d`, `36h` or `1h30m`");
    let mut rest = text;
    let mut total = 0.0;
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(refused());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(refused)?;
        let number: f64 = rest[..digits].parse().map_err(|_| refused())?;
        let unit = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |end| digits + end);
        total += number
            * match &rest[digits..unit] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                "w" => 604_800.0,
                _ => return Err(refused()),
            };
        rest = &rest[unit..];
    }
    Duration::try_from_secs_f64(total).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<Conditions, String> {
        let entry: PolicyEntry = serde_json::from_value(value).unwrap();
        Conditions::read(&entry).map_err(|(field, index, reason)| format!("{field}{index:?}: {reason}"))
    }

    #[test]
    fn ages_have_days_and_weeks() {
        for (text, seconds) in [("3d", 259_200), ("1w", 604_800), ("1h30m", 5_400), ("1.5h", 5_400), ("0", 0)] {
            assert_eq!(parse_age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "3", "d", "3 d", "3y", "-1d", "1e3d", "1..2d", "99999999999999999999w"] {
            assert!(parse_age(text).unwrap_err().contains("is no time"), "{text}");
        }
    }

    #[test]
    fn conditions_are_read_strictly() {
        let all = json!({"minimumAge": "3d", "platforms": ["linux/arm64"], "downgrade": "deny", "minimumAgeUnknown": "allow"});
        let read_all = read(all).unwrap();
        assert_eq!((read_all.downgrade, read_all.unknown_age), (Downgrade::Deny, UnknownAge::Allow));
        for (entry, wanted) in [
            (json!({"minimumAge": "soon"}), "minimumAgeNone: `soon` is no time"),
            (json!({"downgrade": "never"}), "downgradeNone: `never` is not possible here"),
            (json!({"minimumAgeUnknown": "x"}), "minimumAgeUnknownNone: `x` is not possible here"),
            (json!({"platforms": ["linux/amd64", "arm"]}), "platformsSome(1): `arm` is not a platform"),
        ] {
            assert!(read(entry).unwrap_err().starts_with(wanted), "{wanted}");
        }
    }
}
