//! A serde deserializer over values with Go's conversions.

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde_json::{Map, Number, Value, map};

use super::failure::Failure;
use crate::emit::format_float;

#[derive(Clone, Copy)]
pub(super) struct Coerced<'de>(pub(super) &'de Value);

impl<'de> IntoDeserializer<'de, Failure> for Coerced<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Coerced<'de> {
    fn string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_borrowed_str(""),
            Value::Bool(true) => visitor.visit_borrowed_str("true"),
            Value::Bool(false) => visitor.visit_borrowed_str("false"),
            Value::Number(number) => visitor.visit_string(number_text(number)),
            Value::String(_) | Value::Array(_) | Value::Object(_) => self.deserialize_any(visitor),
        }
    }

    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_u64(0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let items = match self.0 {
            Value::Null => &[][..],
            Value::Array(items) => items,
            _ => return self.deserialize_any(visitor),
        };
        let mut access = SeqDeserializer::new(items.iter().map(Coerced));
        let value = visitor.visit_seq(&mut access)?;
        access.end()?;
        Ok(value)
    }
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => format_float(value),
        _ => number.to_string(),
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.integer(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Coerced<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(_) => self.list(visitor),
            Value::Object(map) => visitor.visit_map(Entries::new(map, &[])),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, Some(value)) => visitor.visit_f64(value),
                _ => Err(Failure::custom("number does not fit 64 bits")),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_bool(false),
            _ => self.deserialize_any(visitor),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.list(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_map(Entries::empty()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_map(Entries::empty()),
            Value::Object(map) => visitor.visit_map(Entries::new(map, fields)),
            // serde would fill the fields in order.
            Value::Array(_) => Err(Failure::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(BorrowedStrDeserializer::<Failure>::new(variant)),
            Value::Object(map) => visitor.visit_enum(MapAccessDeserializer::new(Entries::new(map, &[]))),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }
}

/// Entries of a mapping. With known `fields`, names match in any case when
/// the exact one is absent, and a known field that is null counts as absent.
struct Entries<'de> {
    entries: Option<map::Iter<'de>>,
    map: Option<&'de Map<String, Value>>,
    fields: &'static [&'static str],
    value: Option<&'de Value>,
}

impl<'de> Entries<'de> {
    fn new(map: &'de Map<String, Value>, fields: &'static [&'static str]) -> Self {
        Self { entries: Some(map.iter()), map: Some(map), fields, value: None }
    }

    fn empty() -> Self {
        Self { entries: None, map: None, fields: &[], value: None }
    }

    /// The name under which the type knows `key`; nothing when it does not.
    fn known(&self, key: &'de str) -> Option<&'de str> {
        if self.fields.contains(&key) {
            return Some(key);
        }
        let field = self.fields.iter().find(|field| field.eq_ignore_ascii_case(key))?;
        let taken = self.map.is_some_and(|map| map.contains_key(*field));
        (!taken).then_some(*field)
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        loop {
            let Some((key, value)) = self.entries.as_mut().and_then(Iterator::next) else {
                return Ok(None);
            };
            let known = self.known(key);
            if known.is_some() && value.is_null() {
                continue;
            }
            self.value = Some(value);
            let name: StrDeserializer<'_, Failure> = known.unwrap_or(key).into_deserializer();
            return seed.deserialize(name).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        match self.value.take() {
            Some(value) => seed.deserialize(Coerced(value)),
            None => Err(Failure::custom("value asked for before its key")),
        }
    }
}
