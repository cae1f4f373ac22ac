//! What an envelope says, in our terms.

use afluente_model::{
    Asked, PaymentFact, PaymentRef, ProviderId, SubscriptionFact, SubscriptionRef, Timestamp, WantKind, WantReason,
};

use crate::claim::Claim;
use crate::error::Malformed;

/// Everything one envelope says. A pure function of the envelope: nothing we stored can change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The gateway's own id of this event with its envelope kind (`snapshot:evt_…`), so that a repetition can be told.
    /// Together with the body's hash it is the dedupe key.
    pub event: Option<Box<str>>,
    /// The gateway's word for what happened, for logs and tables; cut to 100 characters.
    pub event_type: Box<str>,
    /// The greatest time any fact carries; past the receive time by five minutes the delivery is parked.
    pub latest: Option<Timestamp>,
    /// Facts about payments.
    pub facts: Vec<(PaymentRef, PaymentFact)>,
    /// Facts about subscriptions.
    pub subscriptions: Vec<(SubscriptionRef, SubscriptionFact)>,
    /// Other names of the payments above.
    pub aliases: Vec<Alias>,
    /// Who is behind a payment or subscription, as claimed by this envelope.
    pub claims: Vec<Claim>,
    /// What must be read back.
    pub wants: Vec<Want>,
    /// Words of the gateway we do not know.
    pub unmapped: Vec<UnknownWord>,
    /// Parts that only decorate and could not be read: noted on the receipt and counted, while the rest stands.
    pub notes: Vec<Malformed>,
    /// What a person has to see, though nothing contradicts itself.
    pub raised: Vec<Raised>,
    /// The path of the next page, of an answer that is a page of a list and not the last.
    pub next_page: Option<Box<str>>,
    /// Set when the envelope is kept but changes nothing, with the reason.
    pub ignored: Option<IgnoredBecause>,
}

/// A second name of one payment: a Stripe charge of an intent. Never a parent such as an order or an invoice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    /// The name that stays.
    pub payment: PaymentRef,
    /// The other name.
    pub alias: PaymentRef,
}

/// Something for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Its kind, from a closed set of the adapter.
    pub kind: &'static str,
    /// What it is about, e.g. `tenant acct_1`.
    pub entity: Box<str>,
    /// A sentence: what happened, and what to do.
    pub detail: &'static str,
}

/// A question for the gateway. Durable: a row until it is answered or given up by a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Want {
    /// The kind of object at the gateway.
    pub kind: WantKind,
    /// Its id there.
    pub id: ProviderId,
    /// The sub-account that owns it.
    pub tenant: Option<ProviderId>,
    /// The path to that sub-account as the gateway wrote it, if it wrote one: it is sent back with the question.
    pub context: Option<ProviderId>,
    /// Why it must be read.
    pub reason: WantReason,
}

/// A word of the gateway we do not know, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownWord {
    /// The object and field, from a closed set of the adapter: safe as a metric label.
    pub field: &'static str,
    /// The word, cut to 100 characters: for the ledger, never for a label.
    pub word: Box<str>,
}

/// Why an envelope changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoredBecause {
    /// An event type we know and that says nothing about a payment, customer or subscription.
    NothingToSay,
    /// An event type we do not know. Counted and shown.
    UnknownType,
    /// A live event at a test account or the other way round. An alarm.
    WrongMode,
    /// It names an account that is not ours. An alarm.
    WrongAccount,
    /// A ping.
    Ping,
    /// An answer that there is no such thing.
    Absent,
}

impl IgnoredBecause {
    /// The word stored in the ledger and used as a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            IgnoredBecause::NothingToSay => "nothing_to_say",
            IgnoredBecause::UnknownType => "unknown_type",
            IgnoredBecause::WrongMode => "wrong_mode",
            IgnoredBecause::WrongAccount => "wrong_account",
            IgnoredBecause::Ping => "ping",
            IgnoredBecause::Absent => "absent",
        }
    }

    /// Whether somebody should look: the configuration and the gateway disagree about who we are.
    #[must_use]
    pub const fn is_alarm(self) -> bool {
        match self {
            IgnoredBecause::WrongMode | IgnoredBecause::WrongAccount => true,
            IgnoredBecause::NothingToSay
            | IgnoredBecause::UnknownType
            | IgnoredBecause::Ping
            | IgnoredBecause::Absent => false,
        }
    }
}

/// A call that answers a want, as data: a GET. The executor adds the base address, credentials, budgets and deadlines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is asked for.
    pub asked: Asked,
    /// What it means if the gateway says that there is no such thing.
    pub absent: Absent,
}

/// What an answer of 404 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Not yet, or not with these credentials: gateways lag behind their own notices. The question stays open.
    NotYet,
    /// Nothing has this id. The question is answered.
    Never,
}

/// A want no call of this gateway answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no call of this gateway reads a {kind}")]
pub struct Impossible {
    /// The kind that was wanted.
    pub kind: WantKind,
}
