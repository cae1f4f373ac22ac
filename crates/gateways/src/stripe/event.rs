//! The envelope: who it is for, what it is about, and whether it concerns us at all.

use std::borrow::Cow;

use afluente_model::{
    Amount, Detail, DetailKey, Fact, Mode, PaymentFact, PaymentKind, PaymentRef, ProviderId, Source, SubscriptionRef,
    Timestamp,
};

use super::{charge, checkout, customer, invoice, lookup, payment_intent, refund, risk, subscription, thin};
use crate::envelope::{AccountView, Envelope, Tenants};
use crate::error::Malformed;
use crate::json::{self, Object};
use crate::reading::{Alias, Claim, ClaimKind, ClaimSubject, IgnoredBecause, Reading, UnknownWord, Want, WantReason};

/// Objects we know of that say nothing about a payment, a customer or a subscription.
const SILENT: &[&str] = &[
    "account",
    "application",
    "application_fee",
    "balance",
    "balance_transaction",
    "bank_account",
    "capability",
    "card",
    "checkout.session_line_item",
    "coupon",
    "credit_note",
    "discount",
    "fee_refund",
    "file",
    "invoiceitem",
    "issuing.card",
    "line_item",
    "mandate",
    "payment_link",
    "payout",
    "person",
    "plan",
    "price",
    "product",
    "promotion_code",
    "quote",
    "radar.early_fraud_warning",
    "setup_intent",
    "source",
    "subscription_item",
    "subscription_schedule",
    "tax_id",
    "tax_rate",
    "terminal.reader",
    "test_helpers.test_clock",
    "topup",
    "transfer",
];

/// How long a word may be before it is cut.
const WORD_LIMIT_BYTES: usize = 100;
/// How long a claim may be before it is cut.
const CLAIM_LIMIT_BYTES: usize = 500;

/// What every object's reader needs, and where it puts what it read.
pub(super) struct Context {
    /// The source of its facts; none for an unproved body, which asserts nothing.
    source: Option<Source>,
    /// The event's own time.
    pub(super) at: Option<Timestamp>,
    /// The event's type.
    pub(super) kind: Box<str>,
    pub(super) tenant: Option<ProviderId>,
    pub(super) reading: Reading,
}

/// Reads a body.
pub(super) fn read(envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
    let event = json::object(envelope.body())?;
    match event.text("object")? {
        Some("event") => snapshot(envelope, &event),
        Some("v2.core.event") => thin::read(envelope, &event),
        _ => Err(Malformed::Shape { field: "object", expected: "event or v2.core.event" }),
    }
}

fn snapshot(envelope: &Envelope<'_>, event: &Object<'_>) -> Result<Reading, Malformed> {
    let mut context = Context::of(envelope, event, "snapshot")?;
    context.at = event.seconds("created")?;
    context.reading.latest = context.at;
    if let Some(because) = not_ours(envelope.account(), event, context.tenant.as_ref())? {
        context.reading.ignored = Some(because);
        return Ok(context.reading);
    }
    context.tenant = context.tenant.filter(|tenant| envelope.account().external_id.as_ref() != Some(tenant));
    let data = event.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    let object = data.object("object")?.ok_or(Malformed::Shape { field: "data.object", expected: "an object" })?;
    dispatch(&mut context, object, data)?;
    if context.source.is_none() {
        context.only_hint(object)?;
    }
    context.own_up();
    Ok(context.reading)
}

/// The object's own word decides what it is. Very old events carry objects without one: then the event's type does.
fn dispatch(context: &mut Context, object: &Object<'_>, data: &Object<'_>) -> Result<(), Malformed> {
    let word = object.text("object")?.map_or_else(|| object_of(&context.kind), str::to_owned);
    match word.as_str() {
        "payment_intent" => payment_intent::read(context, object),
        "charge" => charge::read(context, object, None),
        "refund" => refund::read(context, object, None),
        "dispute" => risk::dispute(context, object),
        "review" => risk::review(context, object),
        "checkout.session" => checkout::read(context, object),
        "invoice" => invoice::read(context, object),
        "invoice_payment" => invoice::payment(context, object),
        "subscription" => subscription::read(context, object),
        "customer" => customer::read(context, object),
        "payment_method" => customer::method(context, object, data),
        silent if is_silent(silent) => {
            context.reading.ignored = Some(IgnoredBecause::NothingToSay);
            Ok(())
        }
        _ => {
            context.reading.ignored = Some(IgnoredBecause::UnknownType);
            Ok(())
        }
    }
}

/// Whether objects of this word are known to say nothing here.
pub(super) fn is_silent(word: &str) -> bool {
    SILENT.contains(&word)
}

/// `charge.dispute.created` is about a dispute, `customer.subscription.deleted` about a subscription.
fn object_of(kind: &str) -> String {
    let stem = kind.rsplit_once('.').map_or(kind, |(stem, _)| stem);
    match stem {
        "charge.dispute" => "dispute".to_owned(),
        "charge.refund" => "refund".to_owned(),
        "customer.subscription" => "subscription".to_owned(),
        other => other.to_owned(),
    }
}

/// A live event at a test account, or one of an account that is not ours.
pub(super) fn not_ours(
    account: &AccountView,
    event: &Object<'_>,
    tenant: Option<&ProviderId>,
) -> Result<Option<IgnoredBecause>, Malformed> {
    if let Some(live) = event.bool("livemode")?
        && live != (account.mode == Mode::Live)
    {
        return Ok(Some(IgnoredBecause::WrongMode));
    }
    let Some(tenant) = tenant.filter(|tenant| account.external_id.as_ref() != Some(tenant)) else { return Ok(None) };
    let known = match &account.tenants {
        Tenants::Own => false,
        Tenants::Listed(tenants) => tenants.contains(tenant),
        Tenants::Any => true,
    };
    Ok((!known).then_some(IgnoredBecause::WrongAccount))
}

impl Context {
    /// Reads what both kinds of envelope carry. The event's id and type must be there: without them nothing is known.
    pub(super) fn of(envelope: &Envelope<'_>, event: &Object<'_>, kind: &str) -> Result<Context, Malformed> {
        let id = event.id("id")?.ok_or(Malformed::Shape { field: "id", expected: "an event id" })?;
        let word = event.text("type")?.ok_or(Malformed::Shape { field: "type", expected: "an event type" })?;
        let tenant = match event.id("account")? {
            Some(account) => Some(account),
            None => event.id("context")?,
        };
        let reading =
            Reading { event: Some(format!("{kind}:{id}").into()), event_type: cut(word), ..Reading::default() };
        Ok(Context { source: envelope.source(), at: None, kind: word.into(), tenant, reading })
    }

    /// The payment of an object that names an intent, a charge, or both; a charge is then another name of the intent.
    pub(super) fn payment(&mut self, intent: Option<ProviderId>, charge: Option<ProviderId>) -> Option<PaymentRef> {
        let tenant = self.tenant.clone();
        let name = |id: ProviderId| PaymentRef { tenant: tenant.clone(), id };
        match (intent, charge) {
            (Some(intent), Some(charge)) => {
                let alias = Alias { payment: name(intent.clone()), alias: name(charge) };
                if !self.reading.aliases.contains(&alias) {
                    self.reading.aliases.push(alias);
                }
                Some(name(intent))
            }
            (Some(id), None) | (None, Some(id)) => Some(name(id)),
            (None, None) => None,
        }
    }

    /// The payment of an intent, which the charges it names are other names of.
    pub(super) fn payment_of_intent(&mut self, id: &ProviderId, charges: [Option<&ProviderId>; 2]) -> PaymentRef {
        for charge in charges.into_iter().flatten() {
            self.payment(Some(id.clone()), Some(charge.clone()));
        }
        PaymentRef { tenant: self.tenant.clone(), id: id.clone() }
    }

    pub(super) fn subscription(&self, id: ProviderId) -> SubscriptionRef {
        SubscriptionRef { tenant: self.tenant.clone(), id }
    }

    /// The source of its facts. An unproved body's are thrown away before anybody sees them.
    pub(super) fn source(&self) -> Source {
        self.source.unwrap_or(Source::Webhook)
    }

    /// A fact of this event.
    pub(super) fn fact(&self, kind: PaymentKind, op: &str, word: &str) -> PaymentFact {
        Fact::new(kind, op, self.at, self.source()).detail(Detail::word(word))
    }

    pub(super) fn assert(&mut self, payment: &PaymentRef, fact: PaymentFact) {
        self.reading.latest = self.reading.latest.max(fact.at).max(fact.op_at);
        let named = (payment.clone(), fact);
        if !self.reading.facts.contains(&named) {
            self.reading.facts.push(named);
        }
    }

    /// A word we do not know: kept as a fact, counted, and read back.
    pub(super) fn unmapped(
        &mut self,
        payment: &PaymentRef,
        field: &'static str,
        word: &str,
        want: (&str, &ProviderId),
    ) {
        let fact = self.fact(PaymentKind::Unmapped, field, &cut(word));
        self.assert(payment, fact);
        self.unknown(field, word);
        self.want(want.0, want.1, WantReason::UnknownWord);
    }

    pub(super) fn unknown(&mut self, field: &'static str, word: &str) {
        self.reading.unmapped.push(UnknownWord { field, word: cut(word) });
    }

    pub(super) fn want(&mut self, kind: &str, id: &ProviderId, reason: WantReason) {
        let want = Want { kind: kind.into(), id: id.clone(), tenant: self.tenant.clone(), reason };
        if !self.reading.wants.contains(&want) {
            self.reading.wants.push(want);
        }
    }

    /// A claim, unless it claims nothing.
    pub(super) fn claim(&mut self, subject: &ClaimSubject, kind: ClaimKind, value: Option<&str>) {
        if let Some(value) = value.and_then(|value| normalised(kind, value)) {
            let claim = Claim { subject: subject.clone(), kind, value, at: self.at };
            if !self.reading.claims.contains(&claim) {
                self.reading.claims.push(claim);
            }
        }
    }

    /// An event that changed nothing says so.
    fn own_up(&mut self) {
        let Reading { facts, subscriptions, aliases, claims, wants, unmapped, .. } = &self.reading;
        let silent = facts.is_empty()
            && subscriptions.is_empty()
            && aliases.is_empty()
            && claims.is_empty()
            && wants.is_empty()
            && unmapped.is_empty();
        if silent && self.reading.ignored.is_none() {
            self.reading.ignored = Some(IgnoredBecause::NothingToSay);
        }
    }

    /// Nobody signed this body: it asserts nothing, and what it is about is read back.
    fn only_hint(&mut self, object: &Object<'_>) -> Result<(), Malformed> {
        let word = object.text("object")?.map_or_else(|| object_of(&self.kind), str::to_owned);
        let id = object.id("id")?;
        self.reading = Reading {
            event: self.reading.event.take(),
            event_type: std::mem::take(&mut self.reading.event_type),
            latest: self.reading.latest,
            ignored: self.reading.ignored,
            ..Reading::default()
        };
        if let (Some(kind), Some(id)) = (lookup::kind(&word), id) {
            self.want(kind, &id, WantReason::Hint);
        }
        Ok(())
    }
}

/// Text without control characters: a NUL is no text to a database, a line break forges a log line.
fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.chars().filter(|c| !c.is_control()).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// A word of the gateway, plain and at most 100 bytes.
pub(super) fn cut(word: &str) -> Box<str> {
    let word = plain(word);
    word[..word.floor_char_boundary(WORD_LIMIT_BYTES)].into()
}

/// The value in the form claims are compared in; `None` if it claims nothing.
fn normalised(kind: ClaimKind, value: &str) -> Option<Box<str>> {
    let value = plain(value);
    let value = value.trim();
    let value = match kind {
        ClaimKind::Email => Some(value.to_lowercase()).filter(|email| is_email(email))?,
        ClaimKind::Document | ClaimKind::PayerDocument => crate::document::normalised(value)?,
        _ => value.to_owned(),
    };
    let end = value.floor_char_boundary(CLAIM_LIMIT_BYTES);
    (end > 0).then(|| value[..end].into())
}

/// Enough to tell an address from what people type instead of one.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(user, domain)| !user.is_empty() && !domain.is_empty());
    parts.is_some() && !text.contains(char::is_whitespace)
}

/// A detail with a text of the gateway.
pub(super) fn noted(detail: Detail, key: DetailKey, text: &str) -> Detail {
    detail.with(key, &plain(text))
}

/// The amount asked for, as a detail of what was taken, held or tried.
pub(super) fn asked(detail: Detail, amount: Option<Amount>) -> Detail {
    match amount {
        Some(amount) => detail.with(DetailKey::Asked, &amount.to_string()),
        None => detail,
    }
}
