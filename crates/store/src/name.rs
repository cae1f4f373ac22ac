//! Names of payments. Names refer to names, so that either may come first.

use afluente_model::{AccountName, Timestamp};

use crate::backend::Tx;
use crate::error::StoreError;
use crate::payment::PaymentKey;
use crate::rows::{records, rows};

rows! {
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct KeyInput<'a> {
        account: text,
        tenant: text,
        name: text,
    }
}

rows! {
    struct NameInput<'a> {
        account: text,
        tenant: text,
        name: text,
        payment: text,
        now: moment,
    }
    INSERT = "names_insert";
    WRITE = "names_write";
}

records! {
    struct Record {
        account: string,
        tenant: string,
        name: string,
        payment: string,
    }
    from { account: text, tenant: text, name: text } LOCK = "names_lock", lock known;
}

/// One name and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameRow {
    /// The name.
    pub name: PaymentKey,
    /// The gateway's id of the payment at the same account and tenant; the name itself where it is no other's.
    pub payment: Box<str>,
}

impl Tx {
    /// Locks names in one order and says what each stands for; a name never heard of stands for itself from now on.
    ///
    /// Whoever works on a payment holds all its names first. Otherwise one could learn that two names are one payment
    /// while another, who read before that, writes facts into a row of the name that went: the payment would stay split.
    pub async fn lock_names(&mut self, names: &[PaymentKey], now: Timestamp) -> Result<Vec<NameRow>, StoreError> {
        let mut rows: Vec<KeyInput<'_>> = names.iter().map(key_input).collect();
        rows.sort_unstable();
        rows.dedup();
        let new: Vec<NameInput<'_>> = rows.iter().map(|row| NameInput::of(*row, "", now)).collect();
        self.execute(&INSERT, &new).await?;
        let stored: Vec<Record> = self.gather(&LOCK, &rows).await?;
        if stored.len() != rows.len() {
            return Err(StoreError::Missed { table: "payment_names", expected: rows.len(), got: stored.len() });
        }
        stored.into_iter().map(NameRow::try_from).collect()
    }

    /// Points names to other payments. They are locked, and the caller has settled which payment that is.
    pub async fn save_names(&mut self, names: &[NameRow], now: Timestamp) -> Result<(), StoreError> {
        let rows: Vec<NameInput<'_>> =
            names.iter().map(|row| NameInput::of(key_input(&row.name), &row.payment, now)).collect();
        self.execute(&WRITE, &rows).await?;
        Ok(())
    }
}

fn key_input(name: &PaymentKey) -> KeyInput<'_> {
    KeyInput { account: name.account.as_str(), tenant: &name.tenant, name: &name.id }
}

impl<'a> NameInput<'a> {
    fn of(key: KeyInput<'a>, payment: &'a str, now: Timestamp) -> NameInput<'a> {
        NameInput { account: key.account, tenant: key.tenant, name: key.name, payment, now: now.into() }
    }
}

impl TryFrom<Record> for NameRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<NameRow, StoreError> {
        let account = AccountName::parse(&row.account)
            .map_err(|_| StoreError::unreadable("payment_names", "account", &row.account))?;
        let name = PaymentKey { account, tenant: row.tenant.into(), id: row.name.into() };
        Ok(NameRow { name, payment: row.payment.into() })
    }
}
