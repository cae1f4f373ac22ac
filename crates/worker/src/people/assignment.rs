//! From what is known to who is who: people found or made, identities given to them, customers merged and written anew.

use std::collections::{BTreeMap, BTreeSet};

use afluente_model::identity::{EmailOwner, GatewayCustomer, PersonKey, person};
use afluente_model::{MerchantName, Timestamp};
use afluente_store::people::{CustomerKey, IdentityKey, IdentityRow, Value, ValueKind};
use afluente_store::{Inconsistency, StoreError, Tx};
use uuid::Uuid;

use super::census::{Census, Named, value};
use crate::followup::Followups;

/// Gives every identity that moves to its person; gives those that went to another.
pub(super) async fn write(
    tx: &mut Tx,
    census: &Census,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<Vec<Moved>, StoreError> {
    // Of a customer of a gateway of which nothing is known that was not known before, nothing moves.
    let may_move =
        |row: &&IdentityRow| row.identity.customer.as_ref().is_none_or(|customer| census.named.contains_key(customer));
    let moving: Vec<&IdentityRow> =
        census.moving.iter().filter_map(|key| census.rows.get(key)).filter(may_move).collect();
    let keys: Vec<Option<CustomerKey>> = moving.iter().map(|row| key_of(census, row)).collect();
    let known: Vec<CustomerKey> = keys.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let ids = tx.customers(&known, now).await?;
    let ids: BTreeMap<&CustomerKey, Uuid> = known.iter().zip(ids).collect();
    let of = |key: &Option<CustomerKey>| key.as_ref().and_then(|key| ids.get(key).copied());
    let moved: Vec<(IdentityKey, Option<Uuid>)> =
        moving.iter().zip(&keys).map(|(row, key)| (row.key, of(key))).collect();
    tx.assign_identities(&moved).await?;
    let links: Vec<(&GatewayCustomer, Uuid, &'static str)> = census
        .named
        .iter()
        .filter_map(|(customer, named)| {
            let key = person_of(census, customer, named)?;
            let linked_by = linked_by(named, &key);
            Some((customer, *ids.get(&CustomerKey { merchant: named.merchant.clone(), person: key })?, linked_by))
        })
        .collect();
    tx.link_providers(&links, now).await?;
    let changed = refresh(tx, census, &moving, &keys, &ids, now, followups).await?;
    let unnamed = tx.unnamed_of(&changed).await?;
    tx.save_unnamed(&changed, &unnamed, now).await?;
    followups.inconsistencies.extend(census.newly_shared.iter().filter_map(|shared| report(census, shared)));
    let went = moving.iter().zip(keys).zip(moved).filter(|((row, _), (_, to))| row.customer != *to);
    let moved = went.map(|((row, key), (_, to))| Moved {
        identity: IdentityRow::clone(row),
        to: to.zip(key.map(|key| key.person)),
    });
    Ok(moved.collect())
}

/// An identity that went to another person.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    /// The identity, as it was when it was somebody else's or nobody's.
    pub(crate) identity: IdentityRow,
    /// Whose it is now, and what makes that person the same.
    pub(crate) to: Option<(Uuid, PersonKey)>,
}

/// Writes anew who gained or lost an identity, or of whom something newer was said; gives those who gained or lost one.
async fn refresh(
    tx: &mut Tx,
    census: &Census,
    moving: &[&IdentityRow],
    keys: &[Option<CustomerKey>],
    ids: &BTreeMap<&CustomerKey, Uuid>,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<Vec<Uuid>, StoreError> {
    // Where an identity left, the smallest of the people they went to: the same one in any order.
    let mut left: BTreeMap<Uuid, BTreeSet<&CustomerKey>> = BTreeMap::new();
    let mut changed: BTreeSet<Uuid> = BTreeSet::new();
    for (row, key) in moving.iter().zip(keys) {
        let to = key.as_ref().and_then(|key| ids.get(key).copied());
        if row.customer == to {
            continue;
        }
        changed.extend(to);
        if let Some(from) = row.customer {
            changed.insert(from);
            left.entry(from).or_default().extend(key);
        }
    }
    let looked_at = census.rows.values().filter_map(|row| row.customer);
    let all: BTreeSet<Uuid> = changed.iter().copied().chain(looked_at).collect();
    let into =
        |customer: &Uuid| left.get(customer).and_then(|keys| keys.first()).and_then(|key| ids.get(*key).copied());
    let rows: Vec<(Uuid, Option<Uuid>)> = all.iter().map(|customer| (*customer, into(customer))).collect();
    for one in tx.refresh_customers(&rows, now).await? {
        followups.customer_changed(&one);
    }
    Ok(changed.into_iter().collect())
}

fn key_of(census: &Census, row: &IdentityRow) -> Option<CustomerKey> {
    let person = if let Some(customer) = &row.identity.customer {
        person_of(census, customer, census.named.get(customer)?)
    } else {
        let email = row.identity.email.as_deref();
        let owner = email.and_then(|email| owner(census, &row.merchant, email));
        person(census.document(row), owner, None)
    };
    person.map(|person| CustomerKey { merchant: row.merchant.clone(), person })
}

fn person_of(census: &Census, customer: &GatewayCustomer, named: &Named) -> Option<PersonKey> {
    let email = named.known.email.as_deref();
    let owner = email.and_then(|email| owner(census, &named.merchant, email));
    person(named.known.document.as_deref(), owner, Some(customer))
}

fn owner<'a>(census: &'a Census, merchant: &MerchantName, email: &'a str) -> Option<(&'a str, &'a EmailOwner)> {
    census.owner(&value(merchant, email)).map(|owner| (email, owner))
}

/// What links a gateway's customer to its person.
fn linked_by(named: &Named, key: &PersonKey) -> &'static str {
    match key {
        _ if named.is_decided => "operator",
        PersonKey::Document(_) if named.known.document.is_some() => "document",
        PersonKey::Document(_) | PersonKey::Email(_) => "email",
        PersonKey::Customer(_) => "customer",
    }
}

/// A value that is nobody's own, for a person to look at: it may be a placeholder in the checkout.
fn report(census: &Census, (kind, shared, said_by): &(ValueKind, Value, IdentityKey)) -> Option<Inconsistency> {
    let account = census.rows.get(said_by)?.account.clone();
    let masked = masked(*kind, &shared.value);
    let entity = format!("{} {masked} of {}", kind.as_str(), shared.merchant);
    Some(Inconsistency {
        id: Uuid::now_v7(),
        kind: "shared_value",
        fingerprint: format!("shared_value {} {} {}", shared.merchant, kind.as_str(), shared.value),
        account,
        entity,
        detail: "it stands beside more than ten different others and links nobody any more".to_owned(),
    })
}

/// Enough to find it in one's own settings, and not who it is.
fn masked(kind: ValueKind, text: &str) -> String {
    match kind {
        ValueKind::Email => {
            let (user, domain) = text.split_once('@').unwrap_or((text, ""));
            format!("{}…@{domain}", user.chars().take(2).collect::<String>())
        }
        ValueKind::Document => {
            format!("…{}", text.chars().skip(text.chars().count().saturating_sub(4)).collect::<String>())
        }
    }
}
