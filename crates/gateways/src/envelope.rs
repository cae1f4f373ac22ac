//! What an adapter reads: a body together with what is known about where it came from.

use afluente_model::{Answer, Incoming, Mode, Proof, ProviderId, Source, Statement, Timestamp};

use crate::legacy;

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
    incoming: &'a Incoming,
    account: &'a AccountView,
}

impl<'a> Envelope<'a> {
    /// The envelope of a body: a delivery's proof decides whether facts may come of it; an answer was fetched by us.
    #[must_use]
    pub fn of(incoming: &'a Incoming, account: &'a AccountView) -> Envelope<'a> {
        Envelope { incoming, account }
    }

    /// What was asked, and the status of the answer; `None` for a delivery.
    #[must_use]
    pub fn answer(&self) -> Option<&'a Answer> {
        match self.incoming {
            Incoming::Delivery(_) | Incoming::Statement(_) => None,
            Incoming::Answer(answer) => Some(answer),
        }
    }

    /// What an operator had us take in; `None` for what a gateway said.
    #[must_use]
    pub fn statement(&self) -> Option<&'a Statement> {
        match self.incoming {
            Incoming::Delivery(_) | Incoming::Answer(_) => None,
            Incoming::Statement(statement) => Some(statement),
        }
    }

    /// The source its facts carry; `None` for a hint, which yields no facts.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        match self.incoming {
            Incoming::Delivery(delivery) => delivery.proof.covers_body().then_some(Source::Webhook),
            Incoming::Answer(answer) if answer.asked.listed => Some(Source::List),
            Incoming::Answer(_) => Some(Source::Fetch),
            Incoming::Statement(statement) => Some(legacy::source(statement)),
        }
    }

    /// The account it came to.
    #[must_use]
    pub fn account(&self) -> &'a AccountView {
        self.account
    }

    /// Whether a proof of the gateway itself came with it, or it is our own call's answer.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.incoming.is_proved()
    }

    /// Who was at the other end of the channel, if that is what was proved.
    #[must_use]
    pub fn peer(&self) -> Option<&'a str> {
        match self.incoming.delivery().map(|delivery| &delivery.proof) {
            Some(Proof::Channel { peer }) => Some(peer),
            Some(Proof::Signed { .. } | Proof::PathToken | Proof::None) | None => None,
        }
    }

    /// The query of the request, if the profile keeps it.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.incoming.delivery().and_then(|delivery| delivery.query.as_deref())
    }

    /// The first of the kept headers of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.incoming.headers().iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
    }

    /// The gateway's clock when it answered, whole seconds.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.header("date").and_then(|date| Timestamp::parse_http_date(date).ok())
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.incoming.body()
    }
}
