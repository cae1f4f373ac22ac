//! The accounts of the configuration, mirrored without secrets so that rows can refer to them.

use afluente_model::{AccountName, Gateway, MerchantName, Mode, Timestamp};
use sqlx::FromRow;

use crate::backend::{Store, Tx, fetch};
use crate::error::StoreError;
use crate::payment::word;
use crate::rows::{Statement, rows, text};

static MIRRORED: Statement = text!("report/accounts");

rows! {
    struct AccountInput<'a> {
        name: text,
        merchant: text,
        provider_v2: text,
        external_id: opt text,
        livemode: flag,
        replaces: opt text,
        now: moment,
    }
    MERCHANTS = "merchants_insert";
    RELEASE = "accounts_release";
    ACCOUNTS = "accounts_upsert";
}

/// One account of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its name.
    pub name: AccountName,
    /// Whose it is.
    pub merchant: MerchantName,
    /// Its gateway.
    pub gateway: Gateway,
    /// Its id at the gateway, if configured.
    pub external_id: Option<String>,
    /// Its mode.
    pub mode: Mode,
    /// The account whose place it takes: that one is configured no longer and gives its external id up.
    pub replaces: Option<AccountName>,
}

#[derive(FromRow)]
struct Record {
    name: String,
    merchant: String,
    provider_v2: String,
    external_account_id: Option<String>,
    livemode: bool,
}

impl Store {
    /// The accounts the ledger knows: those of the configuration and those that were in it before.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        let rows: Vec<Record> = fetch!(self, fetch_all, MIRRORED)?;
        rows.into_iter().map(AccountRow::try_from).collect()
    }
}

impl TryFrom<Record> for AccountRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<AccountRow, StoreError> {
        let table = "gateway_accounts";
        Ok(AccountRow {
            name: AccountName::parse(&row.name).map_err(|_| StoreError::unreadable(table, "name", &row.name))?,
            merchant: MerchantName::parse(&row.merchant)
                .map_err(|_| StoreError::unreadable(table, "merchant", &row.merchant))?,
            gateway: word::<Gateway>(table, "provider_v2", &row.provider_v2)?,
            external_id: row.external_account_id,
            mode: if row.livemode { Mode::Live } else { Mode::Test },
            replaces: None,
        })
    }
}

impl Tx {
    /// Writes the accounts, once each; a change of id or mode overwrites, the merchant stays. An account that is
    /// configured no longer keeps its row, because its payments do.
    pub async fn save_accounts(&mut self, accounts: &[AccountRow], now: Timestamp) -> Result<(), StoreError> {
        let mut rows: Vec<AccountInput<'_>> = accounts
            .iter()
            .map(|account| AccountInput {
                name: account.name.as_str(),
                merchant: account.merchant.as_str(),
                provider_v2: account.gateway.as_str(),
                external_id: account.external_id.as_deref(),
                livemode: account.mode == Mode::Live,
                replaces: account.replaces.as_ref().map(AccountName::as_str),
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| row.name);
        self.execute(&MERCHANTS, &rows).await?;
        // Ids that go elsewhere are let go of first: two accounts may swap theirs.
        self.execute(&RELEASE, &rows).await?;
        self.execute(&ACCOUNTS, &rows).await?;
        Ok(())
    }
}
