//! The payment domain of Afluente, pure.
//!
//! Bytes become [`Fact`]s elsewhere; here a set of facts becomes one row. [`fold()`] joins facts into a [`State`], and
//! [`project()`] reads the row off it. Both are functions of the *set*: order, repetition and the split of work over
//! machines cannot be seen in the result.
//!
//! **Invariants.** No clock, no randomness, no IO, no environment, no async. Nothing here is serialisable: the crossings
//! (wire, table, JSON) own their shapes. Our clock never enters a comparison.

mod chain;
pub mod delivery;
pub mod fact;
pub mod fold;
pub mod gateway;
pub mod id;
pub mod identity;
pub mod incoming;
pub mod kind;
pub mod legacy;
pub mod method;
pub mod money;
pub mod project;
pub mod source;
pub mod status;
pub mod subscription;
pub mod time;
pub mod want;
pub mod word;

pub use chain::chain;
pub use delivery::{Delivery, Proof, SecretName};
pub use fact::{Detail, DetailKey, Fact, FactKey, PaymentFact, SubscriptionFact};
pub use fold::{State, fold};
pub use gateway::{Gateway, Mode};
pub use id::{AccountName, DeliveryId, MerchantName, PaymentRef, ProviderId, SubscriptionRef};
pub use incoming::{Answer, Asked, Incoming, Statement};
pub use kind::{
    AttemptKind, AuthKind, CaptureKind, DisputeKind, Kind, PaymentKind, RefundKind, RiskKind, SubscriptionKind,
    TotalsKind,
};
pub use method::{MethodKind, SessionStatus};
pub use money::{Amount, Currency, Money};
pub use project::{Amounts, Conventions, FOLD_VERSION, INTENT_OP, Payment, project};
pub use source::Source;
pub use status::{
    CaptureState, ClosedReason, DisputeState, Evidence, FundingState, PauseKind, PaymentStatus, RiskState,
    SettlementState, SubscriptionBase, SubscriptionReason, SubscriptionStatus,
};
pub use subscription::{Subscription, project_subscription};
pub use time::{Resolution, Timestamp};
pub use want::{WantKind, WantReason};
