//! An order as notices and APIs show it.

use std::sync::Arc;

use afluente_model::Timestamp;
use bytes::Bytes;
use serde_json::{Value, json};

use super::life::{Life, State};
use crate::plan::{self, Lot, Plan};

pub(super) const SITE: &str = "5d6a1f0e-0000-4000-8000-000000000001";
pub(super) const APP: &str = "5d6a1f0e-0000-4000-8000-000000000002";

/// One order being played.
pub(super) struct Order {
    life: &'static Life,
    lot: Lot,
    run: u64,
    pub(super) number: usize,
    /// Whether it is read at the API of apps.
    pub(super) is_of_apps: bool,
}

/// A moment as Appmax writes it: São Paulo's, without a zone.
fn time(seconds: i64) -> String {
    let local = Timestamp::from_seconds(seconds - 3 * 3_600).map_or_else(|_| String::new(), |at| at.to_string());
    local.trim_end_matches('Z').replacen('T', " ", 1)
}

impl Order {
    pub(super) fn new(plan: &Plan, lot: Lot, life: &'static Life) -> Order {
        Order { life, lot, run: plan::chance(&plan.run) % 800_000, number: lot.number, is_of_apps: plan.api != "v3" }
    }

    fn number(&self) -> u64 {
        (100_000 + self.run) * 1_000_000 + self.number as u64
    }

    pub(super) fn id(&self) -> String {
        self.number().to_string()
    }

    pub(super) fn customer_id(&self) -> u64 {
        self.number() + 7
    }

    pub(super) fn subscription_id(&self) -> u64 {
        self.number() + 31
    }

    /// Where it is read.
    pub(super) fn path(&self) -> Arc<str> {
        if self.is_of_apps { format!("/v1/orders/{}", self.id()) } else { format!("/api/v3/order/{}", self.id()) }
            .into()
    }

    /// An amount in reais, a number here and a text there.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53, so that the shortest text is the exact one")]
    fn reais(&self, hundredths: i64) -> Value {
        let minor = plan::part(self.lot.amount, hundredths);
        match self.number % 3 {
            0 => json!(format!("{}.{:02}", minor / 100, minor % 100)),
            _ => json!(minor as f64 / 100.0),
        }
    }

    /// The order as its API shows it in a state.
    pub(super) fn shown(&self, state: &State) -> Bytes {
        let object = if self.is_of_apps { self.v1(state) } else { self.v3(state) };
        Bytes::from(object.to_string())
    }

    fn has_money(state: &State) -> bool {
        !matches!(state.status, "pendente" | "cancelado")
    }

    fn v1(&self, state: &State) -> Value {
        let total = if Order::has_money(state) { self.lot.amount } else { 0 };
        let returned = (state.returned > 0).then(|| time(self.lot.began + state.after));
        json!({"data": {
            "order": {
                "id": self.number(), "status": state.status, "total_paid": total,
                "amounts": {"sub_total": self.lot.amount, "shipping_value": 0, "discount": 0, "installment_fee": 0},
                "created_at": time(self.lot.began), "updated_at": time(self.lot.began + state.after),
            },
            "customer": {
                "id": self.customer_id(), "name": "Ana Souza", "email": self.email(), "document_number": "52998224725",
            },
            "payment": {
                "method": self.life.method.to_lowercase(), "installments": 1,
                "card": {"brand": "visa", "number": "400000****0010"},
            },
            "refund": returned.map(|at| json!({"refunded_at": at})),
        }})
    }

    fn v3(&self, state: &State) -> Value {
        json!({"success": true, "text": "Order found", "data": self.panel(state), "status": 200})
    }

    fn email(&self) -> String {
        format!("payer{}@example.com", self.number())
    }

    pub(super) fn customer(&self) -> Value {
        json!({
            "id": self.customer_id(), "site_id": 1_470, "firstname": "Ana", "lastname": "Souza", "fullname": "Ana Souza",
            "email": self.email(), "telephone": "51999990000", "document_number": "52998224725",
        })
    }

    /// The full template of the panel.
    fn panel(&self, state: &State) -> Value {
        json!({
            "id": self.number(), "customer_id": self.customer_id(), "status": state.status,
            "payment_type": self.life.method, "total_products": self.reais(100), "total": self.reais(100),
            "freight_value": 0, "total_refunded": self.reais(state.returned), "refund_amount": 0,
            "created_at": time(self.lot.began), "paid_at": null, "refunded_at": null, "integrated_at": null,
            "billet_date_overdue": "", "pix_expiration_date": null, "visit": [], "co_production_commission": null,
            "customer": self.customer(), "company_name": "Loja", "company_cnpj": "12345678000199",
            "full_payment_amount": "212.50",
        })
    }

    pub(super) fn of_panel(&self, event: &str, state: &State) -> Value {
        let data = self.panel(state);
        // One receiver family gets its object as a text.
        let data = if self.number % 7 == 3 { json!(data.to_string()) } else { data };
        json!({"event": event, "event_type": "", "data": data})
    }

    pub(super) fn flat(&self, event: &str, state: &State) -> Value {
        json!({"event": event, "data": {
            "order_id": self.id(), "order_status": state.status, "order_total_products": self.reais(100),
            "order_total": self.reais(100), "customer_id": self.customer_id(), "customer_email": self.email(),
        }})
    }

    /// What a merchant picked.
    pub(super) fn picked(&self, event: &str) -> Value {
        json!({"event": event, "data": {"order_id": self.number(), "foo": "bar"}})
    }

    pub(super) fn of_apps(&self, event: &str, state: &State) -> Value {
        json!({
            "event": event, "event_type": "order", "site_id": SITE, "app_id": APP, "client_key": "k-1",
            "external_key": "PED-1001",
            "data": {
                "order_id": self.number(), "status": state.status, "total": self.lot.amount, "merchant_total": 1,
                "paid_at": null, "refund_at": null, "created_at": time(self.lot.began),
                "payment_info": {"credit_card": {"installments": 3, "card_brand": "visa", "nsu": "0000456789"}},
            },
            "partner_merchant": {"merchant_email": "loja@example.com"},
        })
    }

    /// The subscription the order belongs to.
    pub(super) fn subscription(&self) -> (Arc<str>, Value) {
        let at = time(self.lot.began);
        let object = json!({"data": {
            "id": self.subscription_id(), "status": "active", "customer": {"id": self.customer_id(), "email": self.email()},
            "created_at": at, "updated_at": at,
            "charges": [{"cycle": 1, "order_id": self.number(), "charged_at": at, "value": 199.9, "status": "paid"}],
        }});
        (format!("/v1/subscriptions/{}", self.subscription_id()).into(), object)
    }
}
