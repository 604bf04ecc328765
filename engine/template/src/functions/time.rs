//! The `time` mapping and its values.

use std::fmt;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use minijinja::value::{Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::callable;
use crate::binder::signature;
use crate::failure::{type_error, value_error};
use crate::methods::no_args;
use crate::value::new_dict;

/// `time`: functions and the number of microseconds in common spans.
pub(super) fn module() -> Value {
    let function =
        |function: fn(&[Value]) -> Result<Value, Error>| Value::from_function(callable(move |_, args| function(args)));
    let entries = [
        ("now", function(|args| no_args("now", args).map(|()| Time::local(Zoned::now().datetime())))),
        (
            "utcnow",
            function(|args| {
                no_args("utcnow", args).map(|()| Time::local(Timestamp::now().to_zoned(TimeZone::UTC).datetime()))
            }),
        ),
        ("parse_iso", function(parse_iso)),
        ("second", Value::from(1_000_000)),
        ("minute", Value::from(60_000_000)),
        ("hour", Value::from(3_600_000_000_i64)),
    ];
    Value::from_object(TimeModule {
        entries: new_dict(entries.into_iter().map(|(name, value)| (Value::from(name), value)).collect()),
    })
}

#[derive(Debug)]
struct TimeModule {
    entries: Value,
}

impl Object for TimeModule {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.entries.get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> minijinja::value::Enumerator {
        minijinja::value::Enumerator::Values(self.entries.try_iter().into_iter().flatten().collect())
    }
}

/// A point in time; without a zone it is whatever clock the text came from.
#[derive(Debug, Clone)]
pub(crate) struct Time {
    civil: DateTime,
    zone: Option<(TimeZone, i32)>,
}

impl Time {
    fn local(civil: DateTime) -> Value {
        Value::from_object(Self { civil, zone: None })
    }

    fn zoned(zoned: &Zoned) -> Value {
        let seconds = zoned.offset().seconds();
        Value::from_object(Self { civil: zoned.datetime(), zone: Some((zoned.time_zone().clone(), seconds)) })
    }

    /// The moment; a time without zone is taken as local.
    fn moment(&self) -> Result<Zoned, Error> {
        let zone = self.zone.as_ref().map_or_else(TimeZone::system, |(zone, _)| zone.clone());
        self.civil.to_zoned(zone).map_err(|error| value_error(error.to_string()))
    }

    fn iso(&self) -> String {
        let (date, time) = (self.civil.date(), self.civil.time());
        let mut text = format!("{date}T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        if self.microsecond() != 0 {
            text.push_str(&format!(".{:06}", self.microsecond()));
        }
        if let Some((_, offset)) = self.zone {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.unsigned_abs() / 60;
            text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        text
    }

    fn microsecond(&self) -> i32 {
        self.civil.subsec_nanosecond() / 1000
    }

    fn as_timezone(&self, name: &str) -> Result<Value, Error> {
        let zone = TimeZone::get(name).map_err(|_| value_error(format!("No time zone found with key {name}")))?;
        Ok(Self::zoned(&self.moment()?.with_time_zone(zone)))
    }

    /// `t + n` for operators.
    pub(crate) fn shifted(&self, microseconds: f64) -> Result<Value, Error> {
        #[expect(clippy::cast_possible_truncation, reason = "whole microseconds; jiff checks the range")]
        let span = SignedDuration::from_micros(microseconds as i64);
        let civil = self.civil.checked_add(span).map_err(|_| value_error("date value out of range"))?;
        Ok(Value::from_object(Self { civil, zone: self.zone.clone() }))
    }

    /// Ordering; times with and without zone cannot be compared.
    pub(crate) fn compare(&self, other: &Self) -> Result<std::cmp::Ordering, Error> {
        match (&self.zone, &other.zone) {
            (None, None) => Ok(self.civil.cmp(&other.civil)),
            (Some(_), Some(_)) => Ok(self.moment()?.cmp(&other.moment()?)),
            _ => Err(type_error("can't compare offset-naive and offset-aware datetimes")),
        }
    }

    fn number(&self, method: &str) -> Option<i64> {
        Some(match method {
            "year" => i64::from(self.civil.year()),
            "month" => i64::from(self.civil.month()),
            "day" => i64::from(self.civil.day()),
            "hour" => i64::from(self.civil.hour()),
            "minute" => i64::from(self.civil.minute()),
            "second" => i64::from(self.civil.second()),
            "microsecond" => i64::from(self.microsecond()),
            "nanosecond" => i64::from(self.microsecond()) * 1000,
            "weekday" => i64::from(self.civil.weekday().to_monday_zero_offset()),
            _ => return None,
        })
    }
}

fn parse_iso(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("parse_iso", &["text"], 1).bind(args)?;
    let value = slots[0].clone().unwrap_or_default();
    if value.is_undefined() {
        return Err(crate::value::undefined(&value));
    }
    let text = value.as_str().ok_or_else(|| type_error("fromisoformat: argument must be str"))?;
    let wrong = || value_error(format!("Invalid isoformat string: '{text}'"));
    let looks_iso = text.len() >= 10
        && text.as_bytes()[4] == b'-'
        && text.as_bytes().get(10).is_none_or(|c| matches!(c, b'T' | b' '));
    if !looks_iso {
        return Err(wrong());
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        let offset = offset_of(text).ok_or_else(wrong)?;
        return Ok(Time::zoned(&timestamp.to_zoned(TimeZone::fixed(offset))));
    }
    text.parse::<DateTime>().map(Time::local).map_err(|_| wrong())
}

/// The offset at the end of an ISO text.
fn offset_of(text: &str) -> Option<jiff::tz::Offset> {
    if text.ends_with(['Z', 'z']) {
        return Some(jiff::tz::Offset::UTC);
    }
    let at = text.rfind(['+', '-']).filter(|at| *at > 10)?;
    let mut digits = text[at + 1..].split(':');
    let (hours, minutes) = match (digits.next()?, digits.next()) {
        (hours, Some(minutes)) => (hours, minutes),
        (both, None) if both.len() == 4 => both.split_at(2),
        (hours, None) => (hours, "0"),
    };
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    jiff::tz::Offset::from_seconds(if text[at..].starts_with('-') { -seconds } else { seconds }).ok()
}

impl Object for Time {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("t")).then(|| Value::from_object(Moment { time: (**self).clone() }))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "as_timezone" => {
                let (name,): (&str,) = from_args(args)?;
                self.as_timezone(name)
            }
            "weekday" | "hour" | "minute" | "second" | "nanosecond" => {
                no_args(method, args)?;
                self.number(method).map(Value::from).ok_or_else(|| ErrorKind::UnknownMethod.into())
            }
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &minijinja::value::DynObject) -> Option<std::cmp::Ordering> {
        let other = other.downcast_ref::<Self>()?;
        self.compare(other).ok()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

/// `.t`: the value as Python's datetime.
#[derive(Debug)]
struct Moment {
    time: Time,
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str().filter(|name| !matches!(*name, "weekday" | "nanosecond"))?;
        self.time.number(name).map(Value::from)
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "isoformat" => no_args(method, args).map(|()| Value::from(self.time.iso())),
            "date" => no_args(method, args).map(|()| Value::from(self.time.civil.date().to_string())),
            "weekday" => no_args(method, args).map(|()| Value::from(self.time.number(method))),
            "timestamp" => {
                no_args(method, args)?;
                #[expect(clippy::cast_precision_loss, reason = "as Python does")]
                let seconds = self.time.moment()?.timestamp().as_microsecond() as f64 / 1e6;
                Ok(Value::from(seconds))
            }
            "strftime" => {
                let (format,): (&str,) = from_args(args)?;
                let text = jiff::fmt::strtime::format(format, &self.time.moment()?);
                text.map(Value::from).map_err(|error| value_error(error.to_string()))
            }
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.time.iso().replacen('T', " ", 1))
    }
}
