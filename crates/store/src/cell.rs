//! The types of columns whose form differs between databases.

use afluente_model::Timestamp;
use afluente_model::time::BadTimestamp;
use serde::{Serialize, Serializer};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

use crate::error::StoreError;

/// A moment in a column: integer microseconds since 1970 in SQLite, where a text would not sort, and timestamptz in
/// Postgres. Not checked: a column may hold what no [`Timestamp`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Moment(i64);

/// The type timestamptz in every Postgres.
const TIMESTAMPTZ: Oid = Oid(1184);
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

impl Encode<'_, Sqlite> for Moment {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Moment {
    fn decode(value: SqliteValueRef<'r>) -> Result<Moment, BoxDynError> {
        <i64 as Decode<Sqlite>>::decode(value).map(Moment)
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
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
#[sqlx(transparent)]
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
}
