//! What an adapter reads: a body together with what is known about where it came from.

use afluente_model::{Delivery, Mode, ProviderId, Source, Timestamp};

/// What an envelope must agree with: the part of an account's configuration an adapter may see.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// The mode; an envelope of the other mode is ignored.
    pub mode: Mode,
    /// Our own account id at the gateway (`acct_…` at Stripe), if configured. Checked when the envelope names one.
    pub external_id: Option<ProviderId>,
    /// Sub-accounts we receive for: Stripe Connect.
    pub tenants: Tenants,
}

/// Which sub-accounts of a gateway an account of ours receives for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenants {
    /// None: an envelope that names another account is ignored.
    Own,
    /// These.
    Listed(Vec<ProviderId>),
    /// Whichever the gateway names.
    Any,
}

/// A body and where it came from. There is no way to make one without a proof or a fetched answer.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    kind: EnvelopeKind,
    source: Option<Source>,
    account: &'a AccountView,
    received_at: Timestamp,
    body: &'a [u8],
}

/// What kind of body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// What the gateway posted to us.
    Webhook,
}

impl<'a> Envelope<'a> {
    /// The envelope of a delivery: its proof decides whether facts may come of it.
    #[must_use]
    pub fn of(delivery: &'a Delivery, account: &'a AccountView) -> Envelope<'a> {
        Envelope {
            kind: EnvelopeKind::Webhook,
            source: delivery.proof.covers_body().then_some(Source::Webhook),
            account,
            received_at: delivery.received_at,
            body: &delivery.body,
        }
    }

    /// Webhook or answer.
    #[must_use]
    pub fn kind(&self) -> EnvelopeKind {
        self.kind
    }

    /// The source its facts carry; `None` for a hint, which yields no facts.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.source
    }

    /// The account it came to.
    #[must_use]
    pub fn account(&self) -> &'a AccountView {
        self.account
    }

    /// When we received it. For bounding the future only, never for ordering.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}
