//! A charge of v5 as hooks and the API show it, and what stands around it.

use std::sync::Arc;

use afluente_model::Timestamp;
use bytes::Bytes;
use serde_json::{Value, json};

use super::life::{Life, State};
use crate::plan::{self, Lot, Plan};

/// One charge being played.
pub(super) struct Charge<'a> {
    pub(super) life: &'static Life,
    pub(super) lot: Lot,
    run: u64,
    account: Option<&'a str>,
}

/// A moment as most of its objects have it.
pub(super) fn time(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}

impl<'a> Charge<'a> {
    pub(super) fn new(plan: &'a Plan, lot: Lot, life: &'static Life) -> Charge<'a> {
        Charge { life, lot, run: plan::chance(&plan.run), account: plan.seller.as_deref() }
    }

    /// Letters and digits that only this charge has.
    fn tail(&self, salt: &str) -> String {
        format!("{:016x}", plan::chance(&(self.run, self.lot.number, salt)))
    }

    pub(super) fn id(&self) -> String {
        format!("ch_{}", self.tail("charge"))
    }

    /// The second card of its order, which is refused.
    pub(super) fn second(&self) -> String {
        format!("ch_{}", self.tail("second"))
    }

    pub(super) fn order_id(&self) -> String {
        format!("or_{}", self.tail("order"))
    }

    fn part(&self, hundredths: i64) -> i64 {
        plan::part(self.lot.amount, hundredths)
    }

    /// A hook. Its clock ticks finer than its objects', and some write no zone.
    pub(super) fn hook(&self, event: &str, salt: &str, at: i64, data: &Value) -> (String, Value) {
        let id = format!("hook_{}", self.tail(salt));
        let created = match self.lot.number % 3 {
            0 => time(at).replace('Z', ".6201993Z"),
            1 => time(at).replace('Z', ""),
            _ => time(at),
        };
        let account = json!({"id": self.account.unwrap_or("acc_Simulated0000001"), "name": "Loja - test"});
        (id.clone(), json!({"id": id, "account": account, "type": event, "created_at": created, "data": data}))
    }

    fn customer(&self) -> Value {
        json!({
            "id": format!("cus_{}", self.tail("customer")), "name": "Ana Souza", "document": "52998224725",
            "document_type": "cpf", "type": "individual", "email": format!("{}@example.com", self.tail("customer")),
            "phones": {"mobile_phone": {"country_code": "55", "area_code": "11", "number": "999990000"}},
        })
    }

    pub(super) fn object(&self, state: &State) -> Value {
        let (began, at) = (self.lot.began, self.lot.began + state.after);
        let mut charge = json!({
            "id": self.id(), "code": "PED-1001-01", "gateway_id": self.tail("gateway"), "amount": self.lot.amount,
            "status": state.status, "currency": "BRL", "payment_method": self.life.method, "created_at": time(began),
            "updated_at": time(at), "customer": self.customer(), "metadata": {"order_id": "PED-1001"},
        });
        if state.paid > 0 {
            charge["paid_amount"] = json!(self.part(state.paid));
            charge["paid_at"] = json!(time(began + 2));
        }
        if state.canceled > 0 {
            charge["canceled_amount"] = json!(self.part(state.canceled));
        }
        if self.lot.number % 10 == 3 {
            charge["invoice"] =
                json!({"id": self.invoice_id(), "subscriptionId": self.subscription_id(), "status": "paid"});
        } else {
            charge["order"] = json!({"id": self.order_id(), "code": "PED-1001", "status": "pending", "closed": true});
        }
        if !state.transaction.is_empty() {
            charge["last_transaction"] = self.transaction(state);
        }
        charge
    }

    fn transaction(&self, state: &State) -> Value {
        let at = time(self.lot.began + state.after);
        let mut transaction = json!({
            "id": format!("tran_{}", self.tail(&state.operation.to_string())), "transaction_type": self.life.method,
            "amount": self.part(state.moved), "status": state.transaction, "success": true, "created_at": at,
            "updated_at": at, "gateway_response": {"code": "200"},
        });
        match self.life.method {
            "pix" => transaction["expires_at"] = json!(time(self.lot.began + 3_600)),
            // The amount that came in is a text here.
            "boleto" => {
                transaction["due_at"] = json!(time(self.lot.began + 259_200));
                transaction["paid_amount"] = json!(self.part(state.paid).to_string());
            }
            _ => {
                transaction["card"] = json!({
                    "id": format!("card_{}", self.tail("card")), "last_four_digits": "0010", "brand": "Visa",
                    "exp_month": 6, "exp_year": 2_029,
                });
                transaction["acquirer_return_code"] = json!("00");
                transaction["acquirer_message"] = json!("Transação aprovada com sucesso");
            }
        }
        if !state.antifraud.is_empty() {
            transaction["antifraud_response"] = json!({"status": state.antifraud, "score": "12"});
        }
        transaction
    }

    /// The order with its charge, and a second card where it has one.
    pub(super) fn order(&self, state: &State, with_second: bool) -> Value {
        let mut charge = self.object(state);
        if let Some(charge) = charge.as_object_mut() {
            charge.remove("order");
            charge.remove("customer");
        }
        let second = with_second.then(|| self.second_object());
        let charges: Vec<Value> = std::iter::once(charge).chain(second).collect();
        json!({
            "id": self.order_id(), "code": "PED-1001", "amount": self.lot.amount, "currency": "BRL", "closed": true,
            "status": if state.paid > 0 { "paid" } else { "pending" }, "customer": self.customer(),
            "created_at": time(self.lot.began), "updated_at": time(self.lot.began + state.after), "charges": charges,
        })
    }

    /// An order before anybody paid.
    pub(super) fn empty_order(&self) -> Value {
        json!({"id": self.order_id(), "status": "pending", "charges": [], "updated_at": time(self.lot.began)})
    }

    pub(super) fn second_object(&self) -> Value {
        let at = time(self.lot.began + 1);
        json!({
            "id": self.second(), "code": "PED-1001-02", "amount": 4_000, "status": "failed", "currency": "BRL",
            "payment_method": "credit_card", "created_at": at, "updated_at": at,
            "last_transaction": {
                "id": format!("tran_{}", self.tail("declined")), "status": "not_authorized", "amount": 4_000,
                "acquirer_return_code": "51", "created_at": at,
            },
        })
    }

    pub(super) fn subscription_id(&self) -> String {
        format!("sub_{}", self.tail("subscription"))
    }

    fn invoice_id(&self) -> String {
        format!("in_{}", self.tail("invoice"))
    }

    pub(super) fn subscription(&self) -> Value {
        let at = time(self.lot.began);
        json!({
            "id": self.subscription_id(), "code": "ASSIN-1", "start_at": at, "status": "active", "interval": "month",
            "customer": self.customer(), "created_at": at, "updated_at": at,
        })
    }

    pub(super) fn invoice(&self, state: &State) -> Value {
        let mut charge = self.object(state);
        if let Some(charge) = charge.as_object_mut() {
            charge.remove("invoice");
        }
        json!({
            "id": self.invoice_id(), "code": "ASSIN-1", "amount": self.lot.amount, "status": "paid", "charge": charge,
            "subscriptionId": self.subscription_id(), "created_at": time(self.lot.began),
            "cycle": {"id": "cycle_1", "start_at": time(self.lot.began), "end_at": time(self.lot.began + 2_592_000), "cycle": 1},
        })
    }

    /// Where it is read.
    pub(super) fn path(id: &str) -> Arc<str> {
        format!("/charges/{id}").into()
    }
}

pub(super) fn bytes(object: &Value) -> Bytes {
    Bytes::from(object.to_string())
}
