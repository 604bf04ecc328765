//! Checks and reads the text of a flag's value. The rules and the error texts are Go's, because scripts know them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::flag::Kind;

/// A checked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text and list elements.
    Text(String),
    /// Switch.
    Bool(bool),
    /// Number.
    Int(i64),
    /// Duration, never negative.
    Duration(Duration),
    /// Path with `~/` expanded; `-` stands for stdin where the flag allows it.
    Path(PathBuf),
}

/// Reads `text` as `kind`; the error is the reason only.
pub(crate) fn read(kind: Kind, text: &str, home: Option<&Path>) -> Result<Value, String> {
    Ok(match kind {
        Kind::Text | Kind::List => Value::Text(text.to_owned()),
        Kind::Switch => Value::Bool(read_bool(text)?),
        Kind::Int => Value::Int(read_int(text)?),
        Kind::Duration => Value::Duration(read_duration(text)?),
        Kind::ExistingFile => Value::Path(existing(text, home, PathKind::File)?),
        Kind::ExistingDir => Value::Path(existing(text, home, PathKind::Dir)?),
    })
}

fn read_bool(text: &str) -> Result<bool, String> {
    windlass_model::object::parse_go_bool(text)
        .ok_or_else(|| format!("strconv.ParseBool: parsing {text:?}: invalid syntax"))
}

fn read_int(text: &str) -> Result<i64, String> {
    let problem = |reason: &str| format!("strconv.ParseInt: parsing {text:?}: {reason}");
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (radix, digits) = base_of(digits);
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    let malformed = plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) || digits.starts_with('_');
    if malformed || (radix == 10 && plain.len() != digits.len()) {
        return Err(problem("invalid syntax"));
    }
    let magnitude = i128::from_str_radix(&plain, radix).map_err(|_| problem("value out of range"))?;
    let signed = if negative { -magnitude } else { magnitude };
    i64::try_from(signed).map_err(|_| problem("value out of range"))
}

fn base_of(digits: &str) -> (u32, &str) {
    let lower = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    match lower.as_str() {
        "0x" => (16, &digits[2..]),
        "0b" => (2, &digits[2..]),
        "0o" => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// `<decimal><unit>` repeated; `0` needs no unit.
pub(crate) fn read_duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos = 0f64;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        if number.is_empty() || number == "." || number.matches('.').count() > 1 {
            return Err(invalid());
        }
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let scale = nanos_of(unit).ok_or_else(|| format!("time: unknown unit {unit:?} in duration {text:?}"))?;
        nanos += number.parse::<f64>().map_err(|_| invalid())? * scale;
        rest = tail;
    }
    if nanos > i64::MAX as f64 {
        return Err(invalid());
    }
    if negative && nanos > 0.0 {
        return Err(format!("time: negative duration {text:?}"));
    }
    Ok(Duration::from_nanos(nanos as u64))
}

fn nanos_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}

/// `10m0s`: the form in which durations are shown.
pub(crate) fn show_duration(duration: Duration) -> String {
    let total = duration.as_secs();
    let (hours, minutes) = (total / 3600, total / 60 % 60);
    let seconds = (duration - Duration::from_secs(hours * 3600 + minutes * 60)).as_secs_f64();
    match (hours, minutes) {
        (0, 0) if total == 0 && !duration.is_zero() => format!("{}ms", duration.as_secs_f64() * 1e3),
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PathKind {
    File,
    Dir,
}

fn existing(text: &str, home: Option<&Path>, kind: PathKind) -> Result<PathBuf, String> {
    if text == "-" && kind == PathKind::File {
        return Ok(PathBuf::from(text));
    }
    let path = expand_home(text, home);
    let shown = path.display();
    match (std::fs::metadata(&path), kind) {
        (Err(_), _) => Err(format!("{shown} does not exist")),
        (Ok(meta), PathKind::File) if meta.is_dir() => Err(format!("{shown} exists but is a directory")),
        (Ok(meta), PathKind::Dir) if !meta.is_dir() => Err(format!("{shown} exists but is not a directory")),
        _ => Ok(path),
    }
}

/// A leading `~/` becomes the home directory; `~user` stays.
pub(crate) fn expand_home(text: &str, home: Option<&Path>) -> PathBuf {
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_go() {
        assert_eq!(read_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(read_duration("2.5s"), Ok(Duration::from_millis(2500)));
        assert_eq!(read_duration("0"), Ok(Duration::ZERO));
        assert_eq!(read_duration("+10us"), Ok(Duration::from_micros(10)));
    }

    #[test]
    fn bad_durations_say_what_is_wrong() {
        let cases = [
            ("30", "time: missing unit in duration \"30\""),
            ("1m30", "time: missing unit in duration \"1m30\""),
            ("", "time: invalid duration \"\""),
            ("s", "time: invalid duration \"s\""),
            (".s", "time: invalid duration \".s\""),
            ("1.2.3s", "time: invalid duration \"1.2.3s\""),
            ("3d", "time: unknown unit \"d\" in duration \"3d\""),
            ("-1s", "time: negative duration \"-1s\""),
            ("9999999999h", "time: invalid duration \"9999999999h\""),
        ];
        for (text, reason) in cases {
            assert_eq!(read_duration(text), Err(reason.to_owned()));
        }
    }

    #[test]
    fn numbers_take_their_base_from_the_prefix() {
        for (text, value) in [("5", 5), ("0x1F", 31), ("017", 15), ("0o17", 15), ("0b101", 5), ("-3", -3), ("0", 0)] {
            assert_eq!(read_int(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn bad_numbers_are_refused() {
        for text in ["", "x", "1.5", "0x", "08", "1_000", " 1", "1e3", "--1"] {
            assert_eq!(read_int(text), Err(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")));
        }
        let large = "9223372036854775808";
        assert_eq!(read_int(large), Err(format!("strconv.ParseInt: parsing {large:?}: value out of range")));
    }

    #[test]
    fn only_go_booleans_are_accepted() {
        assert_eq!((read_bool("T"), read_bool("False")), (Ok(true), Ok(false)));
        for text in ["", "yes", "tRUE", "on", "2"] {
            assert_eq!(read_bool(text), Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")));
        }
    }

    #[test]
    fn paths_are_checked_after_home_expansion() {
        let home = tempfile::tempdir().expect("temp dir");
        std::fs::write(home.path().join("a.yaml"), "").expect("write");
        let file = read(Kind::ExistingFile, "~/a.yaml", Some(home.path()));
        assert_eq!(file, Ok(Value::Path(home.path().join("a.yaml"))));
        let shown = home.path().join("a.yaml").display().to_string();
        assert_eq!(
            read(Kind::ExistingDir, "~/a.yaml", Some(home.path())),
            Err(format!("{shown} exists but is not a directory"))
        );
        let home_shown = home.path().display().to_string();
        assert_eq!(read(Kind::ExistingFile, &home_shown, None), Err(format!("{home_shown} exists but is a directory")));
        assert_eq!(read(Kind::ExistingDir, "~other/x", Some(home.path())), Err("~other/x does not exist".into()));
    }

    #[test]
    fn durations_are_shown_as_go_does() {
        assert_eq!(show_duration(Duration::from_secs(600)), "10m0s");
        assert_eq!(show_duration(Duration::from_secs(5)), "5s");
        assert_eq!(show_duration(Duration::from_millis(1)), "1ms");
        assert_eq!(show_duration(Duration::from_secs(5400)), "1h30m0s");
    }
}
