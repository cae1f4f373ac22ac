//! Documents and addresses: what cannot be seen from one identity alone, and the locks on them.

use afluente_model::MerchantName;
use sqlx::FromRow;

use crate::backend::Tx;
use crate::claim::key_of;
use crate::error::StoreError;
use crate::people::identity::merchant;
use crate::rows::{records, rows};

const TABLE: &str = "identity_values";

/// Of so many buckets one is locked for a value. Two values may share one, which costs a wait and nothing else.
const BUCKETS: u32 = 1 << 16;

rows! {
    struct BucketInput {
        bucket: int,
    }
    LOCK = "people/lock";
}

rows! {
    pub(crate) struct ValueInput<'a> {
        merchant: text,
        value: text,
    }
    EMAIL_COUNTS = "people/email_counts";
    DOCUMENT_COUNTS = "people/document_counts";
}

rows! {
    struct KindInput<'a> {
        merchant: text,
        kind: text,
        value: text,
    }
}

rows! {
    struct RowInput<'a> {
        merchant: text,
        kind: text,
        value: text,
        shared: flag,
        owner: text,
    }
    WRITE = "people/values_write";
}

records! {
    struct Record {
        merchant: string,
        kind: string,
        value: string,
        shared: flag,
        owner: string,
    }
    from { merchant: text, kind: text, value: text } READ = "people/values_select";
}

records! {
    struct DocumentRecord {
        merchant: string,
        value: string,
        document: string,
    }
    from { merchant: text, value: text } EMAIL_DOCUMENTS = "people/email_documents";
}

#[derive(FromRow)]
struct CountRecord {
    merchant: String,
    value: String,
    said: i64,
}

/// A value said to a merchant, of a kind that is known from where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// The merchant.
    pub merchant: MerchantName,
    /// The document or the address.
    pub value: Box<str>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// CPF or CNPJ.
    Document,
    /// E-mail address.
    Email,
}

impl ValueKind {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ValueKind::Document => "document",
            ValueKind::Email => "email",
        }
    }
}

/// What is kept of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueRow {
    /// Its kind.
    pub kind: ValueKind,
    /// The value.
    pub value: Value,
    /// Whether it is nobody's own.
    pub is_shared: bool,
    /// The document whose person an address belongs to; none for itself.
    pub owner: Option<Box<str>>,
}

/// How many different values of the other kind were said together with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The value.
    pub value: Value,
    /// How many.
    pub said: usize,
}

/// A document that an address belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The address.
    pub email: Value,
    /// The document; not a shared one.
    pub document: Box<str>,
}

impl<'a> From<&'a Value> for ValueInput<'a> {
    fn from(value: &'a Value) -> ValueInput<'a> {
        ValueInput { merchant: value.merchant.as_str(), value: &value.value }
    }
}

impl Tx {
    /// Waits until nobody else recomputes what depends on these texts (a merchant and a value, or a gateway's customer), until this
    /// unit of work ends. In one order, whoever asks; on SQLite the one writer has them all.
    pub async fn lock_people<'a>(&mut self, texts: impl Iterator<Item = [&'a str; 3]>) -> Result<(), StoreError> {
        if !self.is_of_a_server() {
            return Ok(());
        }
        let bucket = |text: [&str; 3]| {
            let key = key_of(text.into_iter());
            i64::from(u32::from_be_bytes([key[0], key[1], key[2], key[3]]) % BUCKETS)
        };
        let mut rows: Vec<BucketInput> = texts.map(|text| BucketInput { bucket: bucket(text) }).collect();
        rows.sort_unstable_by_key(|row| row.bucket);
        rows.dedup_by_key(|row| row.bucket);
        self.execute(&LOCK, &rows).await?;
        Ok(())
    }

    /// What is kept of these values.
    pub async fn values(&mut self, values: &[(ValueKind, &Value)]) -> Result<Vec<ValueRow>, StoreError> {
        let rows: Vec<KindInput<'_>> = values
            .iter()
            .map(|(kind, value)| KindInput {
                merchant: value.merchant.as_str(),
                kind: kind.as_str(),
                value: &value.value,
            })
            .collect();
        let records: Vec<Record> = self.gather(&READ, &rows).await?;
        records.into_iter().map(ValueRow::try_from).collect()
    }

    /// Keeps them.
    pub async fn save_values(&mut self, values: &[ValueRow]) -> Result<(), StoreError> {
        let mut rows: Vec<RowInput<'_>> = values
            .iter()
            .map(|row| RowInput {
                merchant: row.value.merchant.as_str(),
                kind: row.kind.as_str(),
                value: &row.value.value,
                shared: row.is_shared,
                owner: row.owner.as_deref().unwrap_or_default(),
            })
            .collect();
        rows.sort_by_key(|row| (row.merchant, row.kind, row.value));
        self.execute(&WRITE, &rows).await?;
        Ok(())
    }

    /// How many documents were said together with each of these addresses, shared ones among them.
    pub async fn documents_said_with(&mut self, emails: &[Value]) -> Result<Vec<Counted>, StoreError> {
        let rows: Vec<ValueInput<'_>> = emails.iter().map(ValueInput::from).collect();
        counted(self.fetch(&EMAIL_COUNTS, &rows).await?)
    }

    /// How many addresses were said together with each of these documents.
    pub async fn emails_said_with(&mut self, documents: &[Value]) -> Result<Vec<Counted>, StoreError> {
        let rows: Vec<ValueInput<'_>> = documents.iter().map(ValueInput::from).collect();
        counted(self.fetch(&DOCUMENT_COUNTS, &rows).await?)
    }

    /// The documents each of these addresses belongs to: those said with it, and those of the gateway's customers it is the
    /// address of. Shared documents are not among them.
    pub async fn documents_of(&mut self, emails: &[Value]) -> Result<Vec<Said>, StoreError> {
        let rows: Vec<ValueInput<'_>> = emails.iter().map(ValueInput::from).collect();
        let records: Vec<DocumentRecord> = self.gather(&EMAIL_DOCUMENTS, &rows).await?;
        let said = |row: DocumentRecord| {
            let email = Value { merchant: merchant(TABLE, &row.merchant)?, value: row.value.into() };
            Ok(Said { email, document: row.document.into() })
        };
        records.into_iter().map(said).collect()
    }
}

fn counted(records: Vec<CountRecord>) -> Result<Vec<Counted>, StoreError> {
    let one = |row: CountRecord| {
        let value = Value { merchant: merchant(TABLE, &row.merchant)?, value: row.value.into() };
        Ok(Counted { value, said: usize::try_from(row.said).unwrap_or(0) })
    };
    records.into_iter().map(one).collect()
}

impl TryFrom<Record> for ValueRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<ValueRow, StoreError> {
        let kind = match &*row.kind {
            "document" => ValueKind::Document,
            "email" => ValueKind::Email,
            other => return Err(StoreError::unreadable(TABLE, "kind", other)),
        };
        Ok(ValueRow {
            kind,
            value: Value { merchant: merchant(TABLE, &row.merchant)?, value: row.value.into() },
            is_shared: row.shared,
            owner: (!row.owner.is_empty()).then(|| row.owner.into()),
        })
    }
}
