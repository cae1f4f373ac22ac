//! Every word of Mercado Pago's tables, read alone, reads as its row says.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::vocabulary::Entry;
use afluente_gateways::{AccountView, Envelope, Reading, Tenants, adapter, read};
use afluente_model::{
    AccountName, Answer, Asked, Gateway, Incoming, Kind, Mode, ProviderId, Timestamp, WantKind, fold, project,
    project_subscription,
};
use bytes::Bytes;
use serde_json::{Value, json};

const AT: &str = "2025-11-23T08:01:00.000-04:00";

fn said(kind: WantKind, id: &str, body: &Value) -> Reading {
    let asked = Asked {
        kind,
        id: ProviderId::parse(id).unwrap(),
        tenant: None,
        context: None,
        path: "/v1/objects".into(),
        listed: false,
    };
    let incoming = Incoming::Answer(Answer {
        gateway: Gateway::MercadoPago,
        account: AccountName::parse("shop").unwrap(),
        asked,
        status: 200,
        received_at: Timestamp::from_seconds(1_764_000_000).unwrap(),
        headers: Vec::new(),
        body: Bytes::from(body.to_string()),
    });
    let account = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    read(adapter(Gateway::MercadoPago), &Envelope::of(&incoming, &account)).unwrap()
}

/// The words of a field, each with a detail that leads to its row.
fn rows(field: &str) -> Vec<(Entry, String, String)> {
    let entries = adapter(Gateway::MercadoPago).vocabulary();
    let of_field = entries.into_iter().filter(|entry| entry.field == field);
    let each = of_field.flat_map(|entry| {
        let word = entry.word.to_string();
        let (status, details) = word
            .split_once(" (")
            .map_or((word.as_str(), ""), |(status, rest)| (status, rest.strip_suffix(')').unwrap()));
        let details: Vec<String> = details.split(", ").map(str::to_owned).collect();
        details.into_iter().map(|detail| (entry.clone(), status.to_owned(), detail)).collect::<Vec<_>>()
    });
    each.collect()
}

fn status_of(reading: &Reading) -> &'static str {
    let conventions = adapter(Gateway::MercadoPago).profile().conventions;
    project(&fold(reading.facts.iter().map(|(_, fact)| fact)), conventions).status.as_str()
}

#[test]
fn every_status_of_a_payment_reads_as_its_row_says() {
    let rows = rows("payment.status");
    for (entry, status, detail) in &rows {
        let refunded = if status == "refunded" { 10 } else { 0 };
        let body = json!({"id": 1, "status": status, "status_detail": detail, "transaction_amount": 10,
            "transaction_amount_refunded": refunded, "currency_id": "BRL", "date_last_updated": AT});
        let reading = said(WantKind::Payment, "1", &body);
        assert_eq!(status_of(&reading), entry.reads_as, "{status} {detail}");
        let facts: Vec<String> =
            reading.facts.iter().map(|(_, fact)| format!("{}.{}", fact.kind.family(), fact.kind.word())).collect();
        assert!(entry.facts.iter().map(AsRef::as_ref).eq(facts.iter().map(String::as_str)), "{status}: {facts:?}");
        assert!(reading.unmapped.is_empty());
    }
    assert_eq!(rows.len(), 20);
}

#[test]
fn every_rejection_of_the_sheet_is_a_decline_with_its_code() {
    let details = "bad_filled_card_number bad_filled_date bad_filled_other bad_filled_security_code blacklist \
                   call_for_authorize card_disabled card_error card_type_not_allowed duplicated_payment high_risk \
                   insufficient_amount invalid_installments max_attempts other_reason time_out 3ds_challenge 3ds_mandatory";
    let prefixed = details.split_whitespace().map(|detail| format!("cc_rejected_{detail}"));
    let plain = "cc_amount_rate_limit_exceeded bank_error rejected_by_bank rejected_by_regulations \
                 rejected_insufficient_data rejected_high_risk insufficient_amount";
    for detail in prefixed.chain(plain.split_whitespace().map(str::to_owned)) {
        let body = json!({"id": 1, "status": "rejected", "status_detail": detail, "transaction_amount": 10,
            "currency_id": "BRL", "date_last_updated": AT});
        let reading = said(WantKind::Payment, "1", &body);
        let conventions = adapter(Gateway::MercadoPago).profile().conventions;
        let row = project(&fold(reading.facts.iter().map(|(_, fact)| fact)), conventions);
        assert_eq!((row.status.as_str(), row.last_failure_code.as_deref()), ("FAILED", Some(detail.as_str())));
    }
}

#[test]
fn every_status_of_an_order_reads_as_its_row_says() {
    for (entry, status, detail) in rows("order.status") {
        let body = json!({"id": "ORD1", "status": status, "status_detail": detail, "country_code": "BRA",
            "last_updated_date": AT, "transactions": {"payments": [{"id": "PAY1", "amount": "10.00"}]}});
        let reading = said(WantKind::Order, "ORD1", &body);
        assert_eq!(status_of(&reading), entry.reads_as, "{status} {detail}");
    }
}

#[test]
fn every_status_of_a_refund_is_one_kind_of_refund() {
    for (entry, status, _) in rows("refund.status") {
        let body = json!({"id": 1, "status": "approved", "status_detail": "accredited", "transaction_amount": 10,
            "currency_id": "BRL", "date_last_updated": AT, "refunds": [{"id": 2, "amount": 1, "status": status}]});
        let reading = said(WantKind::Payment, "1", &body);
        let refund = reading.facts.iter().find(|(_, fact)| &*fact.op == "2").unwrap();
        assert_eq!(format!("refund.{}", refund.1.kind.word()), *entry.facts[0], "{status}");
    }
}

#[test]
fn every_status_of_a_subscription_reads_as_its_row_says() {
    for (entry, status, _) in rows("preapproval.status") {
        let body = json!({"id": "a1", "status": status, "last_modified": AT});
        let reading = said(WantKind::Subscription, "a1", &body);
        let row = project_subscription(&fold(reading.subscriptions.iter().map(|(_, fact)| fact)));
        assert_eq!(row.base.as_str(), entry.reads_as, "{status}");
    }
}

#[test]
fn words_that_change_no_row_are_known_and_others_are_counted() {
    for (field, kind) in [
        ("merchant_order.status", WantKind::MerchantOrder),
        ("authorized_payment.status", WantKind::Instalment),
        ("chargeback.status", WantKind::Chargeback),
        ("claim.status", WantKind::Claim),
        ("plan.status", WantKind::Plan),
    ] {
        for (_, status, _) in rows(field) {
            assert_eq!(said(kind, "1", &json!({"id": 1, "status": status})).unmapped, [], "{field} {status}");
        }
        let odd = said(kind, "1", &json!({"id": 1, "status": "never_heard_of"}));
        assert_eq!(odd.unmapped.iter().map(|word| word.field).collect::<Vec<_>>(), [field]);
    }
}
