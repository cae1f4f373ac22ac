//! v4 postbacks: a form in PHP's brackets. Its ids are numbers, everything in it is text, and absent things are an empty text or the
//! words `null` and `undefined`.

use std::borrow::Cow;

use afluente_model::{
    Amount, AttemptKind, AuthKind, Currency, Detail, DetailKey, PaymentFact, PaymentKind, PaymentRef, ProviderId,
    SubscriptionBase, SubscriptionKind, SubscriptionReason, Timestamp, WantKind,
};

use super::RESOLUTION;
use super::topic;
use super::words::{self, Story};
use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::reading::IgnoredBecause;
use crate::text::{asked as asked_for, cut, noted};

/// Fields of one postback at most.
const MOST_FIELDS: usize = 2_000;

/// The fields of a form, each once, in the order of their names.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    fn parse(body: &'a [u8]) -> Result<Form<'a>, Malformed> {
        let mut fields: Vec<_> = form_urlencoded::parse(body).take(MOST_FIELDS + 1).collect();
        if fields.len() > MOST_FIELDS {
            return Err(Malformed::Shape { field: ".", expected: "a form of at most 2000 fields" });
        }
        fields.sort_unstable();
        if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Malformed::DuplicateKey { field: "." });
        }
        Ok(Form(fields))
    }

    /// The text of a field; what stands for nothing is nothing.
    fn text(&self, key: &str) -> Option<&str> {
        self.named([key])
    }

    /// A field of the object a prefix stands for.
    fn of(&self, prefix: &str, key: &str) -> Option<&str> {
        self.named([prefix, key])
    }

    /// The field whose name is these parts, one after the other.
    fn named<const N: usize>(&self, parts: [&str; N]) -> Option<&str> {
        let name = || parts.iter().flat_map(|part| part.bytes());
        let place = self.0.binary_search_by(|(known, _)| known.bytes().cmp(name())).ok()?;
        Some(self.0[place].1.as_ref()).filter(|text| !matches!(*text, "" | "null" | "undefined"))
    }

    fn amount(&self, prefix: &str, key: &'static str) -> Result<Option<Amount>, Malformed> {
        let Some(text) = self.named([prefix, "[", key, "]"]) else { return Ok(None) };
        let minor = text.parse().ok().and_then(|minor| Amount::new(minor).ok());
        minor.map(Some).ok_or(Malformed::Amount { field: key })
    }

    fn moment(&self, prefix: &str, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
        let Some(text) = self.named([prefix, "[", key, "]"]) else { return Ok(None) };
        let moment = Timestamp::parse_rfc3339(text).map_err(|_| Malformed::Time { field: key })?;
        Ok(Some(moment.cut_to(RESOLUTION)))
    }
}

pub(super) fn read(envelope: &Envelope<'_>) -> Result<Draft, Malformed> {
    let form = Form::parse(envelope.body())?;
    let kind = form.text("event").ok_or(Malformed::Shape { field: "event", expected: "the name of an event" })?;
    let id = id(&form, "id")?.ok_or(Malformed::Id { field: "id" })?;
    let object = form.text("object").unwrap_or_default();
    let moved = ["old_status", "current_status"].map(|key| form.text(key).unwrap_or_default());
    let changed = form.of(object, "[date_updated]").unwrap_or_default();
    let event = format!("v4:{object}:{id}:{kind}:{}>{}:{changed}", moved[0], moved[1]);
    let mut draft = Draft::new(envelope.source(), Some(event), kind);
    if !topic::POSTBACKS.contains(&kind) {
        draft.unknown("v4 event", kind);
    }
    match object {
        "transaction" => {
            let status = form.text("current_status").or(form.of("transaction", "[status]")).unwrap_or_default();
            transaction(&mut draft, &form, "transaction", &id, status)?;
        }
        "subscription" => subscription(&mut draft, &form, &id)?,
        "recipient" => draft.ignore(IgnoredBecause::NothingToSay),
        _ => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(draft)
}

fn id(form: &Form<'_>, key: &str) -> Result<Option<ProviderId>, Malformed> {
    form.text(key).map(ProviderId::parse).transpose().map_err(|_| Malformed::Id { field: "id" })
}

/// A transaction: the payment.
struct Transaction<'a> {
    id: &'a ProviderId,
    status: &'a str,
    amount: Option<Amount>,
    held: Option<Amount>,
    taken: Option<Amount>,
    returned: Option<Amount>,
    waits_for_payer: bool,
    expires_at: Option<Timestamp>,
    code: &'a str,
}

fn transaction(
    draft: &mut Draft,
    form: &Form<'_>,
    prefix: &str,
    id: &ProviderId,
    status: &str,
) -> Result<(), Malformed> {
    draft.set_at(form.moment(prefix, "date_updated")?);
    claims(draft, form, prefix, id);
    let payment = draft.payment(id);
    let some = |amount: Option<Amount>| amount.filter(|amount| *amount > Amount::ZERO);
    let amount = form.amount(prefix, "amount")?;
    let code = ["[acquirer_response_code]", "[refuse_reason]", "[status_reason]"];
    let told = Transaction {
        id,
        status,
        amount,
        held: some(form.amount(prefix, "authorized_amount")?).or(amount),
        // A slip that is paid may still say that nothing was.
        taken: some(form.amount(prefix, "paid_amount")?).or(amount),
        returned: form.amount(prefix, "refunded_amount")?,
        waits_for_payer: matches!(form.of(prefix, "[payment_method]"), Some("boleto" | "pix")),
        expires_at: draft.soft(form.moment(prefix, "boleto_expiration_date")),
        code: code.into_iter().find_map(|key| form.of(prefix, key)).unwrap_or_default(),
    };
    let Some((_, story)) = words::POSTBACK.iter().find(|(word, _)| *word == status) else {
        draft.unmapped(&payment, "v4 transaction.status", status, (WantKind::Payment, id));
        return Ok(());
    };
    for kind in story.facts() {
        told.tell(draft, &payment, *kind, *story);
    }
    Ok(())
}

impl Transaction<'_> {
    fn tell(&self, draft: &mut Draft, payment: &PaymentRef, kind: PaymentKind, story: Story) {
        let op = match kind {
            PaymentKind::Totals(_) => "t".to_owned(),
            PaymentKind::Refund(_) => format!("{}:refund", self.id),
            PaymentKind::Attempt(_)
            | PaymentKind::Auth(_)
            | PaymentKind::Capture(_)
            | PaymentKind::Dispute(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => self.id.to_string(),
        };
        let amount = match kind {
            PaymentKind::Totals(_) if story == Story::Returned => {
                self.returned.filter(|some| *some > Amount::ZERO).or(self.taken)
            }
            PaymentKind::Totals(_) => self.returned.filter(|some| story != Story::Lost || Some(*some) < self.taken),
            PaymentKind::Capture(_) | PaymentKind::Dispute(_) => self.taken,
            PaymentKind::Auth(AuthKind::Authorized) => self.held,
            PaymentKind::Auth(_)
            | PaymentKind::Attempt(_)
            | PaymentKind::Refund(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => None,
        };
        if matches!(kind, PaymentKind::Totals(_)) && amount.is_none() {
            return;
        }
        // While nobody shows the payer anything there is nothing to wait for.
        let kind = match kind {
            PaymentKind::Attempt(AttemptKind::RequiresAction) if !self.waits_for_payer => {
                PaymentKind::Attempt(AttemptKind::Pending)
            }
            other => other,
        };
        let fact: PaymentFact = draft.fact(kind, &op, self.status);
        let detail = self.detail(kind, fact.detail.clone());
        draft.assert(payment, fact.money(amount, amount.map(|_| Currency::BRL)).detail(detail));
    }

    fn detail(&self, kind: PaymentKind, detail: Detail) -> Detail {
        match kind {
            PaymentKind::Attempt(AttemptKind::Declined) => {
                noted(asked_for(detail, self.amount), DetailKey::Code, self.code)
            }
            PaymentKind::Attempt(_) => asked_for(detail, self.amount).with_time(DetailKey::ExpiresAt, self.expires_at),
            PaymentKind::Capture(_) | PaymentKind::Auth(_) => asked_for(detail, self.amount),
            PaymentKind::Dispute(_) => detail.with(DetailKey::Stage, "1"),
            PaymentKind::Refund(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Totals(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => detail,
        }
    }
}

/// A subscription with the transaction it was last charged by.
fn subscription(draft: &mut Draft, form: &Form<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let status = form.text("current_status").or(form.of("subscription", "[status]")).unwrap_or_default();
    let inner = "subscription[current_transaction]";
    let charge = self::id(form, &format!("{inner}[id]"))?;
    if let Some(charge) = &charge {
        let of_charge = form.of(inner, "[status]").unwrap_or_default().to_owned();
        transaction(draft, form, inner, charge, &of_charge)?;
        let payment = draft.subject(SubjectKind::Payment, charge);
        draft.claim(&payment, ClaimKind::Subscription, Ok(Some(id.clone())));
    }
    draft.set_at(form.moment("subscription", "date_updated")?.or(draft.at()));
    let subject = draft.subject(SubjectKind::Subscription, id);
    person(draft, form, "subscription", &subject);
    let known = words::POSTBACK_SUBSCRIPTION.iter().find(|(word, _)| *word == status).map(|(_, base)| *base);
    if known.is_none() {
        draft.unknown("v4 subscription.status", status);
    }
    let base = known.unwrap_or(SubscriptionBase::Unknown);
    let detail = Detail::word(&cut(status));
    let detail = match base {
        SubscriptionBase::Suspended => detail.with(DetailKey::Reason, SubscriptionReason::Nonpayment.as_str()),
        SubscriptionBase::Expired => detail
            .with(DetailKey::Reason, SubscriptionReason::Completed.as_str())
            .with_time(DetailKey::Until, draft.at()),
        SubscriptionBase::Canceled => detail.with_time(DetailKey::Until, draft.at()),
        SubscriptionBase::Active
        | SubscriptionBase::Incomplete
        | SubscriptionBase::Pending
        | SubscriptionBase::Trialing
        | SubscriptionBase::PastDue
        | SubscriptionBase::Paused
        | SubscriptionBase::Unknown => detail,
    };
    let reference = draft.subscription(id);
    let fact = draft.subscription_fact(SubscriptionKind::Base(base), "s", detail);
    draft.assert_subscription(&reference, fact);
    let since = draft.soft(form.moment("subscription", "current_period_start"));
    let until = draft.soft(form.moment("subscription", "current_period_end"));
    if since.is_some() || until.is_some() {
        let detail = Detail::none().with_time(DetailKey::Since, since).with_time(DetailKey::Until, until);
        let fact = draft.subscription_fact(SubscriptionKind::Period, "s", detail);
        draft.assert_subscription(&reference, fact);
    }
    Ok(())
}

/// Who is behind a transaction.
fn claims(draft: &mut Draft, form: &Form<'_>, prefix: &str, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Payment, id);
    person(draft, form, prefix, &subject);
    for (kind, key) in [
        (ClaimKind::MethodKind, "[payment_method]"),
        (ClaimKind::Subscription, "[subscription_id]"),
        (ClaimKind::Order, "[order_id]"),
        (ClaimKind::Reference, "[reference_key]"),
        (ClaimKind::Reference, "[metadata][order_id]"),
        (ClaimKind::Method, "[card][id]"),
        (ClaimKind::CardBrand, "[card_brand]"),
        (ClaimKind::CardLast4, "[card_last_digits]"),
        (ClaimKind::Fingerprint, "[card][fingerprint]"),
    ] {
        draft.claim(&subject, kind, Ok(form.of(prefix, key)));
    }
}

fn person(draft: &mut Draft, form: &Form<'_>, prefix: &str, subject: &ClaimSubject) {
    for (kind, key) in [
        (ClaimKind::Customer, "[customer][id]"),
        (ClaimKind::Email, "[customer][email]"),
        (ClaimKind::Name, "[customer][name]"),
        (ClaimKind::Document, "[customer][document_number]"),
    ] {
        draft.claim(subject, kind, Ok(form.of(prefix, key)));
    }
    let parts = ["[phone][ddi]", "[phone][ddd]", "[phone][number]"].map(|key| form.of(prefix, key).unwrap_or_default());
    draft.claim(subject, ClaimKind::Phone, Ok(Some(parts.concat())));
}
