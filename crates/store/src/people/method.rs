//! What somebody pays with: a register each field of a method, joined with what claims say of it.

use std::collections::BTreeMap;

use afluente_model::{MethodKind, Timestamp};

use crate::backend::Tx;
use crate::cell::{Hex, Moment};
use crate::claim::{ClaimRow, key_of};
use crate::error::StoreError;
use crate::people::owner::{Field, Owner};
use crate::rows::rows;

rows! {
    struct MethodInput<'a> {
        key: key,
        account: text,
        tenant: text,
        provider_method_id: opt text,
        kind: text,
        kind_at: moment,
        brand: text,
        brand_at: moment,
        last4: text,
        last4_at: moment,
        expiry: text,
        expiry_at: moment,
        fingerprint: text,
        fingerprint_at: moment,
        attachment: text,
        attachment_at: moment,
        deleted: flag,
        used_at: opt moment,
        owner_rank: int,
        owner_at: moment,
        identity: opt key,
        now: moment,
    }
    JOIN = "people/methods_join";
}

/// One method, as one claim or several describe it.
#[derive(Clone, Copy)]
struct Method<'a> {
    account: &'a str,
    tenant: &'a str,
    id: Option<&'a str>,
    kind: Field<'a>,
    brand: Field<'a>,
    last4: Field<'a>,
    expiry: Field<'a>,
    fingerprint: Field<'a>,
    attachment: Field<'a>,
    is_deleted: bool,
    used_at: Option<Moment>,
    owner: Owner,
}

impl<'a> Method<'a> {
    /// What is said of the method with this id, or of one that has none.
    fn of(row: &ClaimRow<'a>, id: Option<&'a str>) -> Method<'a> {
        let is_described = row.subject_kind == "method";
        let attachment = |word| if word == "false" { "detached" } else { "attached" };
        let attached = Field::of(row, "attached");
        let kind = Field::of(row, "method_kind");
        let word = if kind.text.is_empty() { "" } else { MethodKind::named(kind.text).as_str() };
        Method {
            account: row.account.as_str(),
            tenant: row.tenant,
            id,
            kind: Field::text(word, row.at),
            brand: Field::of(row, "card_brand"),
            last4: Field::of(row, "card_last4").only(is_last4),
            expiry: Field::of(row, "card_expiry").only(is_month),
            fingerprint: Field::of(row, "fingerprint"),
            attachment: if attached.text.is_empty() {
                attached
            } else {
                Field { text: attachment(attached.text), ..attached }
            },
            is_deleted: is_described && row.claims.iter().any(|(kind, _)| *kind == "deleted"),
            used_at: row.at.filter(|_| row.subject_kind == "payment").map(Moment::from),
            owner: Owner::of(row),
        }
    }

    /// The same without what describes it: one of several that a claim names, of which it says only that they belong.
    fn named_only(self) -> Method<'a> {
        let nothing = Field::text("", None);
        Method { kind: nothing, brand: nothing, last4: nothing, expiry: nothing, fingerprint: nothing, ..self }
    }

    /// A hash of the gateway's id; where it has none, of what it is and whose.
    fn key(&self) -> Hex<16> {
        let identity = self.owner.identity.map(|key| u128::from_be_bytes(key.bytes()).to_string()).unwrap_or_default();
        let texts = match self.id {
            Some(id) => [self.account, self.tenant, "id", id, ""],
            None => [self.account, self.tenant, self.kind.text, self.fingerprint.text, &identity],
        };
        key_of(texts.into_iter()).into()
    }

    /// The join of two that are one.
    fn join(&mut self, other: &Method<'a>) {
        self.kind = self.kind.max(other.kind);
        self.brand = self.brand.max(other.brand);
        self.last4 = self.last4.max(other.last4);
        self.expiry = self.expiry.max(other.expiry);
        self.fingerprint = self.fingerprint.max(other.fingerprint);
        self.attachment = self.attachment.max(other.attachment);
        self.is_deleted |= other.is_deleted;
        self.used_at = self.used_at.max(other.used_at);
        self.owner = self.owner.max(other.owner);
    }
}

fn is_last4(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2031-07`, with a month of the calendar.
fn is_month(text: &str) -> bool {
    let parts = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten();
    parts.is_some_and(|(year, month)| {
        number(year).is_some() && number(month).is_some_and(|month| (1..=12).contains(&month))
    })
}

/// The methods a claim speaks of.
fn methods_of<'a>(row: &ClaimRow<'a>) -> Vec<Method<'a>> {
    if row.subject_kind == "method" {
        return vec![Method::of(row, Some(row.subject_id))];
    }
    // A detached method of a customer's is said of the method; what else is attached is no method.
    let ids: Vec<&str> = row.claims.iter().filter(|(kind, _)| *kind == "method").map(|(_, id)| *id).collect();
    match ids[..] {
        [] => without_id(row).into_iter().collect(),
        [id] => vec![Method::of(row, Some(id))],
        _ => ids.iter().map(|id| Method::of(row, Some(id)).named_only()).collect(),
    }
}

/// A Pix or slip somebody paid with: nothing stores it, yet it is how this person pays.
fn without_id<'a>(row: &ClaimRow<'a>) -> Option<Method<'a>> {
    if row.subject_kind != "payment" {
        return None;
    }
    let method = Method::of(row, None);
    let kind = MethodKind::parse(method.kind.text)?;
    (kind.needs_no_id() && method.owner.identity.is_some()).then_some(method)
}

/// The keys of the methods a claim speaks of.
pub(crate) fn keys_of(row: &ClaimRow<'_>) -> impl Iterator<Item = [u8; 16]> {
    methods_of(row).into_iter().map(|method| method.key().bytes())
}

impl Tx {
    /// Joins what claims say of methods.
    pub(crate) async fn join_methods(&mut self, rows: &[ClaimRow<'_>], now: Timestamp) -> Result<(), StoreError> {
        let mut joined: BTreeMap<Hex<16>, Method<'_>> = BTreeMap::new();
        for method in rows.iter().flat_map(methods_of) {
            joined.entry(method.key()).and_modify(|one| one.join(&method)).or_insert(method);
        }
        let inputs: Vec<MethodInput<'_>> = joined.iter().map(|(key, method)| input(*key, method, now)).collect();
        self.execute(&JOIN, &inputs).await?;
        Ok(())
    }
}

fn input<'a>(key: Hex<16>, method: &Method<'a>, now: Timestamp) -> MethodInput<'a> {
    MethodInput {
        key,
        account: method.account,
        tenant: method.tenant,
        provider_method_id: method.id,
        kind: method.kind.text,
        kind_at: method.kind.at,
        brand: method.brand.text,
        brand_at: method.brand.at,
        last4: method.last4.text,
        last4_at: method.last4.at,
        expiry: method.expiry.text,
        expiry_at: method.expiry.at,
        fingerprint: method.fingerprint.text,
        fingerprint_at: method.fingerprint.at,
        attachment: method.attachment.text,
        attachment_at: method.attachment.at,
        deleted: method.is_deleted,
        used_at: method.used_at,
        owner_rank: method.owner.rank,
        owner_at: method.owner.at,
        identity: method.owner.identity,
        now: now.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_digits_and_a_month_of_the_calendar_are_kept() {
        assert_eq!(["4242", "424", "42a2", "٤٢٤٢"].map(is_last4), [true, false, false, false]);
        assert_eq!(
            ["2031-07", "2031-13", "2031-00", "31-07", "2031-+7", ""].map(is_month),
            [true, false, false, false, false, false]
        );
    }
}
