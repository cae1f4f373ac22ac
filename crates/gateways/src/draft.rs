//! A reading in the making. Every adapter fills one of these: what it says once is said once, what is unproved asserts
//! nothing, and a damaged part that only decorates is noted instead of burying what stands beside it.

use afluente_model::{
    Detail, Fact, PaymentFact, PaymentKind, PaymentRef, ProviderId, Source, SubscriptionFact, SubscriptionKind,
    SubscriptionRef, Timestamp, WantKind, WantReason,
};

use crate::claim::{Claim, ClaimKind, ClaimSubject, SubjectKind, normalised};
use crate::error::Malformed;
use crate::reading::{Alias, IgnoredBecause, Raised, Reading, UnknownWord, Want};
use crate::text::cut;

/// What one envelope says so far.
pub(crate) struct Draft {
    /// The source of its facts; none for an unproved body.
    source: Option<Source>,
    at: Option<Timestamp>,
    tenant: Option<ProviderId>,
    context: Option<ProviderId>,
    reading: Reading,
}

impl Draft {
    /// Nothing yet. `event` tells a repetition (`snapshot:evt_…`), `kind` is the gateway's word for what happened.
    pub(crate) fn new(source: Option<Source>, event: Option<String>, kind: &str) -> Draft {
        let reading = Reading { event: event.map(Into::into), event_type: cut(kind), ..Reading::default() };
        Draft { source, at: None, tenant: None, context: None, reading }
    }

    /// What tells a repetition, where that is known only after reading.
    pub(crate) fn set_event(&mut self, event: String) {
        self.reading.event = Some(event.into());
    }

    /// The gateway's time of what it says.
    pub(crate) fn set_at(&mut self, at: Option<Timestamp>) {
        self.at = at;
        self.reading.latest = self.reading.latest.max(at);
    }

    /// The sub-account all of it belongs to, and the path to it where the gateway wrote one.
    pub(crate) fn set_tenant(&mut self, tenant: Option<ProviderId>, context: Option<ProviderId>) {
        (self.tenant, self.context) = (tenant, context);
    }

    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// The sub-account all of it belongs to.
    pub(crate) fn tenant(&self) -> Option<&ProviderId> {
        self.tenant.as_ref()
    }

    /// The gateway's word for what happened.
    pub(crate) fn kind(&self) -> &str {
        &self.reading.event_type
    }

    /// A payment of this envelope's tenant.
    pub(crate) fn payment(&self, id: &ProviderId) -> PaymentRef {
        PaymentRef { tenant: self.tenant.clone(), id: id.clone() }
    }

    /// A subscription of this envelope's tenant.
    pub(crate) fn subscription(&self, id: &ProviderId) -> SubscriptionRef {
        SubscriptionRef { tenant: self.tenant.clone(), id: id.clone() }
    }

    /// What claims are about.
    pub(crate) fn subject(&self, kind: SubjectKind, id: &ProviderId) -> ClaimSubject {
        ClaimSubject { kind, tenant: self.tenant.clone(), id: id.clone() }
    }

    /// A fact of this envelope.
    pub(crate) fn fact(&self, kind: PaymentKind, op: &str, word: &str) -> PaymentFact {
        Fact::new(kind, op, self.at, self.source.unwrap_or(Source::Webhook)).detail(Detail::word(word))
    }

    /// A fact of this envelope about a subscription.
    pub(crate) fn subscription_fact(&self, kind: SubscriptionKind, op: &str, detail: Detail) -> SubscriptionFact {
        Fact::new(kind, op, self.at, self.source.unwrap_or(Source::Webhook)).detail(detail)
    }

    pub(crate) fn assert(&mut self, payment: &PaymentRef, fact: PaymentFact) {
        self.reading.latest = self.reading.latest.max(fact.at).max(fact.op_at);
        push_new(&mut self.reading.facts, (payment.clone(), fact));
    }

    pub(crate) fn assert_subscription(&mut self, subscription: &SubscriptionRef, fact: SubscriptionFact) {
        self.reading.latest = self.reading.latest.max(fact.at).max(fact.op_at);
        push_new(&mut self.reading.subscriptions, (subscription.clone(), fact));
    }

    /// Another name of a payment.
    pub(crate) fn alias(&mut self, payment: &PaymentRef, other: &ProviderId) {
        let alias = Alias { payment: payment.clone(), alias: self.payment(other) };
        push_new(&mut self.reading.aliases, alias);
    }

    /// A word we do not know: kept as a fact, counted, and read back.
    pub(crate) fn unmapped(
        &mut self,
        payment: &PaymentRef,
        field: &'static str,
        word: &str,
        want: (WantKind, &ProviderId),
    ) {
        let fact = self.fact(PaymentKind::Unmapped, field, &cut(word));
        self.assert(payment, fact);
        self.unknown(field, word);
        self.want(want.0, want.1, WantReason::UnknownWord);
    }

    /// A word we do not know that says nothing about money: counted.
    pub(crate) fn unknown(&mut self, field: &'static str, word: &str) {
        push_new(&mut self.reading.unmapped, UnknownWord { field, word: cut(word) });
    }

    pub(crate) fn want(&mut self, kind: WantKind, id: &ProviderId, reason: WantReason) {
        let (tenant, context) = (self.tenant.clone(), self.context.clone());
        push_new(&mut self.reading.wants, Want { kind, id: id.clone(), tenant, context, reason });
    }

    /// A claim, unless it claims nothing. A damaged value is noted.
    pub(crate) fn claim<T: AsRef<str>>(
        &mut self,
        subject: &ClaimSubject,
        kind: ClaimKind,
        value: Result<Option<T>, Malformed>,
    ) {
        let value = self.soft(value);
        if let Some(value) = value.and_then(|value| normalised(kind, value.as_ref())) {
            push_new(&mut self.reading.claims, Claim { subject: subject.clone(), kind, value, at: self.at });
        }
    }

    /// What a part says that only decorates. A damaged one is noted and says nothing: it never buries money.
    pub(crate) fn soft<T>(&mut self, read: Result<Option<T>, Malformed>) -> Option<T> {
        read.unwrap_or_else(|damage| {
            self.note(damage);
            None
        })
    }

    /// The same for a part that decides what the money means: one that stands twice is refused, for which of the two holds
    /// nobody can tell.
    pub(crate) fn unless_twice<T>(&mut self, read: Result<Option<T>, Malformed>) -> Result<Option<T>, Malformed> {
        match read {
            Err(twice @ Malformed::DuplicateKey { .. }) => Err(twice),
            other => Ok(self.soft(other)),
        }
    }

    /// For a person.
    pub(crate) fn raise(&mut self, raised: Raised) {
        self.reading.raised.push(raised);
    }

    pub(crate) fn note(&mut self, damage: Malformed) {
        push_new(&mut self.reading.notes, damage);
    }

    /// It is kept and changes nothing.
    pub(crate) fn ignore(&mut self, because: IgnoredBecause) {
        self.reading.ignored = Some(because);
    }

    /// It is a page of a list, and this is where the next one is.
    pub(crate) fn goes_on(&mut self, path: String) {
        self.reading.next_page = Some(path.into());
    }

    /// Whether it may assert anything.
    pub(crate) fn is_proved(&self) -> bool {
        self.source.is_some()
    }

    /// Nobody signed this body: whatever was read of it is thrown away, and what it is about is read back.
    pub(crate) fn only_hint(&mut self, about: Option<(WantKind, ProviderId)>) {
        let Reading { event, event_type, latest, notes, ignored, .. } = std::mem::take(&mut self.reading);
        self.reading = Reading { event, event_type, latest, notes, ignored, ..Reading::default() };
        if let Some((kind, id)) = about {
            self.want(kind, &id, WantReason::Hint);
        }
    }

    /// The reading. One that changes nothing says so.
    pub(crate) fn finish(mut self) -> Reading {
        let Reading { facts, subscriptions, aliases, claims, wants, unmapped, .. } = &self.reading;
        let silent = facts.is_empty()
            && subscriptions.is_empty()
            && aliases.is_empty()
            && claims.is_empty()
            && wants.is_empty()
            && unmapped.is_empty();
        if silent && self.reading.ignored.is_none() {
            self.ignore(IgnoredBecause::NothingToSay);
        }
        self.reading
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}
