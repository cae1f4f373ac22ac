//! Questions for the gateways: one open row a reference, raised and strengthened, and closed where what came answers it.

use afluente_model::{Amount, Timestamp, WantKind, WantReason};
use afluente_store::{NameRow, PaymentRow, Settled, Store, WantRow};
use uuid::Uuid;

use super::content::{account, at, key, payment, stored_receipt};
use crate::site::site;

fn want(reference: &str, tenant: &str, receipt: Uuid) -> WantRow {
    WantRow {
        id: Uuid::now_v7(),
        account: account("shop"),
        tenant: tenant.into(),
        kind: WantKind::Charge,
        reference: reference.into(),
        context: None,
        reason: WantReason::Hint,
        not_before: at(1),
        is_proved: true,
        receipt,
    }
}

fn because(reason: WantReason, not_before: Timestamp, want: WantRow) -> WantRow {
    WantRow { reason, not_before, ..want }
}

#[tokio::test]
async fn one_open_want_a_reference_counts_how_often_it_was_raised() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let asked = || [("ch_1", ""), ("ch_1", ""), ("ch_2", ""), ("ch_1", "acct_1")].map(|(id, of)| want(id, of, receipt));
    tx.open_wants(&asked(), at(1)).await.unwrap();
    tx.open_wants(&asked(), at(2)).await.unwrap();
    tx.commit().await.unwrap();
    let open = site.store.wants(Some("shop"), 10).await.unwrap();
    let mut raised: Vec<_> = open.iter().map(|want| (&*want.reference, &*want.tenant, want.raised)).collect();
    raised.sort_unstable();
    assert_eq!(raised, [("ch_1", "", 4), ("ch_1", "acct_1", 2), ("ch_2", "", 2)]);
    assert!(open.iter().all(|want| want.created_at == at(1)));
    assert!(site.store.wants(Some("other"), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_stronger_reason_and_the_earlier_moment_stay_whatever_came_first() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let reasons = |id: &str| {
        [
            because(WantReason::Hint, at(9), want(id, "", receipt)),
            because(WantReason::Contested, at(20), want(id, "", receipt)),
            because(
                WantReason::Unconfirmed,
                at(5),
                WantRow { context: Some("acct_1/acct_2".into()), ..want(id, "", receipt) },
            ),
        ]
    };
    for (order, id) in [[0, 1, 2], [2, 1, 0], [1, 0, 2]].iter().zip(["ch_1", "ch_2", "ch_3"]) {
        for place in order {
            tx.open_wants(&[reasons(id)[*place].clone()], at(1)).await.unwrap();
        }
    }
    tx.open_wants(&reasons("ch_4"), at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let open = site.store.wants(None, 10).await.unwrap();
    assert_eq!(open.len(), 4);
    for want in open {
        let said = (&*want.reason, want.due_at, want.raised, want.context.as_deref());
        assert_eq!(said, ("contested", at(5), 3, Some("acct_1/acct_2")), "{}", want.reference);
    }
}

#[tokio::test]
async fn what_only_had_to_be_confirmed_is_dropped_when_it_is_due_and_known_and_not_before() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let ids = ["pi_paid", "pi_inferred", "pi_open", "pi_disputed"];
    let (mut rows, mut names) = (Vec::new(), Vec::new());
    for id in ids {
        names.push(NameRow { name: key("shop", "", id), payment: id.into() });
        rows.push(payment(&mut tx, &key("shop", "", id)).await);
    }
    names.push(NameRow { name: key("shop", "", "ch_paid"), payment: "pi_paid".into() });
    let mut kinds = vec![("charge", "ch_paid"), ("disputes", "pi_paid"), ("disputes", "pi_disputed")];
    kinds.extend(ids.map(|id| ("payment_intent", id)));
    kinds.push(("payment_intent", "pi_unheard"));
    let asked: Vec<WantRow> = kinds
        .iter()
        .map(|(kind, id)| WantRow {
            kind: kind.parse().unwrap(),
            ..because(WantReason::Unconfirmed, at(120), want(id, "", receipt))
        })
        .collect();
    tx.open_wants(&asked, at(0)).await.unwrap();
    tx.open_wants(&[WantRow { kind: WantKind::Refund, ..want("pi_paid", "", receipt) }], at(0)).await.unwrap();
    known(&mut rows);
    tx.save_payments(&rows).await.unwrap();
    let heard: Vec<_> = names.iter().map(|row| row.name.clone()).collect();
    tx.lock_names(&heard, at(0)).await.unwrap();
    tx.save_names(&names, at(0)).await.unwrap();
    assert_eq!(tx.close_known_wants(None, at(119)).await.unwrap(), (0, None), "none is due");
    let (closed, last) = tx.close_known_wants(None, at(120)).await.unwrap();
    assert_eq!(closed, 4);
    assert_eq!(tx.close_known_wants(last, at(121)).await.unwrap(), (0, None), "all were looked at");
    assert_eq!(tx.close_known_wants(None, at(121)).await.unwrap().0, 0);
    tx.commit().await.unwrap();
    let open = site.store.wants(None, 20).await.unwrap();
    let mut left: Vec<_> = open.iter().map(|want| (&*want.kind, &*want.reference)).collect();
    left.sort_unstable();
    let inferred = ("payment_intent", "pi_inferred");
    let expected = [
        ("disputes", "pi_paid"),
        inferred,
        ("payment_intent", "pi_open"),
        ("payment_intent", "pi_unheard"),
        ("refund", "pi_paid"),
    ];
    assert_eq!(left, expected);
}

/// Money of the first, the second and the last is known, but the second's only by inference; the last has a dispute.
fn known(rows: &mut [PaymentRow]) {
    let taken = Amount::new(100).unwrap();
    for place in [0, 1, 3] {
        rows[place].payment.status = afluente_model::PaymentStatus::Succeeded;
        rows[place].payment.amounts.captured = taken;
    }
    rows[1].payment.capture_inferred = true;
    rows[3].payment.dispute_state = afluente_model::DisputeState::Won;
}

#[tokio::test]
async fn more_wants_than_one_look_takes_are_looked_at_place_by_place() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let asked: Vec<WantRow> = (0..1_200)
        .map(|n| because(WantReason::Unconfirmed, at(n % 3), want(&format!("ch_{n}"), "", receipt)))
        .collect();
    tx.open_wants(&asked, at(0)).await.unwrap();
    let mut rows = vec![payment(&mut tx, &key("shop", "", "ch_1199")).await];
    rows[0].payment.status = afluente_model::PaymentStatus::Succeeded;
    rows[0].payment.amounts.captured = Amount::new(1).unwrap();
    tx.save_payments(&rows).await.unwrap();
    tx.lock_names(&[key("shop", "", "ch_1199")], at(0)).await.unwrap();
    let (mut after, mut looks, mut closed) = (None, 0, 0);
    loop {
        let (now_closed, last) = tx.close_known_wants(after, at(5)).await.unwrap();
        closed += now_closed;
        if last.is_none() {
            break;
        }
        (after, looks) = (last, looks + 1);
    }
    assert_eq!((looks, closed), (3, 1));
}

#[tokio::test]
async fn a_want_is_taken_by_one_until_its_time_is_over() {
    let site = site().await;
    opened(&site.store, &[("ch_1", WantReason::Hint), ("ch_2", WantReason::Contested)]).await;
    let shop = account("shop");
    assert!(!site.store.is_want_due(&shop, at(0)).await.unwrap(), "none is due yet");
    assert!(site.store.is_want_due(&shop, at(1)).await.unwrap());
    assert!(!site.store.is_want_due(&account("other"), at(1)).await.unwrap());
    assert_eq!(taken(&site.store, 0, 60).await, [""; 0]);
    let mut first = taken(&site.store, 1, 61).await;
    first.sort_unstable();
    assert_eq!(first, ["ch_1 1", "ch_2 1"]);
    assert_eq!(taken(&site.store, 60, 120).await, [""; 0], "somebody asks");
    assert_eq!(taken(&site.store, 61, 120).await.len(), 2, "whoever asked is gone");
}

#[tokio::test]
async fn an_answer_closes_a_want_only_if_nobody_raised_it_meanwhile() {
    let site = site().await;
    opened(&site.store, &[("ch_1", WantReason::Hint)]).await;
    for (round, raised_meanwhile) in [(1, true), (2, false)] {
        let mut tx = site.store.begin().await.unwrap();
        let want = tx.take_wants(&account("shop"), 9, true, (at(round), at(round + 60))).await.unwrap().remove(0);
        tx.commit().await.unwrap();
        if raised_meanwhile {
            opened(&site.store, &[("ch_1", WantReason::Contested)]).await;
        }
        let answered = Settled {
            id: want.id,
            answers: Some(want.raised),
            began: at(round),
            outcome: "answered",
            held_until: at(round + 1),
        };
        let mut tx = site.store.begin().await.unwrap();
        tx.settle_wants(&[answered.clone(), Settled { id: Uuid::now_v7(), ..answered }], at(round)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(site.store.wants(None, 9).await.unwrap().len(), usize::from(raised_meanwhile));
    }
    assert_eq!(site.count("select attempts from wants where closed_because = 'answered' and raised = 2").await, 2);
}

/// Raises a hint at this second, as a worker does.
async fn hinted(store: &Store, second: i64) {
    let mut tx = store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let hint = because(WantReason::Hint, at(second + 2), want("ch_1", "", receipt));
    tx.open_wants(&[hint], at(second)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn hints_of_one_object_rest_until_none_came_for_a_moment_but_a_flood_puts_the_call_off_only_for_a_while() {
    let site = site().await;
    hinted(&site.store, 0).await;
    hinted(&site.store, 1).await;
    assert_eq!(taken(&site.store, 2, 2).await, [""; 0], "the second rests");
    assert_eq!(taken(&site.store, 3, 3).await, ["ch_1 2"]);
    for second in 3..30 {
        hinted(&site.store, second).await;
    }
    assert_eq!(taken(&site.store, 10, 10).await, ["ch_1 29"]);
}

#[tokio::test]
async fn an_answer_that_may_be_older_than_the_newest_notice_leaves_the_question_open() {
    let site = site().await;
    for second in 0..10 {
        hinted(&site.store, second).await;
    }
    for (second, left) in [(10, 1), (11, 0)] {
        let mut tx = site.store.begin().await.unwrap();
        let want = tx.take_wants(&account("shop"), 9, true, (at(second), at(second))).await.unwrap().remove(0);
        assert_eq!(want.raised, 10);
        let began = at(second);
        let answered =
            Settled { id: want.id, answers: Some(10), began, outcome: "answered", held_until: at(second + 1) };
        tx.settle_wants(&[answered], at(second)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(site.store.wants(None, 9).await.unwrap().len(), left, "{second}");
    }
}

#[tokio::test]
async fn what_an_answer_says_to_wait_a_new_question_does_not_shorten() {
    let site = site().await;
    opened(&site.store, &[("ch_1", WantReason::Hint)]).await;
    let mut tx = site.store.begin().await.unwrap();
    let want = tx.take_wants(&account("shop"), 1, true, (at(1), at(61))).await.unwrap().remove(0);
    let absent = Settled { id: want.id, answers: None, began: at(0), outcome: "absent", held_until: at(3_600) };
    tx.settle_wants(&[absent], at(2)).await.unwrap();
    tx.commit().await.unwrap();
    opened(&site.store, &[("ch_1", WantReason::Contested)]).await;
    assert_eq!(taken(&site.store, 3_599, 4_000).await, [""; 0]);
    assert_eq!(taken(&site.store, 3_600, 4_000).await, ["ch_1 2"]);
    let open = site.store.wants(None, 9).await.unwrap();
    assert_eq!((open[0].attempts, open[0].last_outcome.as_deref(), open[0].due_at), (1, Some("absent"), at(4_000)));
}

#[tokio::test]
async fn what_answered_itself_is_closed_when_it_would_be_asked() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let mut rows = vec![payment(&mut tx, &key("shop", "", "ch_1")).await];
    rows[0].payment.status = afluente_model::PaymentStatus::Succeeded;
    rows[0].payment.amounts.captured = Amount::new(100).unwrap();
    tx.save_payments(&rows).await.unwrap();
    let name = NameRow { name: key("shop", "", "ch_1"), payment: "ch_1".into() };
    tx.lock_names(std::slice::from_ref(&name.name), at(0)).await.unwrap();
    tx.save_names(&[name], at(0)).await.unwrap();
    let wants = ["ch_1", "ch_2"].map(|id| because(WantReason::Unconfirmed, at(120), want(id, "", receipt)));
    tx.open_wants(&wants, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(taken(&site.store, 120, 180).await, ["ch_2 1"]);
    assert_eq!(site.count("select count(*) from wants where closed_because = 'known' and reference = 'ch_1'").await, 1);
}

#[tokio::test]
async fn calls_are_counted_by_account_and_month() {
    let site = site().await;
    let shop = account("shop");
    for calls in [1, 2] {
        let mut tx = site.store.begin().await.unwrap();
        tx.count_lookup_calls(&shop, "2026-11", calls).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(site.store.lookup_calls(&shop, "2026-11").await.unwrap(), 3);
    assert_eq!(site.store.lookup_calls(&shop, "2026-12").await.unwrap(), 0);
}

/// Opens wants that are due at once.
pub(crate) async fn opened(store: &Store, wants: &[(&str, WantReason)]) {
    let mut tx = store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let rows: Vec<WantRow> = wants.iter().map(|(id, reason)| because(*reason, at(1), want(id, "", receipt))).collect();
    tx.open_wants(&rows, at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_hint_that_something_changed_is_asked_though_the_same_was_said_in_passing_and_is_known() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let passing = |id: &str| because(WantReason::Unconfirmed, at(120), want(id, "", receipt));
    tx.open_wants(&[want("first", "", receipt), passing("second")], at(0)).await.unwrap();
    tx.open_wants(&[passing("first"), want("second", "", receipt)], at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let open = site.store.wants(Some("shop"), 10).await.unwrap();
    assert!(open.iter().all(|want| want.reason == "hint"), "what is known answers no hint: {open:?}");
    assert_eq!(taken(&site.store, 1, 1).await.len(), 2, "and it is not put off");
}

#[tokio::test]
async fn what_nobody_signed_is_asked_after_all_that_is_proved_and_only_where_it_may_be() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let hint = |id: &str| WantRow { is_proved: false, ..want(id, "", receipt) };
    let later = |id: &str| WantRow { not_before: at(2), ..want(id, "", receipt) };
    tx.open_wants(&[hint("one"), hint("two"), later("signed")], at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let taken = async |most, with_hints| {
        let mut tx = site.store.begin().await.unwrap();
        let taken = tx.take_wants(&account("shop"), most, with_hints, (at(3), at(3))).await.unwrap();
        tx.commit().await.unwrap();
        taken.iter().map(|want| want.reference.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(taken(9, false).await, ["signed"]);
    assert_eq!(taken(2, true).await.len(), 2);
    assert_eq!(taken(9, true).await.first().map(String::as_str), Some("signed"), "though it is the youngest");
    // Raised by what is proved, it is no hint of nobody's any more; by what is not, it stays proved.
    let mut tx = site.store.begin().await.unwrap();
    tx.open_wants(&[want("two", "", receipt)], at(1)).await.unwrap();
    tx.open_wants(&[hint("signed"), hint("two")], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut proved = taken(9, false).await;
    proved.sort();
    assert_eq!(proved, ["signed", "two"]);
}

/// References and how often they were raised, of what is taken at this moment.
async fn taken(store: &Store, now: i64, until: i64) -> Vec<String> {
    let mut tx = store.begin().await.unwrap();
    let taken = tx.take_wants(&account("shop"), 9, true, (at(now), at(until))).await.unwrap();
    tx.commit().await.unwrap();
    taken.iter().map(|want| format!("{} {}", want.reference, want.raised)).collect()
}
