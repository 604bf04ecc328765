//! Timestamps of YAML 1.1, in the subset that Go's yaml accepts.

/// The RFC 3339 form of a timestamp, as Go's JSON encoder prints it.
pub(crate) fn to_rfc3339(text: &str) -> Option<String> {
    let mut rest = Cursor(text.as_bytes());
    let year = rest.exactly_four()?;
    rest.byte(b'-')?;
    let month = rest.one_or_two()?;
    rest.byte(b'-')?;
    let day = rest.one_or_two()?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = match rest.next()? {
        b'T' | b't' => true,
        b' ' => false,
        _ => return None,
    };
    let time = clock(&mut rest)?;
    let zone = if zoned { zone(&mut rest)? } else { "Z".to_owned() };
    rest.0.is_empty().then(|| format!("{date}T{time}{zone}"))
}

fn clock(rest: &mut Cursor<'_>) -> Option<String> {
    let hour = rest.one_or_two()?;
    rest.byte(b':')?;
    let minute = rest.one_or_two()?;
    rest.byte(b':')?;
    let second = rest.one_or_two()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut time = format!("{hour:02}:{minute:02}:{second:02}");
    let fraction = rest.fraction()?;
    if !fraction.is_empty() {
        time.push('.');
        time.push_str(fraction);
    }
    Some(time)
}

fn zone(rest: &mut Cursor<'_>) -> Option<String> {
    let sign = match rest.next()? {
        b'Z' => return Some("Z".to_owned()),
        b'+' => '+',
        b'-' => '-',
        _ => return None,
    };
    let hours = rest.exactly_two()?;
    rest.byte(b':')?;
    let minutes = rest.exactly_two()?;
    // Go reads up to 24 hours and 60 minutes, but refuses to write a day or more.
    let offset = hours * 60 + minutes;
    if minutes > 60 || offset >= 24 * 60 {
        return None;
    }
    if offset == 0 {
        return Some("Z".to_owned());
    }
    Some(format!("{sign}{:02}:{:02}", offset / 60, offset % 60))
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn digits(&self) -> usize {
        self.0.iter().take_while(|b| b.is_ascii_digit()).count()
    }

    fn take(&mut self, count: usize) -> u32 {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    }

    fn exactly_four(&mut self) -> Option<u32> {
        (self.digits() == 4).then(|| self.take(4))
    }

    fn exactly_two(&mut self) -> Option<u32> {
        (self.digits() >= 2).then(|| self.take(2))
    }

    fn one_or_two(&mut self) -> Option<u32> {
        match self.digits() {
            0 => None,
            1 => Some(self.take(1)),
            _ => Some(self.take(2)),
        }
    }

    /// Digits after a point, at most nanoseconds, without zeros at the end.
    fn fraction(&mut self) -> Option<&'a str> {
        let [b'.' | b',', rest @ ..] = self.0 else {
            return Some("");
        };
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        self.0 = &rest[count..];
        let digits = std::str::from_utf8(&rest[..count.min(9)]).ok()?;
        Some(digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::to_rfc3339;

    #[test]
    fn accepted_forms_become_rfc_3339() {
        for (text, wanted) in [
            ("2024-01-02", "2024-01-02T00:00:00Z"),
            ("2024-1-2", "2024-01-02T00:00:00Z"),
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
            ("2024-01-02t3:4:5Z", "2024-01-02T03:04:05Z"),
            ("2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
            ("2024-01-02 03:04:05.120", "2024-01-02T03:04:05.12Z"),
            ("2024-01-02T03:04:05.123456789123+02:00", "2024-01-02T03:04:05.123456789+02:00"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(to_rfc3339(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_timestamps() {
        for text in [
            "2024-13-01",
            "2024-02-30",
            "2023-02-29",
            "24-01-02",
            "2024-01-02T03:04:05",
            "2024-01-02 03:04:05Z",
            "2024-01-02 25:00:00",
            "2024-01-02T03:04Z",
            "2024-01-02x",
            "2024-",
            "2024-1-2-3",
            "2024-01-02 03:04:05.",
        ] {
            assert_eq!(to_rfc3339(text), None, "{text}");
        }
    }
}
