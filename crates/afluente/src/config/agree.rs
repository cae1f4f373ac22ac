//! What the ledger will refuse, found before it does: accounts that are another account there.

use std::path::Path;

use afluente_model::{AccountName, Gateway, MerchantName, Mode};
use afluente_store::{AccountRow, Store, StoreError};

use super::{Config, FILE, Problem, Problems};
use crate::exit::Failure;

/// Holds the accounts of a configuration against those the ledger knows.
pub(crate) async fn agree(folder: &Path, config: &Config, store: &Store) -> Result<(), Failure> {
    let problems = conflicts(&config.worker_accounts().rows(), &store.accounts().await?);
    if problems.is_empty() {
        return Ok(());
    }
    let problems = problems.into_iter().map(|text| Problem { line: None, text }).collect();
    Err(Problems { file: folder.join(FILE), problems }.into())
}

/// The same where there may be no ledger yet: then it says nothing.
pub(crate) async fn agree_if_there(folder: &Path, config: &Config) -> Result<(), Failure> {
    let store = match Store::open_read_only(&config.ledger).await {
        Ok(store) => store,
        Err(StoreError::Missing { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let agreed = agree(folder, config, &store).await;
    store.close().await;
    agreed
}

fn conflicts(configured: &[AccountRow], known: &[AccountRow]) -> Vec<String> {
    let mut found = Vec::new();
    for account in configured {
        if let Some(before) = known.iter().find(|row| row.name == account.name) {
            found.extend(moved(account, before));
        }
        let twin = known.iter().find(|row| row.name != account.name && same_at_the_gateway(row, account));
        // One that is configured itself says by its own section which id it has now.
        let twin = twin.filter(|row| !configured.iter().any(|other| other.name == row.name));
        if let Some(row) = twin.filter(|row| account.replaces.as_ref() != Some(&row.name)) {
            found.push(renamed(&account.name, &row.name, account.external_id.as_deref().unwrap_or_default()));
        }
    }
    found
}

/// Gateway, id there and mode: what the ledger lets only one account have.
fn identity(row: &AccountRow) -> (Gateway, Option<&str>, Mode) {
    (row.gateway, row.external_id.as_deref(), row.mode)
}

fn same_at_the_gateway(one: &AccountRow, other: &AccountRow) -> bool {
    one.external_id.is_some() && identity(one) == identity(other)
}

fn moved(account: &AccountRow, before: &AccountRow) -> Option<String> {
    let name = &account.name;
    if account.gateway != before.gateway {
        return Some(format!(
            "accounts.{name}.gateway: the ledger has {name} as an account at {}; its payments stay there: give the account \
             at {} another name",
            before.gateway.slug(),
            account.gateway.slug()
        ));
    }
    (account.merchant != before.merchant).then(|| belongs(name, &before.merchant, &account.merchant))
}

fn belongs(name: &AccountName, before: &MerchantName, now: &MerchantName) -> String {
    format!(
        "accounts.{name}.merchant: the ledger has {name} as an account of merchant {before}; its payments stay {before}'s: \
         set merchant = \"{before}\" again, or give the account of {now} another name, with replaces = \"{name}\""
    )
}

fn renamed(name: &AccountName, before: &AccountName, id: &str) -> String {
    format!(
        "accounts.{name}.external_id: {id} is account {before} in the ledger; its payments stay under that name: call the \
         account {before} again, or set replaces = \"{before}\" to go on as {name} with what comes from now on"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, id: Option<&str>) -> AccountRow {
        AccountRow {
            name: AccountName::parse(name).unwrap(),
            merchant: MerchantName::parse("default").unwrap(),
            gateway: Gateway::Stripe,
            external_id: id.map(Into::into),
            mode: Mode::Test,
            replaces: None,
        }
    }

    #[test]
    fn what_stays_as_it_was_or_is_new_is_no_conflict() {
        let known = [row("shop", Some("acct_1")), row("gone", Some("acct_2"))];
        let configured =
            [row("shop", Some("acct_1")), row("new", Some("acct_3")), row("bare", None), row("gone", None)];
        assert_eq!(conflicts(&configured, &known), [] as [String; 0]);
        assert_eq!(conflicts(&[AccountRow { mode: Mode::Live, ..row("shop", Some("acct_1")) }], &known).len(), 0);
    }

    #[test]
    fn a_renamed_account_is_told_both_ways_out_and_each_is_one() {
        let known = [row("shop", Some("acct_1"))];
        let found = conflicts(&[row("loja", Some("acct_1"))], &known);
        assert!(
            found[0].contains("call the account shop again") && found[0].contains("replaces = \"shop\""),
            "{found:?}"
        );
        let replacing = AccountRow { replaces: Some(known[0].name.clone()), ..row("loja", Some("acct_1")) };
        assert_eq!(conflicts(&[replacing], &known), [] as [String; 0]);
    }

    #[test]
    fn an_account_moved_to_another_merchant_or_gateway_is_told_what_to_do() {
        let known = [row("shop", None)];
        let moved = AccountRow { merchant: MerchantName::parse("other").unwrap(), ..row("shop", None) };
        assert!(conflicts(&[moved], &known)[0].contains("set merchant = \"default\" again"));
        let elsewhere = AccountRow { gateway: Gateway::Pagarme, ..row("shop", None) };
        assert!(conflicts(&[elsewhere], &known)[0].contains("another name"));
    }

    #[test]
    fn two_accounts_that_swap_ids_are_no_conflict() {
        let known = [row("one", Some("acct_1")), row("two", Some("acct_2"))];
        let swapped = [row("one", Some("acct_2")), row("two", Some("acct_1"))];
        assert_eq!(conflicts(&swapped, &known), [] as [String; 0]);
    }
}
