//! Calendar versions, such as `YYYY.0M.0D[.MICRO]`. Spec 06 14.5.
//!
//! A tag must have the format entirely and name a date that exists. Tags are
//! ordered by date, whatever the order of its parts in the text; number fields
//! count before or after the date as they are written.

use std::cmp::Ordering;
use std::fmt::Write;

use regex::{Captures, Regex};

use super::FilterError;
use crate::loose_version::compare_integers;

/// A parsed format.
#[derive(Debug, Clone)]
pub struct CalverFormat {
    text: String,
    regex: Regex,
    /// In the order of the regex's groups.
    fields: Vec<Field>,
    /// Indexes of `fields`, the most significant first.
    significance: Vec<usize>,
}

/// The fields of one tag, the most significant first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CalendarVersion<'a>(Vec<Option<&'a str>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    name: &'static str,
    part: Part,
    pattern: &'static str,
    /// Always of the same length, so that another field can follow at once.
    fixed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Year,
    Month,
    Week,
    Day,
    Number,
}

const MAX_BYTES: usize = 128;

const FIELDS: &[Field] = &[
    Field { name: "YYYY", part: Part::Year, pattern: "[0-9]{4}", fixed: true },
    Field { name: "YY", part: Part::Year, pattern: "0|[1-9][0-9]{0,2}", fixed: false },
    Field { name: "0Y", part: Part::Year, pattern: "[1-9][0-9]{2}|[0-9]{2}", fixed: false },
    Field { name: "MM", part: Part::Month, pattern: "1[0-2]|[1-9]", fixed: false },
    Field { name: "0M", part: Part::Month, pattern: "0[1-9]|1[0-2]", fixed: true },
    Field { name: "WW", part: Part::Week, pattern: "5[0-3]|[1-4][0-9]|[1-9]", fixed: false },
    Field { name: "0W", part: Part::Week, pattern: "0[1-9]|[1-4][0-9]|5[0-3]", fixed: true },
    Field { name: "DD", part: Part::Day, pattern: "3[01]|[12][0-9]|[1-9]", fixed: false },
    Field { name: "0D", part: Part::Day, pattern: "0[1-9]|[12][0-9]|3[01]", fixed: true },
    Field { name: "MAJOR", part: Part::Number, pattern: "[0-9]+", fixed: false },
    Field { name: "MINOR", part: Part::Number, pattern: "[0-9]+", fixed: false },
    Field { name: "MICRO", part: Part::Number, pattern: "[0-9]+", fixed: false },
];

impl CalverFormat {
    /// Parses a format; capital letters must belong to a field.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let refused = |reason| FilterError::Calver { format: text.to_owned(), reason };
        if text.len() > MAX_BYTES {
            return Err(refused(format!("it has more than {MAX_BYTES} bytes")));
        }
        let mut builder = Builder::default();
        builder.read(text).and_then(|()| builder.check()).map_err(refused)?;
        let regex = Regex::new(&format!(r"\A(?:{})\z", builder.pattern)).map_err(|e| refused(e.to_string()))?;
        let significance = significance(&builder.fields);
        Ok(Self { text: text.to_owned(), regex, fields: builder.fields, significance })
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn version<'a>(&self, tag: &'a str) -> Option<CalendarVersion<'a>> {
        let groups = self.regex.captures(tag)?;
        if !self.is_date(&groups) {
            return None;
        }
        let text = |index: &usize| groups.get(index + 1).map(|group| group.as_str());
        Some(CalendarVersion(self.significance.iter().map(text).collect()))
    }

    fn is_date(&self, groups: &Captures<'_>) -> bool {
        let value = |part| {
            let index = self.fields.iter().position(|field| field.part == part)?;
            groups.get(index + 1)?.as_str().parse::<u32>().ok()
        };
        let (Some(month), Some(day)) = (value(Part::Month), value(Part::Day)) else {
            return true;
        };
        // Short years count from 2000, which is a leap year as 0 is.
        day <= days_of(month, value(Part::Year).unwrap_or_default())
    }
}

impl PartialEq for CalverFormat {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CalverFormat {}

impl CalendarVersion<'_> {
    /// A field that was left out is smaller than any.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let fields = self.0.iter().zip(&other.0).map(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => compare_integers(a, b),
            _ => a.is_some().cmp(&b.is_some()),
        });
        fields.fold(Ordering::Equal, Ordering::then)
    }
}

fn days_of(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The date as one, at the place of its first field.
fn significance(fields: &[Field]) -> Vec<usize> {
    let date = fields.iter().position(|field| field.part != Part::Number).unwrap_or_default();
    let mut indexes: Vec<usize> = (0..fields.len()).collect();
    indexes.sort_by_key(|index| match fields[*index].part {
        Part::Number => (*index, Part::Number),
        part => (date, part),
    });
    indexes
}

#[derive(Default)]
struct Builder {
    pattern: String,
    fields: Vec<Field>,
    open: usize,
    /// A field of varying length that nothing separates from what follows.
    unseparated: Option<&'static str>,
}

impl Builder {
    fn read(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(field) = FIELDS.iter().find(|field| rest.starts_with(field.name)) {
                self.field(*field)?;
                rest = &rest[field.name.len()..];
                continue;
            }
            self.other(c, rest)?;
            rest = &rest[c.len_utf8()..];
        }
        Ok(())
    }

    fn field(&mut self, field: Field) -> Result<(), String> {
        let same = |other: &&Field| other.name == field.name || other.part == field.part && field.part != Part::Number;
        if let Some(other) = self.fields.iter().find(same) {
            return Err(format!("{} comes after {}", field.name, other.name));
        }
        if let Some(before) = self.unseparated {
            return Err(format!("{before} varies in length, so {} can't follow at once", field.name));
        }
        self.unseparated = (!field.fixed).then_some(field.name);
        self.fields.push(field);
        // Writing to a string never fails.
        let _ = write!(self.pattern, "({})", field.pattern);
        Ok(())
    }

    fn other(&mut self, c: char, rest: &str) -> Result<(), String> {
        match c {
            '[' => {
                self.open += 1;
                self.pattern.push_str("(?:");
            }
            ']' => {
                self.open = self.open.checked_sub(1).ok_or("] without [")?;
                self.pattern.push_str(")?");
            }
            'A'..='Z' => {
                let word = rest.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(rest.len());
                return Err(format!("unknown field {}", &rest[..word]));
            }
            _ => {
                self.unseparated = None;
                self.pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let has = |part| self.fields.iter().any(|field| field.part == part);
        if self.open > 0 {
            return Err("[ without ]".into());
        }
        if !has(Part::Year) {
            return Err("it has no year".into());
        }
        if has(Part::Day) && !has(Part::Month) {
            return Err("it has a day but no month".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(format: &str, tag: &str) -> bool {
        CalverFormat::parse(format).unwrap().version(tag).is_some()
    }

    #[test]
    fn tags_have_the_whole_format() {
        for (format, tag) in [
            ("YYYY.0M.0D[.MICRO]", "2024.02.29"),
            ("YYYY.0M.0D[.MICRO]", "2024.01.05.17"),
            ("YYYY0M0D", "20240105"),
            ("YY.MM.DD", "24.2.29"),
            ("YY.MM", "124.10"),
            ("0Y.0M", "04.10"),
            ("vYYYY-WW", "v2024-53"),
            ("YYYY.0W", "2024.01"),
            ("MAJOR.YYYY[.MINOR[.MICRO]]", "3.2024.1"),
            ("0D.0M.YYYY", "29.02.2000"),
        ] {
            assert!(takes(format, tag), "{format} {tag}");
        }
    }

    #[test]
    fn other_tags_and_impossible_dates_are_skipped() {
        for (format, tag) in [
            ("YYYY.0M.0D", ""),
            ("YYYY.0M.0D", "latest"),
            ("YYYY.0M.0D", "v2024.01.05"),
            ("YYYY.0M.0D", "2024.01.05-rc1"),
            ("YYYY.0M.0D", "2024.1.05"),
            ("YYYY.0M.0D", "2024x01x05"),
            ("YYYY.0M.0D", "2023.02.29"),
            ("YYYY.0M.0D", "1900.02.29"),
            ("YYYY.0M.0D", "2024.04.31"),
            ("YYYY.0M.0D", "2024.13.01"),
            ("YYYY.0M.0D", "2024.00.10"),
            ("YYYY.MM.DD", "2024.01.5"),
            ("YY.MM", "024.1"),
            ("YYYY.WW", "2024.54"),
            ("YYYY.0M[.MICRO]", "2024.01."),
        ] {
            assert!(!takes(format, tag), "{format} {tag}");
        }
    }

    #[test]
    fn the_date_is_ordered_as_one() {
        for (format, ascending) in [
            ("0D.0M.YYYY", ["31.12.2023", "30.01.2024", "01.02.2024"]),
            ("YYYY.MM[.MICRO]", ["2024.9", "2024.9.0", "2024.10"]),
            ("MAJOR.0M.YY", ["1.01.25", "2.12.23", "2.01.24"]),
            ("YYYY.MICRO", ["2023.99999999999999999999999", "2024.9", "2024.10"]),
        ] {
            let format = CalverFormat::parse(format).unwrap();
            let versions = ascending.map(|tag| format.version(tag).unwrap());
            assert_eq!(versions[0].compare(&versions[1]), Ordering::Less, "{ascending:?}");
            assert_eq!(versions[1].compare(&versions[2]), Ordering::Less, "{ascending:?}");
        }
    }

    #[test]
    fn bad_formats_say_why() {
        for (format, wanted) in [
            ("", "it has no year"),
            ("MAJOR.MINOR", "it has no year"),
            ("YYYY.0D", "it has a day but no month"),
            ("YYYY.YY", "YY comes after YYYY"),
            ("YYYY.MICRO.MICRO", "MICRO comes after MICRO"),
            ("YYYYMMDD", "MM varies in length, so DD can't follow at once"),
            ("YYYY.MM[DD]", "MM varies in length, so DD can't follow at once"),
            ("YYYY.0M[.MICRO", "[ without ]"),
            ("YYYY.0M].MICRO", "] without ["),
            ("RELEASE.YYYY", "unknown field RELEASE"),
            ("YYYY.Q", "unknown field Q"),
        ] {
            let error = CalverFormat::parse(format).unwrap_err().to_string();
            assert_eq!(error, format!("invalid calver format `{format}`: {wanted}"));
        }
        let long = format!("YYYY{}", "-".repeat(125));
        assert!(CalverFormat::parse(&long).unwrap_err().to_string().ends_with("it has more than 128 bytes"));
    }
}
