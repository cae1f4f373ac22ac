//! Objects as the API shows them, with the fields real ones have.

use afluente_model::Timestamp;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::life::{Life, Method, Shape, State};
use crate::plan::{self, Lot};

/// One payment being played.
pub(super) struct Played<'a> {
    pub(super) life: &'static Life,
    pub(super) lot: Lot,
    pub(super) ids: Ids,
    /// The seller, where it is known.
    pub(super) seller: Option<&'a str>,
}

/// The ids of one payment and of what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    run: u64,
    number: usize,
}

impl Ids {
    /// Of payment number so many; runs differ by what they hash to.
    pub(super) fn new(run: &str, number: usize) -> Ids {
        Ids { run: plan::chance(run) % 800_000, number }
    }

    /// Twelve digits, as today's payments have them.
    pub(super) fn payment(self) -> String {
        format!("{}{:06}", 100_000 + self.run, self.number)
    }

    /// Where only forgeries and what must not become a payment are: `999` and `998`.
    pub(super) fn beside(self, prefix: &str) -> String {
        format!("{prefix}{:03}{:06}", self.run % 1_000, self.number)
    }

    pub(super) fn merchant_order(self) -> String {
        format!("4{}", self.payment())
    }

    pub(super) fn chargeback(self) -> String {
        format!("2{}", self.payment())
    }

    pub(super) fn instalment(self) -> String {
        format!("7{}", self.payment())
    }

    pub(super) fn order(self) -> String {
        format!("ORDTST01{:018X}", u64::from_str_radix(&self.payment(), 16).unwrap_or_default())
    }

    pub(super) fn subscription(self) -> String {
        format!("2c93808472{:022x}", u64::from_str_radix(&self.payment(), 16).unwrap_or_default())
    }
}

/// A moment as most of its objects have it: with milliseconds, four hours behind UTC.
pub(super) fn time(seconds: i64) -> String {
    let local = Timestamp::from_seconds(seconds - 4 * 3_600).map_or_else(|_| String::new(), |at| at.to_string());
    format!("{}.000-04:00", local.trim_end_matches('Z'))
}

impl Played<'_> {
    /// What the truth calls it.
    pub(super) fn id(&self) -> String {
        match self.life.shape {
            Shape::Payment | Shape::Charged { .. } => self.ids.payment(),
            Shape::Order => format!("PAY01{}", self.ids.order().trim_start_matches("ORDTST01")),
        }
    }

    /// An amount as a number with the decimals its currency has.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53, so that the shortest text is the exact one")]
    fn number(&self, minor: i64) -> Value {
        if self.lot.currency == "CLP" { json!(minor) } else { json!(minor as f64 / 100.0) }
    }

    fn part(&self, hundredths: i64) -> Value {
        self.number(plan::part(self.lot.amount, hundredths))
    }

    fn text(&self, hundredths: i64) -> String {
        let minor = plan::part(self.lot.amount, hundredths);
        if self.lot.currency == "CLP" { minor.to_string() } else { format!("{}.{:02}", minor / 100, minor % 100) }
    }

    fn reference(&self) -> String {
        format!("pedido-{}-{}", self.ids.run, self.lot.number)
    }

    /// With the seller, where there is one.
    fn sold(&self, mut object: Value, key: &str) -> Bytes {
        if let (Some(seller), Value::Object(fields)) = (self.seller, &mut object) {
            fields.insert(key.to_owned(), seller.parse::<u64>().map_or_else(|_| json!(seller), |number| json!(number)));
        }
        Bytes::from(object.to_string())
    }

    /// `GET /v1/payments/{id}`.
    pub(super) fn payment(&self, state: &State) -> Bytes {
        self.sold(self.payment_named(&self.ids.payment(), state, "regular_payment"), "collector_id")
    }

    /// Of nothing: made when a subscriber changes the card.
    pub(super) fn validation(&self, id: &str) -> Bytes {
        let mut object = self.payment_named(id, &self.life.states[0], "card_validation");
        for (key, value) in
            [("status", json!("approved")), ("transaction_amount", json!(0)), ("external_reference", Value::Null)]
        {
            object[key] = value;
        }
        self.sold(object, "collector_id")
    }

    /// Somebody else's, and approved.
    pub(super) fn strangers(&self, id: &str) -> Bytes {
        let mut object = self.payment_named(
            id,
            &State { status: "approved", detail: "accredited", ..self.life.states[0] },
            "regular_payment",
        );
        object["collector_id"] = json!(1_000_000_001_u64);
        Bytes::from(object.to_string())
    }

    fn payment_named(&self, id: &str, state: &State, operation: &str) -> Value {
        let began = self.lot.began;
        let refunds: Vec<Value> = state.refunds.iter().map(|refund| self.refund(*refund)).collect();
        json!({
            "id": id.parse::<u64>().unwrap_or_default(), "status": state.status, "status_detail": state.detail,
            "operation_type": operation, "currency_id": self.lot.currency,
            "transaction_amount": self.part(100), "transaction_amount_refunded": self.part(state.returned),
            "date_created": time(began), "date_last_updated": time(began + state.after),
            "date_approved": if state.status == "approved" { json!(time(began + state.after)) } else { Value::Null },
            "date_of_expiration": if state.status == "pending" { json!(time(began + 345_000)) } else { Value::Null },
            "payment_method_id": self.method().0, "payment_type_id": self.method().1, "installments": 1,
            // Neither tells anything, and both are there.
            "captured": self.life.method == Method::Pix, "live_mode": true,
            "payer": {
                "id": format!("18{:08}", self.lot.number), "email": format!("pagador{}@example.com", self.lot.number),
                "first_name": "Conceição", "last_name": null,
                "identification": {"type": "CPF", "number": "52998224725"}, "phone": {"area_code": null, "number": null},
            },
            "card": self.card(), "external_reference": self.reference(), "metadata": {}, "order": {},
            "transaction_details": {"total_paid_amount": self.part(100), "net_received_amount": self.part(96), "overpaid_amount": 0},
            "refunds": refunds, "fee_details": [{"type": "mercadopago_fee", "amount": self.part(4), "fee_payer": "collector"}],
            "point_of_interaction": self.point(), "notification_url": null, "statement_descriptor": "LOJA",
        })
    }

    fn refund(&self, (number, hundredths, word): (u8, i64, &str)) -> Value {
        json!({
            "id": format!("19{}{number}", self.ids.payment()).parse::<u64>().unwrap_or_default(), "payment_id": self.ids.payment(),
            "amount": self.part(hundredths), "status": word, "source": {"id": "1", "name": "Loja", "type": "collector"},
            "refund_mode": "standard", "date_created": time(self.refunded_at(number)), "unique_sequence_number": null,
        })
    }

    /// When a refund was made: with the first state that has it.
    fn refunded_at(&self, number: u8) -> i64 {
        let has_it = |state: &&State| state.refunds.iter().any(|(other, ..)| *other == number);
        self.lot.began + self.life.states.iter().find(has_it).map_or(0, |state| state.after)
    }

    fn method(&self) -> (&'static str, &'static str) {
        match self.life.method {
            Method::Card => ("visa", "credit_card"),
            Method::Pix => ("pix", "bank_transfer"),
            Method::Boleto => ("bolbradesco", "ticket"),
        }
    }

    fn card(&self) -> Value {
        match self.life.method {
            Method::Card => json!({
                "id": null, "first_six_digits": "423564", "last_four_digits": "5682", "expiration_month": 11, "expiration_year": 2030,
                "cardholder": {"name": "APRO", "identification": {"type": "CPF", "number": "52998224725"}}}),
            Method::Pix | Method::Boleto => Value::Object(Map::new()),
        }
    }

    fn point(&self) -> Value {
        match self.life.method {
            Method::Pix => json!({"type": "OPENPLATFORM", "transaction_data": {
                "qr_code": "00020126580014br.gov.bcb.pix", "bank_transfer_id": null, "transaction_id": null}}),
            Method::Card | Method::Boleto => json!({"type": "UNSPECIFIED"}),
        }
    }

    /// `GET /v1/orders/{id}`: amounts are texts.
    pub(super) fn order(&self, state: &State) -> Bytes {
        let (id, began) = (self.id(), self.lot.began);
        let refunds: Vec<Value> = state.refunds.iter().map(|(number, hundredths, word)| {
            json!({"id": format!("REF{number}{}", self.ids.payment()), "transaction_id": id, "amount": self.text(*hundredths), "status": word})
        }).collect();
        let payment = json!({
            "id": id, "amount": self.text(100), "paid_amount": self.text(100), "reference_id": format!("ref{}", self.lot.number),
            "status": state.status, "status_detail": state.detail,
            "payment_method": {"id": self.method().0, "type": self.method().1, "installments": 1},
        });
        self.sold(json!({
            "id": self.ids.order(), "type": "online", "processing_mode": "automatic", "status": state.status, "status_detail": state.detail,
            "total_amount": self.text(100), "total_paid_amount": self.text(100), "currency": self.lot.currency,
            "external_reference": self.reference(), "created_date": time(began), "last_updated_date": time(began + state.after),
            "transactions": {"payments": [payment], "refunds": refunds},
        }), "user_id")
    }

    /// `GET /v1/chargebacks/{id}`.
    pub(super) fn chargeback(&self, covered: bool) -> Bytes {
        Bytes::from(json!({
            "id": self.ids.chargeback(), "payments": [self.ids.payment().parse::<u64>().unwrap_or_default()],
            "currency": self.lot.currency, "amount": self.part(100), "coverage_applied": covered, "coverage_elegible": covered,
            "documentation_required": false, "documentation_status": "not_applicable",
            "date_created": time(self.lot.began + 80_000), "date_last_updated": time(self.lot.began + 99_000),
        }).to_string())
    }

    /// `GET /merchant_orders/{id}`.
    pub(super) fn merchant_order(&self) -> Bytes {
        let last = self.life.states[self.life.states.len() - 1];
        Bytes::from(json!({
            "id": self.ids.merchant_order().parse::<u64>().unwrap_or_default(), "status": "closed", "order_status": "paid",
            "payments": [{"id": self.ids.payment().parse::<u64>().unwrap_or_default(), "status": last.status, "status_detail": last.detail,
                "transaction_amount": self.part(100), "total_paid_amount": self.part(100), "currency_id": self.lot.currency}],
            "total_amount": self.part(100), "paid_amount": self.part(100), "refunded_amount": self.part(last.returned), "shipping_cost": 0,
            "cancelled": false, "is_test": false, "external_reference": self.reference(), "preference_id": "1-a", "site_id": "MLB",
            "last_updated": time(self.lot.began + last.after),
        }).to_string())
    }

    /// `GET /preapproval/{id}`.
    pub(super) fn subscription(&self) -> Bytes {
        self.sold(json!({
            "id": self.ids.subscription(), "status": "authorized", "payer_id": 1_800_000 + self.lot.number, "payer_email": "",
            "application_id": 1, "reason": "Clube", "external_reference": self.reference(),
            "auto_recurring": {"frequency": 1, "frequency_type": "months", "transaction_amount": self.part(100), "currency_id": self.lot.currency,
                "start_date": time(self.lot.began), "end_date": null},
            "summarized": {"quotas": null, "charged_quantity": 1, "charged_amount": self.part(100), "semaphore": "green"},
            "next_payment_date": time(self.lot.began + 2_592_000), "payment_method_id": self.method().0,
            "date_created": time(self.lot.began), "last_modified": time(self.lot.began + 60), "version": 2,
        }), "collector_id")
    }

    /// `GET /authorized_payments/{id}`: the first charge of the subscription.
    pub(super) fn instalment(&self) -> Bytes {
        let last = self.life.states[self.life.states.len() - 1];
        Bytes::from(json!({
            "id": self.ids.instalment().parse::<u64>().unwrap_or_default(), "type": "recurring", "preapproval_id": self.ids.subscription(),
            "status": "processed", "debit_date": time(self.lot.began), "retry_attempt": 1, "transaction_amount": self.part(100),
            "currency_id": self.lot.currency, "external_reference": self.lot.number,
            "payment": {"id": self.ids.payment().parse::<u64>().unwrap_or_default(), "status": last.status, "status_detail": last.detail},
            "last_modified": time(self.lot.began + 60),
        }).to_string())
    }
}
