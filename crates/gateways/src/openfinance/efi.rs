//! Efí, an initiator that signs nothing: the channel is proved by a certificate of its own chain, or the address by a text that was
//! registered with it. So what it posts are hints, and facts come of its list of payments, stamped with the answer's `Date`,
//! since a payment has no time of its last change there.

use std::borrow::Cow;

use afluente_model::money::Scale;
use afluente_model::{
    Amount, Answer, Asked, Currency, PaymentKind, Proof, ProviderId, Resolution, Timestamp, WantKind, WantReason,
};

use super::payment::Told;
use super::words;
use crate::claim::{ClaimKind, SubjectKind};
use crate::credentials::{CredentialKind, Credentials};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::{Malformed, Rejection};
use crate::json::{self, Json, Object};
use crate::reading::{Absent, Call, IgnoredBecause, Impossible, Want};
use crate::request::Request;
use crate::signature::matches_token;

/// What Efí's Pix API puts behind an address, and older documents of Open Finance as well.
const PIX: &str = "pix";
/// The parameter with the registered text. It is no HMAC.
const TOKEN: &str = "hmac";
const DAY_MICROS: i64 = 86_400_000_000;

/// Its certificate, the registered text, or both where the account has both.
pub(super) fn verify(request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
    let proof = proof(request, credentials, now)?;
    if request.path_token.is_none_or(|path| path == PIX) { Ok(proof) } else { Err(Rejection::UnknownPath) }
}

fn proof(request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
    if credentials.has(CredentialKind::PathToken) {
        let query = request.query.unwrap_or_default().as_bytes();
        let mut shown = form_urlencoded::parse(query).filter(|(name, _)| name == TOKEN);
        let (Some((_, token)), None) = (shown.next(), shown.next()) else { return Err(Rejection::WrongPathToken) };
        matches_token(credentials, &token)?;
        if credentials.authorities().is_none() {
            return Ok(Proof::PathToken);
        }
    }
    let name = request.named_peer(credentials, now)?;
    Ok(Proof::Channel { peer: name.as_peer() })
}

/// One item, or several in a list: each stands for itself, and one that cannot be read takes no other with it.
pub(super) fn notice(envelope: &Envelope<'_>) -> Result<Draft, Malformed> {
    if envelope.body().is_empty() {
        // The second of the two calls of a registration: it came with the certificate, and is about nothing.
        let mut draft = Draft::new(None, Some("ping".to_owned()), "ping");
        draft.ignore(IgnoredBecause::Ping);
        return Ok(draft);
    }
    let text = json::text(envelope.body())?;
    let text = json::with_decimals(&text);
    let body = json::value(&text)?;
    let items: &[Json<'_>] = match &body {
        Json::List(items) => items,
        Json::Object(object) => object.list(PIX)?.unwrap_or(std::slice::from_ref(&body)),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::Text(_) => {
            return Err(Malformed::Shape { field: ".", expected: "an object or a list of objects" });
        }
    };
    let mut parts = Vec::new();
    let mut draft = Draft::new(None, None, "notice");
    let mut damaged = None;
    for item in items {
        match one(&mut draft, item) {
            Ok(part) => parts.push(part),
            Err(damage) => damaged = Some(damage),
        }
    }
    match damaged {
        Some(damage) if parts.is_empty() => return Err(damage),
        Some(damage) => draft.note(damage),
        None => {}
    }
    parts.insert(0, "efi1".to_owned());
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    draft.set_event(format!("notice:{}", super::notice::event_key(&parts)));
    Ok(draft)
}

/// What one item raises, and what tells a repetition of it.
fn one(draft: &mut Draft, item: &Json<'_>) -> Result<String, Malformed> {
    let Json::Object(item) = item else { return Err(Malformed::Shape { field: ".", expected: "an object" }) };
    let kind = item.text("tipo")?.unwrap_or_default();
    let payment = item.id("identificadorPagamento")?;
    let subscription = item.id("identificadorAdesao")?;
    if !matches!(kind, "pagamento" | "devolucao") {
        draft.unknown("efi.tipo", kind);
    }
    let day = draft.soft(super::moment(item, "dataCriacao")).map(|at| at.to_string()[..10].to_owned());
    draft.set_tenant(None, day.and_then(|day| ProviderId::parse(&day).ok()));
    match (&payment, &subscription) {
        (Some(id), _) => draft.want(WantKind::Payment, id, WantReason::Hint),
        (None, Some(id)) => draft.want(WantKind::Subscription, id, WantReason::Hint),
        (None, None) => return Err(Malformed::Id { field: "identificadorPagamento" }),
    }
    let named = payment.or(subscription).map_or_else(String::new, |id| id.to_string());
    let text = |key| Ok::<_, Malformed>(item.text(key)?.unwrap_or("-").to_owned());
    let (end_to_end, refund) = (text("endToEndId")?, text("identificadorDevolucao")?);
    Ok([kind, &named, &end_to_end, &refund, item.text("status")?.unwrap_or("-")].join("\n"))
}

/// The list of the days around the payment's creation. No call reads one payment alone.
pub(super) fn calls(want: &Want) -> Result<Vec<Call>, Impossible> {
    let impossible = Impossible { kind: want.kind };
    let day = want.context.as_ref().and_then(|day| Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).ok());
    let (WantKind::Payment, Some(day)) = (want.kind, day) else { return Err(impossible) };
    let shown = |at: Timestamp| at.to_string()[..10].to_owned();
    let (from, to) = (shown(day.shifted(-DAY_MICROS)), shown(day.shifted(DAY_MICROS)));
    let asked = Asked {
        kind: want.kind,
        id: want.id.clone(),
        tenant: None,
        context: want.context.clone(),
        path: format!("/v1/pagamentos/pix?inicio={from}&fim={to}").into(),
        listed: false,
    };
    Ok(vec![Call { asked, absent: Absent::NotYet }])
}

/// The payment that was asked for, out of the list.
pub(super) fn answered(envelope: &Envelope<'_>, answer: &Answer) -> Result<Draft, Malformed> {
    let asked = &answer.asked;
    let text = json::text(envelope.body())?;
    let text = json::with_decimals(&text);
    let body = json::object(&text)?;
    let at = envelope.date().map(|date| date.shifted(-Resolution::Second.micros()));
    let when = at.map_or_else(String::new, |at| format!("@{}", at.as_seconds()));
    let event = format!("answer:{}/{}{when}", asked.kind, asked.id);
    let mut draft = Draft::new(envelope.source(), Some(event), &format!("answer.{}", asked.kind));
    draft.set_at(at);
    let items = body.list("pagamentos")?.ok_or(Malformed::Shape { field: "pagamentos", expected: "a list" })?;
    let is_it = |item: &&Object<'_>| item.id("identificadorPagamento").ok().flatten().as_ref() == Some(&asked.id);
    let mut objects = items.iter().filter_map(|item| match item {
        Json::Object(object) => Some(object),
        _ => None,
    });
    let item = objects.find(is_it).ok_or(Malformed::NotAsked)?;
    payment(&mut draft, item, &asked.id)?;
    Ok(draft)
}

fn payment(draft: &mut Draft, item: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let status = item.text("status")?.unwrap_or_default();
    let amount = item.decimal("valor", Scale::iso4217(Currency::BRL))?;
    let code = draft.soft(item.text("motivo"));
    let kind = words::of(words::EFI, status);
    let told = Told {
        id,
        field: "efi.status",
        status,
        kind,
        money: amount.map(|amount| (amount, Currency::BRL)),
        code,
        scheduled_for: None,
        read_back: WantKind::Payment,
    };
    told.tell(draft);
    if kind == words::of(words::EFI, "aceito") {
        returned(draft, item, id)?;
    }
    let subject = draft.subject(SubjectKind::Payment, id);
    draft.claim(&subject, ClaimKind::Reference, item.text("idProprio"));
    draft.claim(&subject, ClaimKind::Reference, item.text("endToEndId"));
    draft.claim(&subject, ClaimKind::MethodKind, Ok(Some(Cow::Borrowed(PIX))));
    Ok(())
}

/// What went back of it: the accepted ones of its refunds. Where none are listed, nothing is said.
fn returned(draft: &mut Draft, item: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let Some(refunds) = item.list("devolucoes")? else { return Ok(()) };
    let mut total = Amount::ZERO;
    for refund in refunds {
        let Json::Object(refund) = refund else {
            return Err(Malformed::Shape { field: "devolucoes", expected: "objects" });
        };
        if refund.text("status")?.is_some_and(|status| status.eq_ignore_ascii_case("aceito")) {
            let amount = refund.decimal("valor", Scale::iso4217(Currency::BRL))?;
            let amount = amount.ok_or(Malformed::Amount { field: "devolucoes" })?;
            total = Amount::new(total.minor().saturating_add(amount.minor())).unwrap_or(total);
        }
    }
    let payment = draft.payment(id);
    let total_of: PaymentKind = words::RETURNED;
    let fact = draft.fact(total_of, "t", "devolucoes").money(Some(total), Some(Currency::BRL));
    draft.assert(&payment, fact);
    Ok(())
}
