//! A reading on its way into the ledger, from whichever door: a delivery, or a receipt read again.

use std::collections::BTreeMap;

use afluente_gateways::{ClaimSubject, IgnoredBecause, Reading, Want};
use afluente_model::{AccountName, Conventions, Gateway, PaymentFact, Source, SubscriptionFact, Timestamp};
use afluente_store::{ClaimRow, Inconsistency, PaymentKey, SubscriptionKey, UnknownWordRow, WantRow};
use uuid::Uuid;

use crate::names::key_of;

/// One reading with what its rows refer to.
pub(crate) struct Entry<'a> {
    /// The account it came to.
    pub(crate) account: &'a AccountName,
    /// Its gateway.
    pub(crate) gateway: Gateway,
    /// How that gateway writes times and amounts.
    pub(crate) conventions: Conventions,
    /// What its facts and claims carry.
    pub(crate) source: Source,
    /// What it says.
    pub(crate) reading: &'a Reading,
    /// Whether anything proves it.
    pub(crate) is_proved: bool,
    /// The receipt it was read in.
    pub(crate) receipt: Uuid,
}

/// A fact with the name it came under.
pub(crate) struct NamedFact<'a> {
    pub(crate) named: PaymentKey,
    pub(crate) gateway: Gateway,
    pub(crate) fact: &'a PaymentFact,
    pub(crate) receipt: Uuid,
}

/// A fact of a subscription.
pub(crate) struct SubscribedFact<'a> {
    pub(crate) key: SubscriptionKey,
    pub(crate) fact: &'a SubscriptionFact,
    pub(crate) receipt: Uuid,
}

impl<'a> Entry<'a> {
    pub(crate) fn facts(&self) -> impl Iterator<Item = NamedFact<'a>> {
        let (account, gateway, receipt) = (self.account, self.gateway, self.receipt);
        let facts = self.reading.facts.iter();
        facts.map(move |(payment, fact)| NamedFact { named: key_of(account, payment), gateway, fact, receipt })
    }

    pub(crate) fn subscription_facts(&self) -> impl Iterator<Item = SubscribedFact<'a>> {
        let (account, receipt) = (self.account, self.receipt);
        self.reading.subscriptions.iter().map(move |(named, fact)| {
            let tenant = named.tenant.as_ref().map_or("", |tenant| tenant.as_str());
            let key = SubscriptionKey { account: account.clone(), tenant: tenant.into(), id: named.id.as_str().into() };
            SubscribedFact { key, fact, receipt }
        })
    }

    /// Every name of a payment it speaks of: of facts, of aliases, and of what those stand for.
    pub(crate) fn names(&self) -> impl Iterator<Item = PaymentKey> {
        let account = self.account;
        let facts = self.reading.facts.iter().map(|(payment, _)| payment);
        let aliases = self.reading.aliases.iter().flat_map(|one| [&one.alias, &one.payment]);
        facts.chain(aliases).map(move |payment| key_of(account, payment))
    }

    pub(crate) fn wants(&self, now: Timestamp) -> impl Iterator<Item = WantRow> {
        want_rows(self.account, &self.reading.wants, self.is_proved, self.receipt, now)
    }

    /// What it claims, by whom and at what time. Of another mode or account it claims nothing to us.
    pub(crate) fn claims(&self) -> Vec<ClaimRow<'a>> {
        if self.reading.ignored.is_some_and(IgnoredBecause::is_alarm) {
            return Vec::new();
        }
        let mut by_subject: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for claim in &self.reading.claims {
            by_subject.entry((&claim.subject, claim.at)).or_default().push((claim.kind.as_str(), &*claim.value));
        }
        by_subject.into_iter().map(|((subject, at), claims)| self.claim(subject, at, claims)).collect()
    }

    fn claim(
        &self,
        subject: &'a ClaimSubject,
        at: Option<Timestamp>,
        claims: Vec<(&'static str, &'a str)>,
    ) -> ClaimRow<'a> {
        ClaimRow {
            account: self.account,
            tenant: subject.tenant.as_ref().map_or("", |tenant| tenant.as_str()),
            subject_kind: subject.kind.as_str(),
            subject_id: subject.id.as_str(),
            claims,
            at,
            source: self.source,
            receipt: self.receipt,
        }
    }

    pub(crate) fn unknown_words(&self) -> impl Iterator<Item = UnknownWordRow> {
        self.reading.unmapped.iter().map(|word| UnknownWordRow {
            account: self.account.clone(),
            field: word.field,
            word: word.word.clone(),
            receipt: self.receipt,
        })
    }

    /// What a person has to see: an envelope of another mode or account (the configuration and the gateway disagree about who
    /// we are), and what the adapter raised.
    pub(crate) fn for_people(&self) -> Vec<Inconsistency> {
        let account = self.account;
        let one = |kind: &'static str, entity: String, detail: String| Inconsistency {
            id: Uuid::now_v7(),
            kind,
            fingerprint: format!("{kind} {account} {entity}"),
            account: account.clone(),
            entity,
            detail,
        };
        let ignored = self.reading.ignored.filter(|because| because.is_alarm()).map(|because| {
            let kind = because.as_str();
            one(kind, format!("account {account}"), format!("receipt {} was kept and ignored: {kind}", self.receipt))
        });
        let raised = self.reading.raised.iter();
        let raised = raised.map(|raised| one(raised.kind, raised.entity.to_string(), raised.detail.to_owned()));
        ignored.into_iter().chain(raised).collect()
    }
}

/// What could not be read of an envelope, as a JSON list of texts; none if all could.
pub(crate) fn notes_of(reading: &Reading) -> Option<Box<str>> {
    let notes: Vec<String> = reading.notes.iter().map(ToString::to_string).collect();
    let list = || serde_json::to_string(&notes).expect("texts have a JSON text");
    (!notes.is_empty()).then(|| list().into())
}

/// Questions as rows. A repetition's question stands as well: an earlier want may have been closed since.
pub(crate) fn want_rows(
    account: &AccountName,
    wants: &[Want],
    is_proved: bool,
    receipt: Uuid,
    now: Timestamp,
) -> impl Iterator<Item = WantRow> {
    wants.iter().map(move |want| WantRow {
        id: Uuid::now_v7(),
        account: account.clone(),
        tenant: want.tenant.as_ref().map_or("", |tenant| tenant.as_str()).into(),
        kind: want.kind,
        reference: want.id.as_str().into(),
        context: want.context.as_ref().map(|context| context.as_str().into()),
        reason: want.reason,
        not_before: now.shifted(want.reason.wait_micros()),
        is_proved,
        receipt,
    })
}
