//! Second names of payments. Names refer to names, so that either may come first.

use afluente_model::{AccountName, Timestamp};
use serde::Serialize;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::{Input, Statement, statement};
use crate::payment::PaymentKey;

static READ: Statement = statement!("aliases_read");
static WRITE: Statement = statement!("aliases_write");

/// One alias: `alias` is another name of `payment` at this account and tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasRow {
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// The other name.
    pub alias: Box<str>,
    /// The name that stays.
    pub payment: Box<str>,
}

#[derive(Serialize)]
struct NameInput<'a> {
    account: &'a str,
    tenant: &'a str,
    alias: &'a str,
    payment: &'a str,
    now: i64,
}

impl Tx {
    /// The stored aliases among these names.
    pub async fn aliases(&mut self, names: &[PaymentKey]) -> Result<Vec<AliasRow>, StoreError> {
        let rows: Vec<NameInput<'_>> = names
            .iter()
            .map(|name| NameInput {
                account: name.account.as_str(),
                tenant: &name.tenant,
                alias: &name.id,
                payment: "",
                now: 0,
            })
            .collect();
        let stored: Vec<(String, String, String, String)> = self.fetch(&READ, Input::of(&rows)).await?;
        stored
            .into_iter()
            .map(|(account, tenant, alias, payment)| {
                let account = AccountName::parse(&account)
                    .map_err(|_| StoreError::unreadable("payment_aliases", "account", &account))?;
                Ok(AliasRow { account, tenant: tenant.into(), alias: alias.into(), payment: payment.into() })
            })
            .collect()
    }

    /// Writes aliases; one that exists is pointed to the payment given. The caller has settled which one that is.
    pub async fn save_aliases(&mut self, aliases: &[AliasRow], now: Timestamp) -> Result<(), StoreError> {
        let mut rows: Vec<NameInput<'_>> = aliases
            .iter()
            .map(|row| NameInput {
                account: row.account.as_str(),
                tenant: &row.tenant,
                alias: &row.alias,
                payment: &row.payment,
                now: now.as_micros(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.alias));
        self.execute(&WRITE, Input::of(&rows)).await?;
        Ok(())
    }
}
