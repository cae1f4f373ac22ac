//! The names of events as data: what each is about. Both generations have their own.

use super::words::silent;
use crate::vocabulary::Entry;

/// What an event's object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// A charge.
    Charge,
    /// An order with its charges.
    Order,
    /// An invoice of a subscription.
    Invoice,
    /// A subscription.
    Subscription,
    /// A customer.
    Customer,
    /// A stored card.
    Card,
    /// Somebody money is passed on to.
    Recipient,
    /// A transfer to such.
    Transfer,
    /// Nothing that is kept here.
    Silent,
    /// Spoken of, and never seen: kept and counted.
    Unseen,
}

/// Objects, and what is said of each.
static EVENTS: &[(&str, Topic, &[&str])] = &[
    (
        "charge",
        Topic::Charge,
        &[
            "created",
            "updated",
            "paid",
            "payment_failed",
            "refunded",
            "pending",
            "processing",
            "underpaid",
            "overpaid",
            "partial_canceled",
            "chargedback",
            "antifraud_approved",
            "antifraud_reproved",
            "antifraud_manual",
            "antifraud_pending",
        ],
    ),
    ("order", Topic::Order, &["created", "paid", "payment_failed", "canceled", "closed", "updated"]),
    ("invoice", Topic::Invoice, &["created", "updated", "paid", "payment_failed", "canceled"]),
    ("subscription", Topic::Subscription, &["created", "canceled", "updated"]),
    ("customer", Topic::Customer, &["created", "updated"]),
    ("card", Topic::Card, &["created", "updated", "deleted", "expired"]),
    ("recipient", Topic::Recipient, &["created", "updated", "deleted"]),
    ("transfer", Topic::Transfer, &["pending", "created", "processing", "paid", "canceled", "failed"]),
    ("order_item", Topic::Silent, &["created", "updated", "deleted"]),
    ("subscription_item", Topic::Silent, &["created", "updated", "deleted"]),
    ("discount", Topic::Silent, &["created", "deleted"]),
    ("increment", Topic::Silent, &["created", "deleted"]),
    ("usage", Topic::Silent, &["created", "deleted"]),
    ("plan", Topic::Silent, &["created", "updated", "deleted"]),
    ("plan_item", Topic::Silent, &["created", "updated", "deleted"]),
    ("address", Topic::Silent, &["created", "updated", "deleted"]),
    ("bank_account", Topic::Silent, &["created", "updated", "deleted"]),
    ("seller", Topic::Silent, &["created", "updated", "deleted"]),
    ("anticipation", Topic::Silent, &["pending", "created", "approved", "canceled", "failed", "refused"]),
    ("checkout", Topic::Silent, &["created", "canceled", "closed"]),
    ("payment-link", Topic::Unseen, &["finished", "expired", "cancelled"]),
    ("chargeback", Topic::Unseen, &["received"]),
];

/// What the object of an event is, and whether its name is one we know; `None` for an object we do not know.
pub(super) fn topic(event: &str) -> Option<(Topic, bool)> {
    let (object, action) = event.split_once('.').unwrap_or((event, ""));
    let known = EVENTS.iter().find(|(known, ..)| *known == object);
    known.map(|(_, topic, actions)| (*topic, actions.contains(&action)))
}

/// Events of v4.
pub(super) static POSTBACKS: &[&str] =
    &["transaction_status_changed", "transaction_created", "subscription_status_changed", "recipient_status_changed"];

/// Every name.
pub(super) fn vocabulary() -> Vec<Entry> {
    let mut entries: Vec<Entry> = EVENTS
        .iter()
        .flat_map(|(object, topic, actions)| {
            let says = match topic {
                Topic::Charge => Some("its charge"),
                Topic::Order => Some("its charges"),
                Topic::Invoice => Some("its charge and subscription"),
                Topic::Subscription => Some("the subscription"),
                Topic::Customer | Topic::Card => Some("claims"),
                Topic::Unseen => Some("counted as unknown"),
                Topic::Recipient | Topic::Transfer | Topic::Silent => None,
            };
            actions.iter().map(move |action| Entry {
                field: "event",
                word: format!("{object}.{action}").into(),
                facts: says.into_iter().map(Into::into).collect(),
                reads_as: "-",
            })
        })
        .collect();
    entries.extend(POSTBACKS.iter().map(|event| silent("v4 event", event)));
    entries
}
