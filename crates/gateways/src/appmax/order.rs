//! An order as it is read back: the payment. The API of apps counts centavos, the panel's writes reais; which of the two was asked
//! says which, never the look of a number.

use afluente_model::money::Scale;
use afluente_model::{
    Amount, AttemptKind, AuthKind, CaptureKind, Currency, Detail, DetailKey, DisputeKind, PaymentFact, PaymentKind,
    ProviderId, Timestamp, WantKind,
};

use super::{claim, moment, words};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::Raised;
use crate::text::asked as asked_for;

/// What an order says of itself, whichever API answered.
#[derive(Debug)]
struct Order<'a> {
    id: &'a ProviderId,
    status: &'a str,
    amount: Option<Amount>,
    /// What went back so far; none where it is not said.
    returned: Option<Amount>,
    /// Whether anything went back.
    has_returned: bool,
    method: String,
    expires_at: Option<Timestamp>,
}

/// An order of the App Store's API, integers in centavos.
pub(super) fn read_v1(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let order = data.object("order")?.ok_or(Malformed::Shape { field: "data.order", expected: "an object" })?;
    is_it(order, id)?;
    draft.set_at(moment::of(order, "updated_at")?);
    claim::v1(draft, data, id);
    let payment = draft.unless_twice(data.object("payment"))?;
    let refund = draft.unless_twice(data.object("refund"))?;
    let has_returned = refund.is_some_and(|refund| refund.text("refunded_at").is_ok_and(|at| at.is_some()));
    let method = payment.and_then(|payment| draft.soft(payment.text("method"))).unwrap_or_default().to_owned();
    let order = Order {
        id,
        status: order.text("status")?.unwrap_or_default(),
        amount: order.amount("total_paid")?.filter(|amount| *amount > Amount::ZERO),
        returned: None,
        has_returned,
        method,
        expires_at: None,
    };
    order.tell(draft);
    Ok(())
}

/// An order of the panel's API, decimals in reais. It carries no time of its last change.
pub(super) fn read_v3(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    is_it(data, id)?;
    claim::v3(draft, data, id);
    let reais = |key| data.decimal(key, Scale::iso4217(Currency::BRL));
    let returned = reais("total_refunded")?.max(reais("refund_amount")?).filter(|amount| *amount > Amount::ZERO);
    let waits = ["pix_expiration_date", "billet_date_overdue"];
    let expires_at = waits.into_iter().find_map(|key| draft.soft(moment::of(data, key)));
    let order = Order {
        id,
        status: data.text("status")?.unwrap_or_default(),
        amount: reais("total")?.filter(|amount| *amount > Amount::ZERO),
        returned,
        has_returned: returned.is_some() || data.text("refunded_at")?.is_some_and(|at| !at.is_empty()),
        method: draft.soft(data.text("payment_type")).unwrap_or_default().to_owned(),
        expires_at,
    };
    order.tell(draft);
    Ok(())
}

fn is_it(order: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let same = order.number_or_id("id")?.is_some_and(|named| named == *id);
    if same { Ok(()) } else { Err(Malformed::NotAsked) }
}

impl Order<'_> {
    fn tell(&self, draft: &mut Draft) {
        let payment = draft.payment(self.id);
        let Some(facts) = words::order(self.status) else {
            draft.unmapped(&payment, "order.status", self.status, (WantKind::Payment, self.id));
            return;
        };
        for kind in facts {
            if let Some(fact) = self.fact(draft, *kind) {
                draft.assert(&payment, fact);
            }
        }
        self.alarm(draft, facts);
    }

    fn fact(&self, draft: &Draft, kind: PaymentKind) -> Option<PaymentFact> {
        let kind = match kind {
            PaymentKind::Attempt(AttemptKind::RequiresAction) if !self.waits_for_payer() => {
                PaymentKind::Attempt(AttemptKind::Pending)
            }
            other => other,
        };
        let (op, amount) = match kind {
            PaymentKind::Totals(_) => ("t", Some(self.returned()?)),
            PaymentKind::Capture(CaptureKind::Succeeded) | PaymentKind::Auth(AuthKind::Authorized) => {
                (self.id.as_str(), self.amount)
            }
            PaymentKind::Dispute(DisputeKind::None) => (self.id.as_str(), None),
            PaymentKind::Dispute(_) => (self.id.as_str(), self.amount),
            PaymentKind::Attempt(_)
            | PaymentKind::Auth(_)
            | PaymentKind::Capture(_)
            | PaymentKind::Refund(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => (self.id.as_str(), None),
        };
        let fact = draft.fact(kind, op, self.status);
        let detail = self.detail(kind, fact.detail.clone());
        Some(fact.money(amount, amount.map(|_| Currency::BRL)).detail(detail))
    }

    fn detail(&self, kind: PaymentKind, detail: Detail) -> Detail {
        match kind {
            PaymentKind::Attempt(_) => asked_for(detail, self.amount).with_time(DetailKey::ExpiresAt, self.expires_at),
            PaymentKind::Capture(_) | PaymentKind::Auth(_) => asked_for(detail, self.amount),
            PaymentKind::Dispute(DisputeKind::None) => detail,
            PaymentKind::Dispute(_) => detail.with(DetailKey::Stage, "1"),
            PaymentKind::Refund(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Totals(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => detail,
        }
    }

    /// What went back. Of an order that was given back whole it is all there was.
    fn returned(&self) -> Option<Amount> {
        if self.status.trim().eq_ignore_ascii_case("estornado") {
            return self.returned.max(self.amount);
        }
        // That nothing went back is known only where nothing says that something did.
        self.returned.or((!self.has_returned).then_some(Amount::ZERO))
    }

    fn waits_for_payer(&self) -> bool {
        let method = self.method.to_ascii_lowercase();
        ["pix", "boleto", "billet"].iter().any(|waits| method.contains(waits))
    }

    /// What no call can find out.
    fn alarm(&self, draft: &mut Draft, facts: &[PaymentKind]) {
        let took = facts.contains(&PaymentKind::Capture(CaptureKind::Succeeded));
        let entity = || format!("payment {}", self.id).into();
        if took && self.amount.is_none() {
            draft.raise(Raised {
                kind: "amount_unknown",
                entity: entity(),
                detail: "Appmax calls the order paid and names no amount: look at the order in its panel",
            });
        }
        if took && self.has_returned && self.returned().is_none() {
            draft.raise(Raised {
                kind: "refund_amount_unknown",
                entity: entity(),
                detail: "part of the order was given back, and the API of apps does not say how much: look at it in the panel",
            });
        }
    }
}
