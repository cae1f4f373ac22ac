//! Events of about the size Stripe sends, four to a payment, each different.

use afluente_gateways::stripe::sign;
use afluente_gateways::{AccountView, Credentials, Secret, Tenants};
use afluente_model::{AccountName, Mode};

use crate::exit::Failure;

/// What its webhooks are signed with; nothing outside of a bench knows it.
pub(super) const SECRET: &str = "whsec_bench_only_0123456789abcdef";

/// The account the bench plays.
pub(super) struct BenchAccount {
    pub(super) name: AccountName,
    pub(super) secret: Secret,
    pub(super) view: AccountView,
}

impl BenchAccount {
    pub(super) fn new() -> Result<BenchAccount, Failure> {
        let bad = |error: &dyn std::error::Error| Failure::unavailable(error);
        Ok(BenchAccount {
            name: AccountName::parse("bench").map_err(|error| bad(&error))?,
            secret: Secret::new(SECRET).map_err(|error| bad(&error))?,
            view: AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own },
        })
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials::hmac([self.secret.clone()], 3_600)
    }

    pub(super) fn signature(&self, body: &[u8]) -> String {
        sign(&self.secret, afluente_worker::now().as_seconds(), body)
    }
}

/// The `number`-th event: created, charge, succeeded and refunded in turn for each payment.
pub(super) fn event(number: usize) -> Vec<u8> {
    let (payment, step) = (number / 4, number % 4);
    let created = afluente_worker::now().as_seconds() - 10 + i64::try_from(step).unwrap_or(0);
    let (kind, object) = match step {
        0 => ("payment_intent.created", intent(payment, "requires_payment_method", 0)),
        1 => ("charge.succeeded", charge(payment, 0)),
        2 => ("payment_intent.succeeded", intent(payment, "succeeded", 10_990)),
        _ => ("charge.refunded", charge(payment, 10_990)),
    };
    format!(
        r#"{{"id":"evt_bench{number:010}","object":"event","api_version":"2026-10-28.endive","created":{created},"livemode":false,"pending_webhooks":1,"type":"{kind}","data":{{"object":{object}}},"request":{{"id":"req_bench{number}","idempotency_key":null}}}}"#
    )
    .into_bytes()
}

/// The number of an event, read back from its body.
pub(super) fn number_of(body: &[u8]) -> Option<usize> {
    let id = body.strip_prefix(br#"{"id":""#)?.get(..19)?;
    number_in(std::str::from_utf8(id).ok()?)
}

/// The number of an event, read back from its id.
pub(super) fn number_in(id: &str) -> Option<usize> {
    id.strip_prefix("evt_bench")?.parse().ok()
}

fn intent(payment: usize, status: &str, received: i64) -> String {
    format!(
        r#"{{"id":"pi_bench{payment:09}","object":"payment_intent","amount":10990,"amount_capturable":0,"amount_details":{{"tip":{{}}}},"amount_received":{received},"application":null,"automatic_payment_methods":{{"enabled":true}},"cancellation_reason":null,"capture_method":"automatic","confirmation_method":"automatic","created":1767225600,"currency":"brl","customer":"cus_bench{payment:09}","description":"Order {payment}","last_payment_error":null,"latest_charge":"ch_bench{payment:09}","livemode":false,"metadata":{{"order_id":"{payment}","store":"sao-paulo-1"}},"next_action":null,"payment_method":"pm_bench{payment:09}","payment_method_types":["card"],"receipt_email":"payer{payment}@example.com","status":"{status}","transfer_data":null}}"#
    )
}

fn charge(payment: usize, refunded: i64) -> String {
    format!(
        r#"{{"id":"ch_bench{payment:09}","object":"charge","amount":10990,"amount_captured":10990,"amount_refunded":{refunded},"balance_transaction":"txn_bench{payment:09}","billing_details":{{"address":{{"city":"São Paulo","country":"BR","line1":null,"postal_code":"01310-100"}},"email":"payer{payment}@example.com","name":"Payer {payment}","phone":null}},"captured":true,"created":1767225600,"currency":"brl","customer":"cus_bench{payment:09}","disputed":false,"failure_code":null,"livemode":false,"metadata":{{"order_id":"{payment}"}},"outcome":{{"network_status":"approved_by_network","risk_level":"normal","type":"authorized"}},"paid":true,"payment_intent":"pi_bench{payment:09}","payment_method":"pm_bench{payment:09}","payment_method_details":{{"card":{{"brand":"visa","country":"BR","exp_month":12,"exp_year":2030,"fingerprint":"fp{payment}","funding":"credit","last4":"4242"}},"type":"card"}},"refunded":{full},"refunds":null,"status":"succeeded"}}"#,
        full = refunded > 0
    )
}
