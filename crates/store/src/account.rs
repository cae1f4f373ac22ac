//! The accounts of the configuration, mirrored without secrets so that rows can refer to them.

use afluente_model::{AccountName, Gateway, MerchantName, Mode, Timestamp};
use serde::Serialize;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::{Input, Statement, statement};

static MERCHANTS: Statement = statement!("merchants_insert");
static ACCOUNTS: Statement = statement!("accounts_upsert");

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
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    merchant: &'a str,
    provider: &'static str,
    external_id: Option<&'a str>,
    livemode: u8,
    now: i64,
}

impl Tx {
    /// Writes the accounts, once each; a change of merchant, id or mode overwrites. An account that is configured no
    /// longer keeps its row, because its payments do.
    pub async fn save_accounts(&mut self, accounts: &[AccountRow], now: Timestamp) -> Result<(), StoreError> {
        let mut rows: Vec<Row<'_>> = accounts
            .iter()
            .map(|account| Row {
                name: account.name.as_str(),
                merchant: account.merchant.as_str(),
                provider: account.gateway.as_str(),
                external_id: account.external_id.as_deref(),
                livemode: u8::from(account.mode == Mode::Live),
                now: now.as_micros(),
            })
            .collect();
        rows.sort_by_key(|row| row.name);
        self.execute(&MERCHANTS, Input::of(&rows)).await?;
        self.execute(&ACCOUNTS, Input::of(&rows)).await?;
        Ok(())
    }
}
