//! Isolation: whatever one delivery does to the transaction it is in, the others end as if it were not there.

use std::sync::Mutex;

use afluente_gateways::Reading;
use afluente_model::{
    AccountName, Conventions, Delivery, DeliveryId, Gateway, Incoming, Proof, SecretName, Source, Timestamp,
};
use afluente_store::{Receipt, ReceiptState};
use bytes::Bytes;
use uuid::Uuid;

use super::*;
use crate::prepare::Message;

/// A delivery whose event type says what happens to a transaction it is in.
fn slot(index: usize, word: &str) -> Slot {
    let (id, account) = (DeliveryId(Uuid::now_v7()), AccountName::parse("shop").unwrap());
    let proof = Proof::Signed { secret: SecretName::of(b"secret") };
    let delivery = Delivery {
        id,
        gateway: Gateway::Stripe,
        account,
        received_at: Timestamp::EPOCH,
        proof,
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: Bytes::new(),
    };
    let receipt = Receipt {
        id: Uuid::now_v7(),
        event: None,
        event_type: word.into(),
        state: ReceiptState::Applied,
        ignored_because: None,
        notes: None,
        body_hash: [0; 32],
        incoming: Incoming::Delivery(delivery),
    };
    let reading = Reading { event_type: word.into(), ..Reading::default() };
    let (source, conventions) = (Source::Webhook, Conventions::PLAIN);
    let message = Some(Message { attempt: 0, head: Bytes::new() });
    let good = Good { receipt, source, conventions, reading, message };
    Slot { index, prepared: Prepared::Good(Box::new(good)) }
}

/// One transaction as a ledger would end it, without one.
fn transaction(part: &[&Prepared], committed: &Mutex<Vec<usize>>) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = Vec::new();
    for one in part {
        outcomes.push(match one {
            Prepared::Dead(letter) => Outcome::Buried(letter.reason),
            Prepared::Good(good) => match &*good.reading.event_type {
                "panics" => panic!("planted"),
                "refused" => return Err(StoreError::Refused { constraint: "a CHECK".to_owned() }),
                "fails" => return Err(StoreError::Missed { table: "payments", expected: 1, got: 0 }),
                "away" => return Err(StoreError::Over),
                "held" => return Err(contended()),
                "met once" if committed.lock().unwrap().is_empty() => {
                    committed.lock().unwrap().push(0);
                    return Err(contended());
                }
                "orphan" => return Err(StoreError::Orphaned { constraint: "FOREIGN KEY".to_owned() }),
                "again" => Outcome::Repeated,
                _ => Outcome::Applied,
            },
        });
    }
    committed.lock().unwrap().push(part.len());
    Ok(outcomes)
}

fn contended() -> StoreError {
    StoreError::Contended { because: "deadlock detected".to_owned() }
}

/// Writes these; returns the verdicts and how many deliveries each committed transaction had.
async fn written(words: &[&str]) -> (Vec<Verdict>, Vec<usize>) {
    let mut slots: Vec<Slot> = words.iter().enumerate().map(|(index, word)| slot(index, word)).collect();
    let mut verdicts = vec![Err(Postponed::ShuttingDown); words.len()];
    let committed = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&committed);
    let transaction: Transaction = Box::new(move |part| {
        let told = Arc::clone(&told);
        async move { transaction(part, &told) }.boxed()
    });
    write(&mut slots, &mut verdicts, &transaction).await;
    let committed = committed.lock().unwrap().clone();
    (verdicts, committed)
}

fn word(verdict: &Verdict) -> String {
    match verdict {
        Ok(Outcome::Buried(reason)) => reason.as_str().to_owned(),
        Ok(outcome) => outcome.word().to_owned(),
        Err(Postponed::LedgerAway(_)) => "away".to_owned(),
        Err(Postponed::AccountMissing(_)) => "account missing".to_owned(),
        Err(Postponed::Contended(_)) => "contended".to_owned(),
        Err(Postponed::Failed(_)) => "failed".to_owned(),
        Err(Postponed::ShuttingDown) => "shutting down".to_owned(),
    }
}

async fn words(of: &[&str]) -> Vec<String> {
    written(of).await.0.iter().map(word).collect()
}

#[tokio::test]
async fn what_fits_is_one_transaction() {
    let (verdicts, committed) = written(&["good", "again", "good"]).await;
    assert_eq!(verdicts.iter().map(word).collect::<Vec<_>>(), ["applied", "repeated", "applied"]);
    assert_eq!(committed, [3]);
}

#[tokio::test]
async fn whatever_one_does_stays_with_that_one_and_every_verdict_is_its_own() {
    for (bad, verdict) in
        [("panics", "panicked"), ("refused", "refused"), ("fails", "failed"), ("orphan", "account missing")]
    {
        for place in 0..9 {
            let mut batch = ["good"; 9];
            batch[(place + 1) % 9] = "again";
            batch[place] = bad;
            let mut expected = ["applied"; 9];
            expected[(place + 1) % 9] = "repeated";
            expected[place] = verdict;
            assert_eq!(words(&batch).await, expected);
        }
    }
}

#[tokio::test]
async fn several_at_fault_are_each_found() {
    let batch = ["refused", "good", "panics", "fails", "again", "orphan", "refused"];
    let expected = ["refused", "applied", "panicked", "failed", "repeated", "account missing", "refused"];
    assert_eq!(words(&batch).await, expected);
}

#[tokio::test]
async fn a_ledger_that_is_away_is_asked_once_for_the_whole_batch() {
    let (verdicts, committed) = written(&["good", "away", "good", "good"]).await;
    assert!(verdicts.iter().all(|verdict| word(verdict) == "away"));
    assert!(committed.is_empty());
}

#[tokio::test]
async fn a_batch_that_met_another_transaction_goes_again_as_it_is() {
    let (verdicts, committed) = written(&["good", "met once", "good", "good"]).await;
    assert!(verdicts.iter().all(|verdict| word(verdict) == "applied"));
    assert_eq!(committed, [0, 4]);
}

#[tokio::test]
async fn a_row_somebody_holds_keeps_back_what_needs_it_and_nothing_else() {
    assert_eq!(words(&["good", "held", "good", "again"]).await, ["applied", "contended", "applied", "repeated"]);
}

#[tokio::test]
async fn an_empty_batch_is_no_transaction() {
    assert!(written(&[]).await.1.is_empty());
}
