//! Reading the ledger: what operators look at, and what a rebuild compares.

mod audit;
mod claim;
mod customer;
mod dead;
mod event;
mod gap;
mod inconsistency;
mod payment;
mod person;
mod rebuild;
mod subscription;
mod summary;
mod want;

pub use crate::receipt::HeldReceipt;
pub use audit::{AuditedPayments, AuditedSessions};
pub use claim::ClaimView;
pub use customer::{CustomerView, LinkView, MethodView, Who};
pub use dead::{DeadFilter, DeadMessage, DeadView};
pub use event::{EventFilter, EventOf, EventView};
pub use gap::{GapFilter, GapView, OpenGaps};
pub use inconsistency::{InconsistencyFilter, InconsistencyView};
pub use payment::{PaymentFilter, ReceiptView};
pub use person::{FollowView, PersonView};
pub use rebuild::StoredAlias;
pub use subscription::SubscriptionFilter;
pub use summary::{Counts, UnknownWordView};
pub use want::{OpenWants, WantView};

#[cfg(test)]
pub(crate) use {
    claim::OF as CLAIMS_OF,
    customer::{
        CLAIMS as CUSTOMER_CLAIMS, FOUND as CUSTOMERS_FOUND, LINKS, METHODS, PAYMENTS as CUSTOMER_PAYMENTS,
        SUBSCRIPTIONS as CUSTOMER_SUBSCRIPTIONS,
    },
    dead::MESSAGE as DEAD_MESSAGE,
    event::EVENTS,
    payment::{FACTS as PAYMENT_FACTS, NAMED, RECEIPTS as PAYMENT_RECEIPTS},
    rebuild::{FACTS as SUBSCRIPTION_FACTS, READ as RECEIPTS_READ},
    subscription::NAMED as SUBSCRIPTIONS_NAMED,
};
