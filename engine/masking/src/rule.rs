//! Which values are masked, and where.
//!
//! | Value (without blanks around it) | Masked |
//! |---|---|
//! | below 4 characters | never |
//! | number below 6 digits | never |
//! | an everyday word, in any case | never |
//! | below 8 characters | as a whole word: no letter, digit or `_` beside it |
//! | 8 characters and more | everywhere |
//! | more than 8 KiB | in pieces of 1 KiB, so that finding stays cheap |
//! | several lines | as a whole, and every line by itself: of a line `key: value` or `key = value` the value; of other lines only those of 16 characters and more; never the border lines of PEM |

/// Where a value is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere in a text.
    Everywhere,
    /// Only where it is not a part of a longer word.
    Words,
}

const SHORTEST: usize = 4;
const SHORTEST_INSIDE_WORDS: usize = 8;
const SHORTEST_LINE: usize = 16;
const LONGEST: usize = 8 << 10;
const PIECE: usize = 1 << 10;

/// Values that hide nothing and are in every output.
const EVERYDAY: [&str; 64] = [
    "true",
    "false",
    "null",
    "none",
    "default",
    "enabled",
    "disabled",
    "admin",
    "administrator",
    "root",
    "user",
    "username",
    "guest",
    "password",
    "secret",
    "token",
    "test",
    "testing",
    "demo",
    "local",
    "localhost",
    "prod",
    "production",
    "stage",
    "staging",
    "develop",
    "development",
    "main",
    "master",
    "latest",
    "stable",
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "trace",
    "http",
    "https",
    "grpc",
    "amqp",
    "redis",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "kafka",
    "rabbitmq",
    "database",
    "service",
    "server",
    "client",
    "config",
    "require",
    "verify-full",
    "disable",
    "allow",
    "prefer",
    "public",
    "private",
    "0.0.0.0",
    "127.0.0.1",
    "kubernetes",
];

/// Whether a value is more likely a name than a secret: below 8 characters, or below 24 lower-case letters with `-`,
/// `_`, `.`, `:`, `/`, `@` and at most two digits.
pub fn is_name(value: &str) -> bool {
    let length = value.chars().count();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.:/@".contains(c);
    length < SHORTEST_INSIDE_WORDS || (length < 24 && digits < 3 && value.chars().all(plain))
}

/// The parts of a value that are masked; none when it is of the kind that stays.
pub fn parts(value: &str) -> Vec<&str> {
    let value = value.trim();
    if !value.contains('\n') {
        return if is_masked(value) { pieces(value) } else { Vec::new() };
    }
    let lines = value.lines().filter_map(part_of_line).flat_map(pieces);
    let whole = (value.len() <= LONGEST).then_some(value);
    whole.into_iter().chain(lines).collect()
}

/// The value, or its pieces when it is very long.
fn pieces(value: &str) -> Vec<&str> {
    if value.len() <= LONGEST {
        return vec![value];
    }
    let mut rest = value;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let end = (PIECE.min(rest.len())..=rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        if is_masked(piece) {
            pieces.push(piece);
        }
        rest = tail;
    }
    pieces
}

/// Where a part is masked.
pub fn reach(part: &str) -> Reach {
    if part.chars().count() < SHORTEST_INSIDE_WORDS { Reach::Words } else { Reach::Everywhere }
}

fn is_masked(value: &str) -> bool {
    let length = value.chars().count();
    let short_number = length < 6 && value.chars().all(|c| c.is_ascii_digit());
    length >= SHORTEST && !short_number && !EVERYDAY.contains(&value.to_lowercase().as_str())
}

fn part_of_line(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with("-----") {
        return None;
    }
    let is_name = |text: &str| {
        let text = text.trim_start_matches("- ").trim();
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.\"'".contains(c))
    };
    for separator in [": ", "="] {
        if let Some((name, value)) = line.split_once(separator)
            && is_name(name)
        {
            let value = value.trim().trim_matches(['"', '\'', ',']);
            return (value.chars().count() >= SHORTEST_INSIDE_WORDS && is_masked(value)).then_some(value);
        }
    }
    (line.chars().count() >= SHORTEST_LINE).then_some(line)
}

/// Whether nothing around a place continues it as a word.
pub(crate) fn is_word(text: &str, place: &std::ops::Range<usize>) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_';
    !text[..place.start].ends_with(goes_on) && !text[place.end..].starts_with(goes_on)
}
