//! Unix times in tags. Spec 06 14.5.

use super::FilterError;

/// How a timestamp counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TimestampUnit {
    /// By the count of digits: 10, 13, 16 or 19.
    #[default]
    Auto,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl TimestampUnit {
    pub(super) fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(match text {
            "auto" => Self::Auto,
            "s" => Self::Seconds,
            "ms" => Self::Milliseconds,
            "us" => Self::Microseconds,
            "ns" => Self::Nanoseconds,
            _ => return Err(FilterError::WrongKind { name: "unit", wanted: "one of auto, s, ms, us, ns" }),
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
        }
    }

    /// The tag's time in nanoseconds: the whole tag, else its right-most digit run of a timestamp's length.
    pub(super) fn nanoseconds(self, tag: &str) -> Option<u128> {
        let whole = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_digit());
        let digits = if whole { tag } else { tag.rsplit(|c: char| !c.is_ascii_digit()).find(|run| of_length(run))? };
        let unit = if self == Self::Auto { Self::by_length(digits)? } else { self };
        digits.parse::<u128>().ok()?.checked_mul(unit.in_nanoseconds())
    }

    fn by_length(digits: &str) -> Option<Self> {
        match digits.len() {
            10 => Some(Self::Seconds),
            13 => Some(Self::Milliseconds),
            16 => Some(Self::Microseconds),
            19 => Some(Self::Nanoseconds),
            _ => None,
        }
    }

    fn in_nanoseconds(self) -> u128 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Auto | Self::Nanoseconds => 1,
        }
    }
}

fn of_length(digits: &str) -> bool {
    TimestampUnit::by_length(digits).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_normalised() {
        let seconds = |n: u128| Some(n * 1_000_000_000);
        for (unit, tag, wanted) in [
            ("auto", "1700000000", seconds(1_700_000_000)),
            ("auto", "1700000000000", seconds(1_700_000_000)),
            ("auto", "main-1a2b3c4-1700000000000000", seconds(1_700_000_000)),
            ("auto", "1700000000000000000", seconds(1_700_000_000)),
            ("auto", "1600000000-1700000000-rc2", seconds(1_700_000_000)),
            ("s", "5", seconds(5)),
            ("ms", "a-1700000000", Some(1_700_000_000_000_000)),
            ("ns", "0007", Some(7)),
        ] {
            assert_eq!(TimestampUnit::parse(unit).unwrap().nanoseconds(tag), wanted, "{unit} {tag}");
        }
    }

    #[test]
    fn tags_without_a_time_are_skipped() {
        for (unit, tag) in [
            ("auto", ""),
            ("auto", "latest"),
            ("auto", "20240101"),
            ("auto", "20240101123456789"),
            ("auto", "a-123456789"),
            ("s", "a-5"),
            ("s", "99999999999999999999999999999999999999"),
            ("ns", "999999999999999999999999999999999999999999"),
        ] {
            assert_eq!(TimestampUnit::parse(unit).unwrap().nanoseconds(tag), None, "{unit} {tag}");
        }
    }
}
