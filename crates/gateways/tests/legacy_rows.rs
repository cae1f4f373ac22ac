//! Rows of an application beside us: what each of its words says, and what is asked because nobody can know.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::{AccountView, Envelope, Malformed, Reading, Tenants, adapter, read};
use afluente_model::{
    AccountName, Gateway, Incoming, Mode, Payment, Source, Statement, Timestamp, fold, legacy, project,
};
use serde_json::{Value, json};

fn reading(gateway: Gateway, body: &Value) -> Result<Reading, Malformed> {
    let statement = Statement {
        gateway,
        account: AccountName::parse("shop").unwrap(),
        received_at: Timestamp::from_seconds(1_790_000_000).unwrap(),
        body: body.to_string().into_bytes().into(),
    };
    let view = AccountView { mode: Mode::Live, external_id: None, tenants: Tenants::Own };
    read(adapter(gateway), &Envelope::of(&Incoming::Statement(statement), &view))
}

/// A row of a payment of this gateway, with these columns.
fn row(gateway: Gateway, columns: &Value) -> Reading {
    let (order, charge) = match gateway {
        Gateway::Stripe => ("pi_1", "ch_1"),
        Gateway::Pagarme => ("or_1", "ch_1"),
        Gateway::Appmax | Gateway::MercadoPago | Gateway::OpenFinance => ("123", ""),
    };
    let mut body = json!({
        "of": "payment", "row": "2f1c", "provider": legacy::spellings(gateway)[0], "order": order, "charge": charge,
        "amount": 1_000, "currency": "brl", "method": "credit_card",
    });
    body.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
    reading(gateway, &body).unwrap()
}

/// `STATUS captured refunded`, and what is asked.
fn said(reading: &Reading) -> (String, String) {
    let facts: Vec<_> = reading.facts.iter().map(|(_, fact)| fact).collect();
    assert!(facts.iter().all(|fact| fact.source == Source::Legacy && fact.at.is_none()));
    let shown = if facts.is_empty() {
        "nothing".to_owned()
    } else {
        let row: Payment = project(&fold(facts), adapter(Gateway::Stripe).profile().conventions);
        format!("{} {} {}", row.status.as_str(), row.amounts.captured.minor(), row.amounts.refunded.minor())
    };
    let wants = reading.wants.iter().map(|want| format!("{} {}", want.kind, want.id)).collect::<Vec<_>>().join(", ");
    (shown, wants)
}

#[test]
fn every_word_their_code_writes_is_read_as_it_means_it() {
    let cases = [
        (Gateway::Pagarme, json!({"status": "processing"}), "PROCESSING 0 0", ""),
        (Gateway::Pagarme, json!({"status": "pending", "method": "pix"}), "REQUIRES_ACTION 0 0", ""),
        (Gateway::Pagarme, json!({"status": "processing", "is_stale": true}), "PROCESSING 0 0", "payment ch_1"),
        (Gateway::Pagarme, json!({"status": "paid"}), "SUCCEEDED 1000 0", ""),
        (Gateway::Stripe, json!({"status": "captured", "charge": ""}), "SUCCEEDED 1000 0", ""),
        (Gateway::Stripe, json!({"status": "succeeded", "refunded": 300}), "PARTIALLY_REFUNDED 1000 300", ""),
        (Gateway::Stripe, json!({"status": "authorized"}), "AUTHORIZED 0 0", ""),
        (Gateway::Appmax, json!({"status": "authorized"}), "IN_REVIEW 0 0", ""),
        (Gateway::Stripe, json!({"status": "requires_payment_method"}), "PENDING 0 0", ""),
        (Gateway::Stripe, json!({"status": "failed"}), "FAILED 0 0", ""),
        (Gateway::Appmax, json!({"status": "canceled"}), "CANCELED 0 0", ""),
        (Gateway::Pagarme, json!({"status": "canceled"}), "CANCELED 0 0", "payment ch_1"),
        (Gateway::Stripe, json!({"status": "refunded"}), "REFUNDED 1000 1000", ""),
        (Gateway::Pagarme, json!({"status": "chargedback"}), "CHARGED_BACK 1000 0", ""),
        (Gateway::Pagarme, json!({"status": "underpaid"}), "PROCESSING 0 0", "payment ch_1"),
    ];
    for (gateway, columns, shown, wants) in cases {
        assert_eq!(said(&row(gateway, &columns)), (shown.to_owned(), wants.to_owned()), "{gateway:?} {columns}");
    }
}

#[test]
fn a_row_that_contradicts_itself_is_asked_about_and_never_failed_by_itself() {
    let paid = row(Gateway::Pagarme, &json!({"status": "paid", "status_v2": "PROCESSING"}));
    assert_eq!(said(&paid), ("SUCCEEDED 1000 0".to_owned(), String::new()), "their code forgets the newer column");
    let failed = row(Gateway::Pagarme, &json!({"status": "failed", "was_paid": true}));
    assert_eq!(said(&failed), ("nothing".to_owned(), "payment ch_1".to_owned()));
    let both = row(Gateway::Pagarme, &json!({"status": "canceled", "status_v2": "REFUNDED"}));
    assert_eq!(said(&both), ("REFUNDED 1000 1000".to_owned(), "payment ch_1".to_owned()));
    let no_amount = row(Gateway::Appmax, &json!({"status": "paid", "amount": 0}));
    assert_eq!(said(&no_amount), ("nothing".to_owned(), "payment 123".to_owned()));
    let accepted = row(Gateway::OpenFinance, &json!({"status": "paid", "status_v2": "SUCCEEDED", "word": "ACCP"}));
    assert_eq!(said(&accepted).0, "PROCESSING 0 0", "a bank that accepted has paid nothing yet");
}

#[test]
fn a_word_nobody_writes_is_unknown_counted_and_asked() {
    for word in ["active", "200", "pago"] {
        let reading = row(Gateway::Pagarme, &json!({"status": word}));
        assert_eq!(said(&reading), ("UNKNOWN 0 0".to_owned(), "payment ch_1".to_owned()), "{word}");
        assert_eq!((reading.unmapped[0].field, &*reading.unmapped[0].word), ("payment_transactions.status", word));
    }
}

#[test]
fn a_row_is_found_by_whichever_of_its_ids_names_the_payment() {
    let named = |gateway, columns: &Value| {
        let reading = row(gateway, columns);
        let payment = reading.facts.first().map_or("-", |(payment, _)| payment.id.as_str()).to_owned();
        (payment, said(&reading).1)
    };
    let cases = [
        (Gateway::Stripe, json!({"status": "paid", "order": null, "charge": null, "row": "pi_9"}), "pi_9", ""),
        (Gateway::Stripe, json!({"status": "paid", "order": "ch_9", "charge": null}), "ch_9", ""),
        (
            Gateway::Stripe,
            json!({"status": "paid", "order": null, "charge": null, "row": "inv_in_9"}),
            "-",
            "invoice in_9",
        ),
        (Gateway::Pagarme, json!({"status": "paid", "charge": null}), "-", "order or_1"),
        (Gateway::Pagarme, json!({"status": "paid", "order": "ch_9", "charge": null}), "ch_9", ""),
        (Gateway::Pagarme, json!({"status": "paid", "order": "sub_9", "charge": null}), "-", "subscription sub_9"),
        (Gateway::Appmax, json!({"status": "paid", "order": null, "row": "appmax_77"}), "77", ""),
        (Gateway::Appmax, json!({"status": "paid", "order": null, "row": "tx_appmax_9_202501"}), "-", ""),
        (Gateway::OpenFinance, json!({"status": "processing", "order": "c_1", "row": "ob:c_1"}), "-", ""),
    ];
    for (gateway, columns, payment, wants) in cases {
        assert_eq!(named(gateway, &columns), (payment.to_owned(), wants.to_owned()), "{columns}");
    }
    let both = row(Gateway::Stripe, &json!({"status": "paid"}));
    assert_eq!(both.aliases[0].alias.id.as_str(), "ch_1");
}

#[test]
fn people_and_sessions_are_claimed_as_their_row_has_them() {
    let claims = |gateway, body: &Value| -> Vec<String> {
        let reading = reading(gateway, body).unwrap();
        assert!(reading.claims.iter().all(|claim| claim.at.is_none()) && reading.facts.is_empty());
        let shown = reading.claims.iter().map(|claim| {
            let tenant = claim.subject.tenant.as_ref().map_or("", |tenant| tenant.as_str());
            format!(
                "{} {}{} {} {}",
                claim.subject.kind.as_str(),
                tenant,
                claim.subject.id,
                claim.kind.as_str(),
                claim.value
            )
        });
        shown.collect()
    };
    let buyer = json!({
        "of": "buyer", "row": "1", "provider": "stripe", "order": "pi_1", "customer": "cus_1", "email": " Ana@X.com ",
        "document": "111.444.777-35", "their_customer": "c9",
    });
    assert_eq!(
        claims(Gateway::Stripe, &buyer),
        [
            "payment pi_1 customer cus_1",
            "payment pi_1 their_customer c9",
            "payment pi_1 email ana@x.com",
            "payment pi_1 document 11144477735"
        ]
    );
    let customer = json!({"of": "customer", "row": "c9", "customer": "cus_1", "email": "ana@x.com", "document": "1"});
    assert_eq!(claims(Gateway::Stripe, &customer), ["customer cus_1 email ana@x.com"], "a wrong document is none");
    let alone = json!({"of": "customer", "row": "c9", "email": "ana@x.com"});
    assert_eq!(claims(Gateway::Stripe, &alone), ["customer legacyc9 email ana@x.com"]);
    let session = |status: &str, took: bool| {
        let body = json!({"of": "session", "row": "s1", "payment": "ch_1", "status": status, "took_money": took});
        claims(Gateway::Pagarme, &body)[1].clone()
    };
    assert_eq!(session("abandoned", true), "checkout s1 status complete", "a job of theirs calls it so, paid or not");
    assert_eq!(session("abandoned", false), "checkout s1 status expired");
    assert_eq!(session("pix_generated", false), "checkout s1 status open");
}

#[test]
fn what_is_no_row_of_theirs_is_refused_with_what_was_expected() {
    let refused = |gateway, body: &Value| reading(gateway, body).unwrap_err().to_string();
    assert!(
        refused(Gateway::Stripe, &json!({"of": "secret"}))
            .contains("expected payment, buyer, customer, session or decision in of")
    );
    let of_another = json!({"of": "payment", "row": "1", "provider": "pagarme", "status": "paid"});
    assert!(refused(Gateway::Stripe, &of_another).contains("expected a spelling of the account's gateway in provider"));
    assert!(refused(Gateway::Stripe, &json!([1])).contains("expected"));
}
