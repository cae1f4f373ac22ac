//! JSON as gateways send it: read once, borrowed from the body, with duplicate keys kept so that they can be refused.

use std::borrow::Cow;
use std::fmt;

use afluente_model::money::Scale;
use afluente_model::{Amount, Currency, ProviderId, Timestamp};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Malformed;

mod decimal;
mod surrogate;

/// One JSON value. Numbers that are no 63-bit integers are only remembered as such: nothing of ours may use them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Int(i64),
    OtherNumber,
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// An object with its entries as they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// The text of a body. Half a surrogate pair, which the grammar of JSON allows and no text can hold, becomes U+FFFD.
pub(crate) fn text(body: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|error| not_text(&body[..error.valid_up_to()]))?;
    Ok(surrogate::mended(text))
}

/// The same text with every number that is no plain integer as a text, for gateways that write decimals.
pub(crate) fn with_decimals(text: &str) -> Cow<'_, str> {
    decimal::quoted(text)
}

/// Reads a text that may be any JSON.
pub(crate) fn value(text: &str) -> Result<Json<'_>, Malformed> {
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

/// Reads a text that must be one JSON object.
pub(crate) fn object(text: &str) -> Result<Object<'_>, Malformed> {
    match value(text)? {
        Json::Object(object) => Ok(object),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::Text(_) | Json::List(_) => {
            Err(Malformed::Shape { field: ".", expected: "an object" })
        }
    }
}

/// Where the text ends: right behind what could be read.
fn not_text(read: &[u8]) -> Malformed {
    let mut lines = read.rsplit(|byte| *byte == b'\n');
    let column = lines.next().map_or(0, <[u8]>::len) + 1;
    Malformed::NotJson { category: "encoding", line: lines.count() + 1, column }
}

fn not_json(error: &serde_json::Error) -> Malformed {
    let depth = error.to_string().starts_with("recursion limit");
    let category = if depth {
        "depth"
    } else if error.is_eof() {
        "truncated"
    } else {
        "syntax"
    };
    Malformed::NotJson { category, line: error.line(), column: error.column() }
}

impl<'a> Object<'a> {
    /// The value of a key that decides something; an error if the key stands there twice. Null counts as absent.
    pub(crate) fn get(&self, key: &'static str) -> Result<Option<&Json<'a>>, Malformed> {
        let mut found = self.0.iter().filter(|(name, _)| name == key);
        let first = found.next();
        if found.next().is_some() {
            return Err(Malformed::DuplicateKey { field: key });
        }
        Ok(first.map(|(_, value)| value).filter(|value| **value != Json::Null))
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<Option<&str>, Malformed> {
        match self.get(key)? {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Malformed::Shape { field: key, expected: "a text" }),
        }
    }

    pub(crate) fn bool(&self, key: &'static str) -> Result<Option<bool>, Malformed> {
        match self.get(key)? {
            None => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(Malformed::Shape { field: key, expected: "true or false" }),
        }
    }

    pub(crate) fn amount(&self, key: &'static str) -> Result<Option<Amount>, Malformed> {
        match self.get(key)? {
            None => Ok(None),
            Some(Json::Int(minor)) => Amount::new(*minor).map(Some).map_err(|_| Malformed::Amount { field: key }),
            Some(_) => Err(Malformed::Amount { field: key }),
        }
    }

    /// An amount in units of a currency: a whole number, or a decimal as a text.
    pub(crate) fn decimal(&self, key: &'static str, scale: Scale) -> Result<Option<Amount>, Malformed> {
        let amount = match self.get(key)? {
            None => return Ok(None),
            Some(Json::Int(units)) => scale.parse(&units.to_string()),
            Some(Json::Text(text)) => scale.parse(text),
            Some(_) => return Err(Malformed::Amount { field: key }),
        };
        amount.map(Some).map_err(|_| Malformed::Amount { field: key })
    }

    /// An id that is a number here and a text there.
    pub(crate) fn number_or_id(&self, key: &'static str) -> Result<Option<ProviderId>, Malformed> {
        match self.get(key)? {
            Some(Json::Int(number)) if *number >= 0 => {
                ProviderId::parse(&number.to_string()).map(Some).map_err(|_| Malformed::Id { field: key })
            }
            _ => self.id(key),
        }
    }

    /// A text that is a number here and there.
    pub(crate) fn text_or_number(&self, key: &'static str) -> Result<Option<String>, Malformed> {
        match self.get(key)? {
            Some(Json::Int(number)) => Ok(Some(number.to_string())),
            _ => Ok(self.text(key)?.map(str::to_owned)),
        }
    }

    /// A moment as text with an offset.
    pub(crate) fn rfc3339(&self, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
        let text = self.text(key)?;
        text.map(Timestamp::parse_rfc3339).transpose().map_err(|_| Malformed::Time { field: key })
    }

    /// A moment as text, in UTC where it names no zone.
    pub(crate) fn moment(&self, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let parsed = Timestamp::parse_rfc3339(text).or_else(|_| Timestamp::parse_rfc3339(&format!("{text}Z")));
        parsed.map(Some).map_err(|_| Malformed::Time { field: key })
    }

    /// An amount in minor units that is a number here and a text there.
    pub(crate) fn amount_or_text(&self, key: &'static str) -> Result<Option<Amount>, Malformed> {
        match self.get(key)? {
            Some(Json::Text(text)) if text.is_empty() => Ok(None),
            Some(Json::Text(text)) => {
                let minor = text.parse().ok().and_then(|minor| Amount::new(minor).ok());
                minor.map(Some).ok_or(Malformed::Amount { field: key })
            }
            _ => self.amount(key),
        }
    }

    /// A moment as whole seconds since 1970.
    pub(crate) fn seconds(&self, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
        match self.get(key)? {
            None => Ok(None),
            Some(Json::Int(seconds)) => {
                Timestamp::from_seconds(*seconds).map(Some).map_err(|_| Malformed::Time { field: key })
            }
            Some(_) => Err(Malformed::Time { field: key }),
        }
    }

    pub(crate) fn currency(&self, key: &'static str) -> Result<Option<Currency>, Malformed> {
        let code = self.text(key)?;
        code.map(Currency::parse).transpose().map_err(|_| Malformed::Shape { field: key, expected: "a currency code" })
    }

    pub(crate) fn object(&self, key: &'static str) -> Result<Option<&Object<'a>>, Malformed> {
        match self.get(key)? {
            None => Ok(None),
            Some(Json::Object(object)) => Ok(Some(object)),
            Some(_) => Err(Malformed::Shape { field: key, expected: "an object" }),
        }
    }

    pub(crate) fn list(&self, key: &'static str) -> Result<Option<&[Json<'a>]>, Malformed> {
        match self.get(key)? {
            None => Ok(None),
            Some(Json::List(list)) => Ok(Some(list)),
            Some(_) => Err(Malformed::Shape { field: key, expected: "a list" }),
        }
    }

    /// An id: text, or the `id` of an expanded object. Empty text counts as absent.
    pub(crate) fn id(&self, key: &'static str) -> Result<Option<ProviderId>, Malformed> {
        let text = match self.get(key)? {
            None => None,
            Some(Json::Text(text)) => Some(&**text),
            Some(Json::Object(expanded)) => expanded.text("id")?,
            Some(_) => return Err(Malformed::Id { field: key }),
        };
        text.filter(|text| !text.is_empty())
            .map(ProviderId::parse)
            .transpose()
            .map_err(|_| Malformed::Id { field: key })
    }

    /// An id that must be there.
    pub(crate) fn required_id(&self, key: &'static str) -> Result<ProviderId, Malformed> {
        self.id(key)?.ok_or(Malformed::Id { field: key })
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::OtherNumber, Json::Int))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some((Key(key), value)) = entries.next_entry()? {
            object.push((key, value));
        }
        Ok(Json::Object(Object(object)))
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        struct KeyReader;
        impl<'de> Visitor<'de> for KeyReader {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyReader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_is_refused_where_it_decides_and_only_there() {
        let body = r#"{"id":"a","id":"b","noise":1,"noise":2,"status":"x"}"#;
        let object = object(body).unwrap();
        assert_eq!(object.text("id"), Err(Malformed::DuplicateKey { field: "id" }));
        assert_eq!(object.text("status"), Ok(Some("x")));
    }

    #[test]
    fn numbers_that_are_no_amounts_only_matter_where_an_amount_is_read() {
        let body = format!(r#"{{"a":{},"b":1.5,"c":-1,"d":7,"e":"7","f":null}}"#, "9".repeat(30));
        let object = object(&body).unwrap();
        for field in ["a", "b", "c", "e"] {
            assert_eq!(object.amount(field), Err(Malformed::Amount { field }));
        }
        assert_eq!(object.amount("d"), Ok(Amount::new(7).ok()));
        assert_eq!((object.amount("f"), object.amount("g")), (Ok(None), Ok(None)));
    }

    #[test]
    fn what_is_no_json_object_says_how() {
        let read = |body: &[u8]| object(&text(body)?).map(drop);
        let category = |body: &[u8]| match read(body) {
            Err(Malformed::NotJson { category, .. }) => category,
            other => panic!("expected no JSON, got {other:?}"),
        };
        assert_eq!(category(b"{\"id\":"), "truncated");
        assert_eq!(category(b"{id}"), "syntax");
        assert_eq!(category(b"{} {}"), "syntax");
        assert_eq!(category(b"{\"a\":\"\xff\"}"), "encoding");
        let place = Malformed::NotJson { category: "encoding", line: 2, column: 3 };
        assert_eq!(read(b"{\n  \xff}"), Err(place));
        assert_eq!(category("[".repeat(1_000).as_bytes()), "depth");
        assert_eq!(read(b"[]"), Err(Malformed::Shape { field: ".", expected: "an object" }));
    }
}
