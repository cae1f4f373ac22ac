//! From a row to what is kept of it: pure.

use std::collections::BTreeMap;

use afluente_store::legacy::{NamedPayment, PageRow};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::place::{Place, Seller, Sellers, Unplaced};
use super::{Kind, Tally};
use crate::account::Accounts;

/// A body and the account it is about.
pub(super) struct Said<'a> {
    pub(super) account: Place<'a>,
    pub(super) body: Bytes,
}

/// The payment each session leads to, by its place in the page.
pub(super) type Named = BTreeMap<usize, NamedPayment>;

/// What is kept of a payment.
const PAYMENT: [&str; 13] = [
    "provider",
    "order",
    "charge",
    "found",
    "status",
    "status_v2",
    "amount",
    "currency",
    "method",
    "refunded",
    "was_paid",
    "is_stale",
    "word",
];
/// Of who is behind it.
const BUYER: [&str; 8] = ["provider", "order", "charge", "found", "customer", "document", "name", "their_customer"];
/// Of a customer, and of who is in a session.
const PERSON: [&str; 4] = ["name", "email", "document", "phone"];

/// What a row says, one for each account it is about; or a word for why nothing.
pub(super) fn said<'a>(
    kind: Kind,
    row: &PageRow,
    found: Option<&NamedPayment>,
    accounts: &'a Accounts,
    sellers: &Sellers,
    tally: &mut Tally,
) -> Result<Vec<Said<'a>>, &'static str> {
    let Ok(Value::Object(columns)) = serde_json::from_str(&row.columns) else { return Err("unreadable") };
    let text = |key: &str| columns.get(key).and_then(Value::as_str);
    let seller = Seller { merchant: text("merchant"), clinic: text("clinic") };
    match kind {
        Kind::Payments => {
            let account =
                sellers.at(accounts, text("provider").unwrap_or_default(), seller).map_err(Unplaced::as_str)?;
            if columns.contains_key("body_passed_over") {
                tally.list("body_passed_over", &row.row_id);
            }
            Ok(vec![Said { account, body: body("payment", row, kept(&columns, &PAYMENT)) }])
        }
        Kind::Buyers => {
            let account =
                sellers.at(accounts, text("provider").unwrap_or_default(), seller).map_err(Unplaced::as_str)?;
            Ok(vec![Said { account, body: body("buyer", row, buyer(&columns, row, tally)) }])
        }
        Kind::Customers => customer(&columns, row, accounts, sellers, seller),
        Kind::Sessions => {
            let found = found.ok_or("no_payment")?;
            // Sessions of theirs know no sub-accounts.
            if !found.tenant.is_empty() {
                return Err("of_a_sub_account");
            }
            let account = accounts.0.get_key_value(&found.account).ok_or("no_account")?;
            let mut values = kept(&columns, &PERSON);
            values.extend(kept(&columns, &["status"]));
            values.insert("payment".to_owned(), json!(found.id));
            values.insert("took_money".to_owned(), json!(found.took_money));
            Ok(vec![Said { account, body: body("session", row, values) }])
        }
    }
}

/// The address of the row itself before one in its stored body; whom they take for the customer, and whether that agrees.
fn buyer(columns: &Map<String, Value>, row: &PageRow, tally: &mut Tally) -> Map<String, Value> {
    let mut values = kept(columns, &BUYER);
    let email = columns.get("email").or_else(|| columns.get("body_email"));
    if let Some(email) = email {
        values.insert("email".to_owned(), email.clone());
    }
    let theirs = columns.get("their_email").and_then(Value::as_str).filter(|theirs| !theirs.is_empty());
    let is_another =
        |email: &Value| email.as_str().is_some_and(|email| Some(email.trim().to_lowercase().as_str()) != theirs);
    // Their code sets the customer by the clinic alone, or by the first row of the table.
    if columns.contains_key("their_customer") && email.is_none_or(is_another) {
        tally.list("customer_disagrees", &row.row_id);
    }
    values
}

/// A customer at each account it is known at; at none, with whoever sells.
fn customer<'a>(
    columns: &Map<String, Value>,
    row: &PageRow,
    accounts: &'a Accounts,
    sellers: &Sellers,
    seller: Seller<'_>,
) -> Result<Vec<Said<'a>>, &'static str> {
    let person = kept(columns, &PERSON);
    let links = columns.get("links").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut said = Vec::new();
    for link in links {
        let text = |key: &str| link.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Ok(account) = sellers.at(accounts, text("provider"), seller) {
            let mut values = person.clone();
            values.insert("customer".to_owned(), json!(text("customer")));
            said.push(Said { account, body: body("customer", row, values) });
        }
    }
    if said.is_empty() {
        let account = sellers.any(accounts, seller).map_err(Unplaced::as_str)?;
        said.push(Said { account, body: body("customer", row, person) });
    }
    Ok(said)
}

fn kept(columns: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), columns.get(*key)?.clone()))).collect()
}

/// The object as it is kept: its keys in one order, so that the same row is the same bytes.
fn body(of: &str, row: &PageRow, values: Map<String, Value>) -> Bytes {
    let mut sorted: BTreeMap<String, Value> = values.into_iter().collect();
    sorted.insert("of".to_owned(), json!(of));
    sorted.insert("row".to_owned(), json!(row.row_id));
    Bytes::from(json!(sorted).to_string())
}

/// Everything a session may lead to a payment by.
pub(super) fn names(rows: &[PageRow]) -> Vec<(usize, String)> {
    let of = |(place, row): (usize, &PageRow)| {
        let columns: Map<String, Value> = serde_json::from_str(&row.columns).unwrap_or_default();
        let keys = ["order", "pix_order", "payment_row"];
        keys.into_iter()
            .filter_map(move |key| Some((place, columns.get(key)?.as_str()?.to_owned())))
            .collect::<Vec<_>>()
    };
    rows.iter().enumerate().flat_map(of).collect()
}

/// Of several payments the one that took money, then the smallest: of an order with a refused and a paid charge the paid one.
pub(super) fn chosen(found: Vec<NamedPayment>) -> Named {
    let mut chosen: Named = BTreeMap::new();
    for one in found {
        let rank = |one: &NamedPayment| (!one.took_money, one.account.clone(), one.tenant.clone(), one.id.clone());
        match chosen.entry(one.place) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(one);
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                if rank(&one) < rank(slot.get()) {
                    slot.insert(one);
                }
            }
        }
    }
    chosen
}
