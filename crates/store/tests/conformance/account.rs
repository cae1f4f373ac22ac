//! Accounts: mirrored as configured, and their history stays where it is.

use afluente_model::{MerchantName, Mode};
use afluente_store::{AccountRow, StoreError};

use super::content::{account, account_row, at};
use crate::site::{Site, site};

async fn save(site: &Site, rows: &[AccountRow]) -> Result<(), StoreError> {
    let mut tx = site.store.begin().await?;
    tx.save_accounts(rows, at(2)).await?;
    tx.commit().await
}

fn with_id(name: &str, id: Option<&str>) -> AccountRow {
    AccountRow { external_id: id.map(Into::into), ..account_row(name) }
}

#[tokio::test]
async fn accounts_come_back_as_they_were_written_and_a_change_overwrites_all_but_the_merchant() {
    let site = site().await;
    let changed = AccountRow { mode: Mode::Live, ..with_id("shop", Some("acct_1")) };
    let other_merchant = MerchantName::parse("another").unwrap();
    save(&site, &[AccountRow { merchant: other_merchant, ..changed.clone() }]).await.unwrap();
    assert_eq!(site.store.accounts().await.unwrap(), [account_row("other"), changed]);
}

#[tokio::test]
async fn two_accounts_of_one_id_are_refused_unless_one_takes_the_other_s_place() {
    let site = site().await;
    save(&site, &[with_id("shop", Some("acct_1"))]).await.unwrap();
    let renamed = with_id("loja", Some("acct_1"));
    assert!(matches!(save(&site, std::slice::from_ref(&renamed)).await, Err(StoreError::Refused { .. })));
    save(&site, &[AccountRow { replaces: Some(account("shop")), ..renamed }]).await.unwrap();
    let ids: Vec<_> = site.store.accounts().await.unwrap().into_iter().map(|row| row.external_id).collect();
    assert_eq!(ids, [Some("acct_1".to_owned()), None, None], "loja, other, shop");
}

#[tokio::test]
async fn two_accounts_can_swap_their_ids() {
    let site = site().await;
    save(&site, &[with_id("shop", Some("acct_1")), with_id("other", Some("acct_2"))]).await.unwrap();
    save(&site, &[with_id("shop", Some("acct_2")), with_id("other", Some("acct_1"))]).await.unwrap();
    let ids: Vec<_> = site.store.accounts().await.unwrap().into_iter().map(|row| row.external_id.unwrap()).collect();
    assert_eq!(ids, ["acct_1", "acct_2"]);
}
