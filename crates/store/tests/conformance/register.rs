//! Registers: what claims are joined into, read page by page, each row by the key its claim gives it, and taken out again.

use std::collections::BTreeSet;

use afluente_model::{AccountName, Gateway};
use afluente_store::people::IdentityKey;
use afluente_store::{ClaimRow, NewPayment, Register};
use uuid::Uuid;

use super::content::{account, at, claim, key, stored_receipt};
use crate::site::{Site, site};

/// Claims that are joined into every register there is.
fn said(shop: &AccountName, receipt: Uuid) -> Vec<ClaimRow<'_>> {
    let of = |kind, id, claims| claim(shop, receipt, kind, id, claims);
    vec![
        of("payment", "pi_1", vec![("email", "ana@example.com"), ("method", "pm_1"), ("name", "Ana")]),
        of("customer", "cus_1", vec![("document", "11144477735")]),
        of("checkout", "cs_1", vec![("payment", "pi_1"), ("status", "complete")]),
        of("decision", "d_1", vec![("email", "ana@example.com"), ("decided", "itself"), ("by", "bia")]),
    ]
}

/// The same, once they are in the ledger.
async fn stored<'a>(site: &Site, shop: &'a AccountName) -> Vec<ClaimRow<'a>> {
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let said = said(shop, receipt);
    tx.add_claims(&said, at(2)).await.unwrap();
    tx.commit().await.unwrap();
    said
}

async fn keys(site: &Site, register: Register) -> Vec<[u8; 16]> {
    let mut keys = Vec::new();
    loop {
        let after = keys.last().copied().unwrap_or_default();
        let page = site.store.register_after(register, after, 2).await.unwrap();
        if page.is_empty() {
            return keys;
        }
        keys.extend(page.iter().map(|row| row.key));
    }
}

#[tokio::test]
async fn every_claim_says_which_rows_it_is_joined_into_and_they_are_those_that_are_there() {
    let site = site().await;
    let shop = account("shop");
    let said = stored(&site, &shop).await;
    let expected: BTreeSet<(Register, [u8; 16])> = said.iter().flat_map(Register::rows_of).collect();
    let mut found = Vec::new();
    for register in Register::ALL {
        let keys = keys(&site, register).await;
        assert!(!keys.is_empty() && keys.is_sorted(), "{register:?}");
        found.extend(keys.into_iter().map(|key| (register, key)));
    }
    assert!(found.iter().eq(&expected), "{found:?}");
    assert!(said.iter().all(|claim| Register::rows_of(claim)[0].0 == Register::Claims), "its own comes first");
}

#[test]
fn a_row_of_each_register_is_called_what_a_rebuild_calls_it() {
    let words = Register::ALL.map(Register::as_str);
    assert_eq!(words, ["claim", "identity", "method", "session", "relation", "decision"]);
}

#[tokio::test]
async fn claims_come_back_so_that_they_can_be_added_once_more() {
    let site = site().await;
    let shop = account("shop");
    let said = stored(&site, &shop).await;
    let all = site.store.claims_after([0; 16], 10).await.unwrap();
    assert_eq!(all.len(), said.len());
    let rest = site.store.claims_after(all[1].key, 1).await.unwrap();
    assert_eq!(rest.iter().map(|claim| claim.key).collect::<Vec<_>>(), [all[2].key]);
    let mut tx = site.store.begin().await.unwrap();
    let some = tx.stored_claims(&[all[3].key, all[0].key, [7; 16]]).await.unwrap();
    let keys: BTreeSet<_> = some.iter().map(|claim| claim.key).collect();
    assert_eq!(keys, BTreeSet::from([all[0].key, all[3].key]));
    let rows: Vec<ClaimRow<'_>> = all.iter().map(|claim| claim.row()).collect();
    tx.add_claims(&rows, at(3)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.store.claims_after([0; 16], 10).await.unwrap().len(), said.len());
}

#[tokio::test]
async fn what_is_taken_out_of_a_register_is_gone_from_that_one_and_followed_by_nobody() {
    let site = site().await;
    let shop = account("shop");
    stored(&site, &shop).await;
    let identities = keys(&site, Register::Identities).await;
    let mut tx = site.store.begin().await.unwrap();
    let payment = NewPayment {
        id: Uuid::now_v7(),
        key: key("shop", "", "pi_1"),
        gateway: Gateway::Stripe,
        identity: Some(IdentityKey(identities[0])),
    };
    tx.lock_payments(&[payment], &[], at(2)).await.unwrap();
    tx.commit().await.unwrap();
    for register in Register::ALL {
        let mut there = keys(&site, register).await;
        let mut tx = site.store.begin().await.unwrap();
        tx.drop_register(register, &[there.remove(0), [7; 16]]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(keys(&site, register).await, there, "{register:?}");
    }
    assert_eq!(site.count("select count(*) from payments where identity is null").await, 1);
}
