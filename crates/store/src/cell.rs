//! The types of columns whose form differs between databases.

use afluente_model::Timestamp;
use afluente_model::time::BadTimestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteTypeInfo, SqliteValueRef};
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

use crate::error::StoreError;

/// A moment in a column: integer microseconds since 1970 in SQLite, where a text would not sort, and timestamptz in
/// Postgres. Not checked: a column may hold what no [`Timestamp`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(i64);

/// The type timestamptz in every Postgres.
const TIMESTAMPTZ: Oid = Oid(1184);
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);
/// 2000-01-01T00:00:00Z, from which Postgres counts.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl Moment {
    /// Reads it out of a column.
    pub(crate) fn read(self, table: &'static str, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_micros(self.0).map_err(|_| StoreError::unreadable(table, column, &self.0.to_string()))
    }
}

impl TryFrom<Moment> for Timestamp {
    type Error = BadTimestamp;

    fn try_from(moment: Moment) -> Result<Timestamp, BadTimestamp> {
        Timestamp::from_micros(moment.0)
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Moment {
        Moment(at.as_micros())
    }
}

impl Type<Sqlite> for Moment {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(info: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(info)
    }
}

impl<'r> Decode<'r, Sqlite> for Moment {
    fn decode(value: SqliteValueRef<'r>) -> Result<Moment, BoxDynError> {
        <i64 as Decode<Sqlite>>::decode(value).map(Moment)
    }
}

impl Encode<'_, Sqlite> for Moment {
    fn encode_by_ref(&self, buffer: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.0, buffer)
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for Moment {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
    }
}

impl PgHasArrayType for Id {
    fn array_type_info() -> PgTypeInfo {
        <Uuid as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Moment {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0.saturating_sub(POSTGRES_EPOCH_MICROS), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Moment {
    fn decode(value: PgValueRef<'r>) -> Result<Moment, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("expected a moment in the binary format".into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        // The infinities are the ends of the range; they stay outside of every timestamp.
        Ok(Moment(micros.saturating_add(POSTGRES_EPOCH_MICROS)))
    }
}

/// An id in a column; in the JSON of a batch hex without hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent, no_pg_array)]
pub(crate) struct Id(Uuid);

/// A hash or a key of a fixed length; in the JSON of a batch lower-case hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> From<[u8; N]> for Hex<N> {
    fn from(bytes: [u8; N]) -> Hex<N> {
        Hex(bytes)
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Id {
        Id(id)
    }
}

impl From<Id> for Uuid {
    fn from(id: Id) -> Uuid {
        id.0
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        Hex::<16>::deserialize(deserializer).map(|hex| Id(Uuid::from_bytes(hex.0)))
    }
}

impl<const N: usize> Hex<N> {
    /// The bytes.
    pub(crate) fn bytes(self) -> [u8; N] {
        self.0
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize, DB: Database> Type<DB> for Hex<N>
where
    Vec<u8>: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <Vec<u8> as Type<DB>>::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        <Vec<u8> as Type<DB>>::compatible(info)
    }
}

impl<'r, const N: usize, DB: Database> Decode<'r, DB> for Hex<N>
where
    &'r [u8]: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Hex<N>, BoxDynError> {
        let bytes = <&[u8] as Decode<DB>>::decode(value)?;
        Ok(Hex(bytes.try_into().map_err(|_| format!("expected {N} bytes, got {}", bytes.len()))?))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hex<N>, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        decode(text)
            .map(Hex)
            .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(text), &"hex of a fixed length"))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0_u8; 64];
        serializer.serialize_str(encode(&self.0, &mut text))
    }
}

/// Writes hex into a buffer on the stack; at most 32 bytes.
fn encode<'a>(bytes: &[u8], text: &'a mut [u8; 64]) -> &'a str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(&text[..(bytes.len() * 2).min(64)]).unwrap_or_default()
}

/// Reads hex of exactly so many bytes.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_travels_as_hex_without_hyphens() {
        let id = Id::from(Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677));
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"0123456789abcdef0011223344556677\"");
        let hash = Hex::from([0xf0_u8; 32]);
        assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{}\"", "f0".repeat(32)));
    }

    #[test]
    fn hex_is_read_in_either_case_and_at_its_length_only() {
        let id: Id = serde_json::from_str("\"0123456789ABCDEF0011223344556677\"").unwrap();
        assert_eq!(Uuid::from(id), Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677));
        for bad in ["", "01", "0123456789abcdef001122334455667x", "0123456789abcdef00112233445566777"] {
            assert!(serde_json::from_str::<Id>(&format!("\"{bad}\"")).is_err(), "{bad}");
        }
    }
}
