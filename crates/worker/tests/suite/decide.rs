//! Decisions of persons: they go before what was said, in whatever order both come, and are proved and taken back like anything else.

use std::collections::BTreeSet;

use afluente_worker::decide::{Decision, Move, decide};
use afluente_worker::rebuild::plan;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::suite::bench::Bench;
use crate::suite::people::{agrees_with_the_law, bench, everything_said, hand_over, orders, people};

const ANA: &str = "52998224725";
const BIA: &str = "11144477735";

/// `WHAT VERDICT [TARGET]`: an address, or a customer at one account or the other.
fn decision(text: &str) -> Decision {
    let words: Vec<&str> = text.split(' ').collect();
    let is_email = words[0].contains('@');
    Decision {
        account: if words[0].starts_with("cus_p") { "loja" } else { "shop" }.to_owned(),
        customer: (!is_email).then(|| words[0].to_owned()),
        email: is_email.then(|| words[0].to_owned()),
        decided: words[1].to_owned(),
        target: words.get(2).copied().unwrap_or_default().to_owned(),
        by: "ana".to_owned(),
        because: "she called".to_owned(),
        ..Decision::default()
    }
}

async fn make(bench: &Bench, text: &str) -> Vec<Move> {
    decide(&bench.store, &bench.accounts, &decision(text), false).await.unwrap()
}

async fn is_proved(bench: &Bench) {
    let report = plan(&bench.store, &bench.accounts, |_| {}).await.unwrap();
    assert!(report.differences.is_empty(), "{:?}", report.differences);
}

/// Whose a payment is, by what makes the person the same.
async fn whose(bench: &Bench, payment: &str) -> String {
    let of = format!(
        "select coalesce(max(c.key_value), '-') from payments p left join identities i on i.key = p.identity \
         left join customers c on c.id = i.customer_id where p.provider_payment_id = '{payment}'"
    );
    bench.ledger.text(&of).await
}

#[tokio::test]
async fn any_order_of_deliveries_and_decisions_gives_the_same_people_and_the_ones_the_law_gives() {
    let mut random = StdRng::seed_from_u64(28);
    let mut history = everything_said(&mut random);
    let decided = [
        "so@x.com email ana@x.com".to_owned(),
        "outra@x.com email so@x.com".to_owned(),
        format!("cus_s1 document {ANA}"),
        "bia@x.com itself".to_owned(),
        "cus_s2 itself".to_owned(),
        "cus_s1 undone".to_owned(),
        format!("casa@x.com document {BIA}"),
        "cus_s3 email casa@x.com".to_owned(),
        // A circle: whoever made the second did not see the first.
        "ana@x.com email outra@x.com".to_owned(),
    ];
    let mut first: Option<BTreeSet<String>> = None;
    for order in 0..orders() {
        let bench = bench().await;
        // Of decisions the newest holds, so theirs is the one order that counts.
        let mut places: Vec<usize> = decided.iter().map(|_| random.random_range(0..=history.len())).collect();
        places.sort_unstable();
        let mut from = 0;
        for (place, text) in places.into_iter().zip(&decided) {
            hand_over(&bench, &history[from..place], [1, 7, 60][order % 3]).await;
            make(&bench, text).await;
            from = place;
        }
        hand_over(&bench, &history[from..], [1, 7, 60][order % 3]).await;
        agrees_with_the_law(&bench).await;
        let found = people(&bench).await;
        assert!(found.iter().any(|one| one.contains(" operator ")), "{found:?}");
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "order {order}");
        if order == 0 {
            is_proved(&bench).await;
        }
        history.shuffle(&mut random);
    }
}

#[tokio::test]
async fn a_preview_says_who_would_go_and_changes_nothing_and_undone_is_as_if_it_had_never_been() {
    let bench = bench().await;
    let history = everything_said(&mut StdRng::seed_from_u64(28));
    hand_over(&bench, &history, 20).await;
    let before = people(&bench).await;
    let text = format!("so@x.com document {BIA}");
    let would = decide(&bench.store, &bench.accounts, &decision(&text), true).await.unwrap();
    assert!(!would.is_empty());
    assert_eq!(people(&bench).await, before, "a preview");
    assert!(bench.store.all_decisions().await.unwrap().is_empty());
    assert_eq!(make(&bench, &text).await, would, "what would happen is what happens");
    assert!(would.iter().all(|one| one.to_key.as_deref() == Some(&format!("document:{BIA}")) && one.from != one.to));
    assert!(would.iter().map(|one| one.payments).sum::<i64>() > 0, "{would:?}");
    assert_ne!(people(&bench).await, before);
    // The same again is another decision, and moves nobody.
    assert!(make(&bench, &text).await.is_empty());
    let back = make(&bench, "so@x.com undone").await;
    assert_eq!(back.len(), would.len());
    assert_eq!(people(&bench).await, before);
    is_proved(&bench).await;
    let made = bench.store.all_decisions().await.unwrap();
    assert_eq!((made.len(), &*made[0].decided_by, &*made[0].because), (1, "ana", "she called"));
    let receipts = "select cast(count(*) as text) from webhook_receipts where kind = 'OPERATOR'";
    assert_eq!(bench.ledger.text(receipts).await, "3");
}

#[tokio::test]
async fn a_decision_that_was_lost_or_that_nobody_made_is_found_and_made_good() {
    let bench = bench().await;
    hand_over(&bench, &everything_said(&mut StdRng::seed_from_u64(28)), 20).await;
    make(&bench, &format!("so@x.com document {BIA}")).await;
    make(&bench, "cus_s1 itself").await;
    let right = people(&bench).await;
    for damage in [
        "delete from identity_decisions".to_owned(),
        "update identity_decisions set verdict = 'itself', target = ''".to_owned(),
        "update identity_decisions set value = 'outra@x.com' where kind = 'email'".to_owned(),
    ] {
        bench.ledger.run(&damage).await;
        let report = plan(&bench.store, &bench.accounts, |_| {}).await.unwrap();
        assert!(format!("{:?}", report.differences).contains("decision"), "{damage}: {:?}", report.differences);
        for part in report.plan.parts() {
            part.write(&bench.store, &bench.accounts, "ana").await.unwrap();
        }
        is_proved(&bench).await;
        assert_eq!(people(&bench).await, right, "{damage}");
    }
}

#[tokio::test]
async fn who_was_merged_into_an_address_follows_it_to_its_document() {
    let bench = bench().await;
    let history = everything_said(&mut StdRng::seed_from_u64(28));
    // Before anything is known of either.
    assert!(make(&bench, "so@x.com email nova@x.com").await.is_empty());
    hand_over(&bench, &history, 20).await;
    let alone = "select max(p.provider_payment_id) from payments p join identities i on i.key = p.identity \
                 where i.email = 'so@x.com' and i.document = '' and i.provider_customer_id = ''";
    let payment = bench.ledger.text(alone).await;
    assert_eq!(whose(&bench, &payment).await, "nova@x.com");
    make(&bench, &format!("nova@x.com document {ANA}")).await;
    assert_eq!(whose(&bench, &payment).await, ANA);
    make(&bench, "so@x.com itself").await;
    assert_eq!(whose(&bench, &payment).await, "so@x.com");
    agrees_with_the_law(&bench).await;
}

#[tokio::test]
async fn a_decision_that_cannot_be_read_is_refused_and_leaves_nothing() {
    let bench = bench().await;
    for (text, expected) in [
        ("a@x.com document 123", "document with digits"),
        ("a@x.com email nobody", "email with an address"),
        ("a@x.com forever", "itself or undone"),
        ("a@x.com itself b@x.com", "itself or undone"),
        ("a@ itself", "a customer of a gateway, or an email"),
    ] {
        let refused = decide(&bench.store, &bench.accounts, &decision(text), false).await.unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
    let both = Decision { customer: Some("cus_1".to_owned()), ..decision("a@x.com itself") };
    let refused = decide(&bench.store, &bench.accounts, &both, false).await.unwrap_err().to_string();
    assert!(refused.contains("a customer of a gateway, or an email"), "{refused}");
    let nowhere = Decision { account: "nowhere".to_owned(), ..decision("a@x.com itself") };
    let refused = decide(&bench.store, &bench.accounts, &nowhere, false).await.unwrap_err().to_string();
    assert!(refused.contains("no account nowhere"), "{refused}");
    for table in ["webhook_receipts", "identity_claims", "identity_decisions"] {
        assert_eq!(bench.ledger.text(&format!("select cast(count(*) as text) from {table}")).await, "0");
    }
}
