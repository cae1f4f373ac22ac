//! A receipt read once more, with today's adapter and account.

use afluente_gateways::{Envelope, IgnoredBecause, Malformed, Reading, read};
use afluente_model::Source;
use afluente_store::ClaimRow;
use afluente_store::report::HeldReceipt;

use crate::account::{Account, Accounts};
use crate::entry::Entry;

/// A receipt and what it says.
pub(super) struct Reread<'a> {
    pub(super) receipt: &'a HeldReceipt,
    pub(super) reading: Reading,
    account: &'a Account,
    source: Source,
}

impl<'a> Reread<'a> {
    /// Reads it.
    pub(super) fn read(receipt: &'a HeldReceipt, account: &'a Account) -> Result<Reread<'a>, Malformed> {
        let envelope = Envelope::of(&receipt.incoming, &account.view);
        let source = envelope.source().unwrap_or(Source::Webhook);
        Ok(Reread { receipt, reading: read(account.adapter, &envelope)?, account, source })
    }

    /// The same; `None` where nobody can read it today.
    pub(super) fn of(receipt: &'a HeldReceipt, accounts: &'a Accounts) -> Option<Reread<'a>> {
        let account = accounts.0.get(receipt.incoming.account())?;
        Reread::read(receipt, account).ok()
    }

    /// What it says to the ledger; nothing if it is kept and ignored, unless it claims something nevertheless.
    pub(super) fn entry(&self) -> Option<Entry<'_>> {
        let claims = |because: IgnoredBecause| !because.is_alarm() && !self.reading.claims.is_empty();
        self.reading.ignored.is_none_or(claims).then(|| Entry {
            account: self.receipt.incoming.account(),
            gateway: self.account.gateway,
            conventions: self.account.adapter.profile().conventions,
            source: self.source,
            reading: &self.reading,
            is_proved: self.receipt.incoming.is_proved(),
            receipt: self.receipt.id,
        })
    }

    /// What it claims.
    pub(super) fn claims(&self) -> Vec<ClaimRow<'_>> {
        self.entry().map(|entry| entry.claims()).unwrap_or_default()
    }
}
