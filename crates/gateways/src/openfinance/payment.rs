//! One payment, whoever tells of it: a status, perhaps an amount, and what decorates them.

use afluente_model::{
    Amount, AttemptKind, CaptureKind, Currency, Detail, DetailKey, PaymentKind, ProviderId, Timestamp, WantKind,
};

use crate::draft::Draft;
use crate::text::{asked, noted};

/// What is told of a payment. Its only operation has its own name.
pub(super) struct Told<'a> {
    /// Its id at the gateway.
    pub(super) id: &'a ProviderId,
    /// The object and field of the status.
    pub(super) field: &'static str,
    /// The gateway's word.
    pub(super) status: &'a str,
    /// The fact the word becomes; none of a word we do not know.
    pub(super) kind: Option<PaymentKind>,
    /// The amount, with its currency.
    pub(super) money: Option<(Amount, Currency)>,
    /// Why it failed or was called off, in a word that anybody may see.
    pub(super) code: Option<&'a str>,
    /// When it is to run.
    pub(super) scheduled_for: Option<Timestamp>,
    /// What is asked for if the word is not known.
    pub(super) read_back: WantKind,
}

impl Told<'_> {
    pub(super) fn tell(&self, draft: &mut Draft) {
        let payment = draft.payment(self.id);
        let Some(kind) = self.kind else {
            draft.unmapped(&payment, self.field, self.status, (self.read_back, self.id));
            return;
        };
        let amount = self.money.map(|(amount, _)| amount);
        let currency = self.money.map(|(_, currency)| currency);
        let taken = if kind == PaymentKind::Capture(CaptureKind::Succeeded) { amount } else { None };
        let fact = draft.fact(kind, self.id.as_str(), self.status);
        let detail = self.detail(kind, asked(fact.detail.clone(), amount));
        draft.assert(&payment, fact.money(taken, currency).detail(detail));
    }

    fn detail(&self, kind: PaymentKind, detail: Detail) -> Detail {
        let detail = match self.code {
            Some(code) => noted(detail, DetailKey::Code, code),
            None => detail,
        };
        if kind == PaymentKind::Attempt(AttemptKind::Scheduled) {
            detail.with_time(DetailKey::ScheduledFor, self.scheduled_for)
        } else {
            detail
        }
    }
}
