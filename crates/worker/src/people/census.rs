//! What has to be known to say who is who: read under locks, no more of it than a change can reach.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afluente_model::identity::{Decided, Decisions, EmailOwner, GatewayCustomer, Known, SHARED_AFTER, Verdict};
use afluente_model::{MerchantName, Timestamp};
use afluente_store::people::{DecisionRow, IdentityKey, IdentityRow, Value, ValueKind, ValueRow};
use afluente_store::{StoreError, Tx};

/// A gateway's customer and what is known of it now.
pub(super) struct Named {
    pub(super) merchant: MerchantName,
    pub(super) known: Known,
    /// Whether somebody decided whose it is.
    pub(super) is_decided: bool,
}

/// Everything a change reaches.
#[derive(Default)]
pub(super) struct Census {
    /// Every identity that was looked at.
    pub(super) rows: BTreeMap<IdentityKey, IdentityRow>,
    /// Those whose person may be another now.
    pub(super) moving: BTreeSet<IdentityKey>,
    /// Customers of gateways whose person may be another now.
    pub(super) named: BTreeMap<GatewayCustomer, Named>,
    /// Values that are nobody's own from now on.
    pub(super) newly_shared: Vec<(ValueKind, Value, IdentityKey)>,
    /// Whose the addresses are.
    owners: HashMap<Value, EmailOwner>,
    /// Documents by whether they are nobody's own.
    shared: HashMap<Value, bool>,
    /// Addresses whose owner may be another now.
    emails: BTreeSet<Value>,
    /// What persons decided of all these.
    decisions: HashMap<MerchantName, Decisions>,
}

impl Census {
    /// Looks at these identities, which this unit of work holds, at what names the same customers of gateways, and at documents they make nobody's own; and at
    /// whom these decisions are of.
    pub(super) async fn take(
        tx: &mut Tx,
        identities: &[IdentityRow],
        decisions: &[DecisionRow],
        now: Timestamp,
    ) -> Result<Census, StoreError> {
        lock(tx, identities, decisions).await?;
        let known: Vec<IdentityKey> =
            identities.iter().filter(|row| row.customer.is_some()).map(|row| row.key).collect();
        let settled = tx.settled_identities(&known).await?;
        let mut census = Census::default();
        for row in identities.iter().filter(|row| !settled.contains(&row.key)) {
            if row.customer.is_none() {
                census.moves(row);
            }
            census.rows.insert(row.key, row.clone());
        }
        let mut decided = BTreeSet::new();
        for one in decisions {
            match &one.of {
                Decided::Email(email) => drop(census.emails.insert(value(&one.merchant, email))),
                Decided::Customer(customer) => drop(decided.insert(customer.clone())),
            }
        }
        for row in tx.identities_of_customers(&decided.iter().collect::<Vec<_>>()).await? {
            census.rows.insert(row.key, row);
        }
        census.find_shared_documents(tx).await?;
        census.know_customers(tx, &decided, now).await?;
        Ok(census)
    }

    /// The person of an identity without a gateway's customer, or of one, follows from this.
    pub(super) fn owner(&self, email: &Value) -> Option<&EmailOwner> {
        self.owners.get(email)
    }

    /// The document of an identity, unless it is nobody's own.
    pub(super) fn document<'a>(&self, row: &'a IdentityRow) -> Option<&'a str> {
        let document = row.identity.document.as_deref()?;
        let shared = self.shared.get(&value(&row.merchant, document)).copied().unwrap_or(false);
        (!shared).then_some(document)
    }

    fn moves(&mut self, row: &IdentityRow) {
        self.moving.insert(row.key);
        self.emails.extend(row.identity.email.as_deref().map(|email| value(&row.merchant, email)));
    }

    /// Documents that stand beside too many addresses now: whoever had one is known by something else.
    async fn find_shared_documents(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.look_at_documents(tx).await?;
        let is_pair = |row: &&IdentityRow| row.identity.document.is_some() && row.identity.email.is_some();
        let new = self.moving.iter().filter_map(|key| self.rows.get(key)).filter(is_pair);
        let mut said: BTreeMap<Value, IdentityKey> = BTreeMap::new();
        for row in new {
            if let Some(document) = self.document(row) {
                said.insert(value(&row.merchant, document), row.key);
            }
        }
        let documents: Vec<Value> = said.keys().cloned().collect();
        let counted = tx.emails_said_with(&documents).await?;
        let shared: Vec<Value> =
            counted.into_iter().filter(|one| one.said > SHARED_AFTER).map(|one| one.value).collect();
        let rows: Vec<ValueRow> =
            shared.iter().map(|value| kept(ValueKind::Document, value, &EmailOwner::Shared)).collect();
        tx.save_values(&rows).await?;
        for row in tx.identities_with_documents(&shared).await? {
            self.moves(&row);
            self.rows.insert(row.key, row);
        }
        for value in shared {
            let key = said[&value];
            self.newly_shared.push((ValueKind::Document, value.clone(), key));
            self.shared.insert(value, true);
        }
        Ok(())
    }

    /// Which of the documents that were not looked at yet are nobody's own.
    async fn look_at_documents(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let of = |row: &IdentityRow| row.identity.document.as_deref().map(|document| value(&row.merchant, document));
        let new: BTreeSet<Value> =
            self.rows.values().filter_map(of).filter(|value| !self.shared.contains_key(value)).collect();
        let asked: Vec<(ValueKind, &Value)> = new.iter().map(|value| (ValueKind::Document, value)).collect();
        let kept = tx.values(&asked).await?;
        self.shared.extend(new.into_iter().map(|value| (value, false)));
        self.shared.extend(kept.into_iter().map(|row| (row.value, row.is_shared)));
        Ok(())
    }

    /// What is known now of every customer of a gateway that was named, where it is something else than before.
    async fn know_customers(
        &mut self,
        tx: &mut Tx,
        decided: &BTreeSet<GatewayCustomer>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let customers: BTreeSet<GatewayCustomer> =
            self.rows.values().filter_map(|row| row.identity.customer.clone()).collect();
        let customers: Vec<&GatewayCustomer> = customers.iter().collect();
        for row in tx.identities_of_customers(&customers).await? {
            self.rows.insert(row.key, row);
        }
        self.look_at_documents(tx).await?;
        self.add_decisions(tx.decisions_on_customers(&customers).await?);
        let kept = tx.providers(&customers).await?;
        let kept: BTreeMap<&GatewayCustomer, &Known> = kept.iter().map(|row| (&row.named, &row.known)).collect();
        let mut by_customer: BTreeMap<&GatewayCustomer, Vec<&IdentityRow>> = BTreeMap::new();
        for row in self.rows.values() {
            if let Some(customer) = &row.identity.customer {
                by_customer.entry(customer).or_default().push(row);
            }
        }
        let (mut named, mut emails, mut moving) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for (customer, rows) in by_customer {
            let merchant = rows[0].merchant.clone();
            let is_shared = |document: &str| self.shared.get(&value(&merchant, document)).copied().unwrap_or(false);
            let said = Known::of(rows.iter().map(|row| &row.identity), &is_shared);
            let (known, is_decided) = self.decided(&merchant, customer, said);
            let old = kept.get(customer).copied();
            let is_new = rows.iter().any(|row| row.customer.is_none()) || decided.contains(customer);
            if old == Some(&known) && !is_new {
                continue;
            }
            let touched = old.and_then(|old| old.email.as_deref()).into_iter().chain(known.email.as_deref());
            emails.extend(touched.map(|email| value(&merchant, email)));
            moving.extend(rows.iter().map(|row| row.key));
            named.insert(customer.clone(), Named { merchant, known, is_decided });
        }
        lock_values(tx, emails.difference(&self.emails)).await?;
        let rows: Vec<_> = named.iter().map(|(customer, one)| (&one.merchant, customer, &one.known)).collect();
        tx.save_providers(&rows, now).await?;
        self.named.extend(named);
        self.emails.extend(emails);
        self.moving.extend(moving);
        Ok(())
    }

    fn add_decisions(&mut self, rows: Vec<DecisionRow>) {
        for row in rows {
            self.decisions.entry(row.merchant).or_default().add(row.of, row.at, row.verdict);
        }
    }

    /// What is known of a gateway's customer, and whether somebody decided that.
    fn decided(&self, merchant: &MerchantName, customer: &GatewayCustomer, said: Known) -> (Known, bool) {
        match self.decisions.get(merchant) {
            None => (said, false),
            Some(made) => (made.known(customer, said), made.on(&Decided::Customer(customer.clone())).is_some()),
        }
    }

    /// Every address that decisions join with the touched ones, from either end.
    async fn follow_decisions(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut new: Vec<Value> = self.emails.iter().cloned().collect();
        while !new.is_empty() {
            let around = tx.decisions_around(&new).await?;
            let mut joined = BTreeSet::new();
            for one in &around {
                let target = match &one.verdict {
                    Verdict::Email(target) => Some(target),
                    Verdict::Document(_) | Verdict::Itself | Verdict::Undone => None,
                };
                let of = match &one.of {
                    Decided::Email(email) => Some(email),
                    Decided::Customer(_) => None,
                };
                joined.extend(target.into_iter().chain(of).map(|email| value(&one.merchant, email)));
            }
            self.add_decisions(around);
            new = joined.difference(&self.emails).cloned().collect();
            lock_values(tx, new.iter()).await?;
            self.emails.extend(new.iter().cloned());
        }
        Ok(())
    }

    /// Whose the touched addresses are now. Where that is another, whoever has nothing but the address moves too.
    pub(super) async fn settle_emails(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.follow_decisions(tx).await?;
        let emails: Vec<Value> = self.emails.iter().cloned().collect();
        let asked: Vec<(ValueKind, &Value)> = emails.iter().map(|value| (ValueKind::Email, value)).collect();
        let kept: HashMap<Value, ValueRow> =
            tx.values(&asked).await?.into_iter().map(|row| (row.value.clone(), row)).collect();
        let is_shared = |email: &Value| kept.get(email).is_some_and(|row| row.is_shared);
        let open: Vec<Value> = emails.iter().filter(|email| !is_shared(email)).cloned().collect();
        let said: HashMap<Value, usize> =
            tx.documents_said_with(&open).await?.into_iter().map(|one| (one.value, one.said)).collect();
        let documents = tx.documents_of(&open).await?;
        let mut belongs: HashMap<&Value, BTreeSet<&str>> = HashMap::new();
        for one in &documents {
            belongs.entry(&one.email).or_default().insert(&one.document);
        }
        let floating = self.floating();
        let (mut rows, mut changed) = (Vec::new(), Vec::new());
        let none = BTreeSet::new();
        let said_of = |email: &Value| {
            if is_shared(email) {
                return EmailOwner::Shared;
            }
            let said = said.get(email).copied().unwrap_or(0);
            EmailOwner::of(said, belongs.get(email).unwrap_or(&none))
        };
        for email in emails {
            let owner = match self.decisions.get(&email.merchant) {
                Some(made) => made.owner(&email.value, |at| said_of(&value(&email.merchant, at))),
                None => said_of(&email),
            };
            let row = kept_email(&email, &owner);
            match kept.get(&email) {
                Some(before) if *before == row => {}
                Some(_) => {
                    rows.push(row);
                    changed.push(email.clone());
                }
                None if row.is_shared || floating.contains(&email) => rows.push(row),
                None => {}
            }
            if owner == EmailOwner::Shared && !is_shared(&email) {
                let said_by = self.rows.values().find(|row| row.identity.email.as_deref() == Some(&*email.value));
                self.newly_shared.extend(said_by.map(|row| (ValueKind::Email, email.clone(), row.key)));
            }
            self.owners.insert(email, owner);
        }
        tx.save_values(&rows).await?;
        self.move_floating(tx, &changed).await
    }

    /// Addresses somebody is known by alone.
    fn floating(&self) -> BTreeSet<Value> {
        let moving = self.moving.iter().filter_map(|key| self.rows.get(key));
        let bare = moving.filter(|row| row.identity.customer.is_none() && self.document(row).is_none());
        let bare = bare.filter_map(|row| Some(value(&row.merchant, row.identity.email.as_deref()?)));
        let named = self.named.values().filter(|one| one.known.document.is_none());
        bare.chain(named.filter_map(|one| Some(value(&one.merchant, one.known.email.as_deref()?)))).collect()
    }

    /// Everybody else who is known by one of these addresses alone.
    async fn move_floating(&mut self, tx: &mut Tx, emails: &[Value]) -> Result<(), StoreError> {
        for row in tx.identities_with_emails(emails).await? {
            self.rows.entry(row.key).or_insert(row);
        }
        self.look_at_documents(tx).await?;
        let bare = |row: &&IdentityRow| {
            let email = row.identity.email.as_deref().map(|email| value(&row.merchant, email));
            row.identity.customer.is_none()
                && self.document(row).is_none()
                && email.is_some_and(|email| emails.contains(&email))
        };
        let bare: Vec<IdentityKey> = self.rows.values().filter(bare).map(|row| row.key).collect();
        self.moving.extend(bare);
        let others = tx.providers_known_by_email(emails).await?;
        let others: Vec<_> = others.into_iter().filter(|one| !self.named.contains_key(&one.named)).collect();
        let customers: Vec<&GatewayCustomer> = others.iter().map(|one| &one.named).collect();
        self.add_decisions(tx.decisions_on_customers(&customers).await?);
        for row in tx.identities_of_customers(&customers).await? {
            self.moving.insert(row.key);
            let merchant = row.merchant.clone();
            if let Some(one) = others.iter().find(|one| Some(&one.named) == row.identity.customer.as_ref()) {
                let (known, is_decided) = self.decided(&merchant, &one.named, one.known.clone());
                let named = Named { merchant, known, is_decided };
                self.named.entry(one.named.clone()).or_insert(named);
            }
            self.rows.insert(row.key, row);
        }
        Ok(())
    }
}

pub(super) fn value(merchant: &MerchantName, value: &str) -> Value {
    Value { merchant: merchant.clone(), value: value.into() }
}

fn kept(kind: ValueKind, value: &Value, owner: &EmailOwner) -> ValueRow {
    let is_shared = *owner == EmailOwner::Shared;
    let owner = match owner {
        EmailOwner::Document(of) | EmailOwner::Email(of) => Some(of.clone()),
        EmailOwner::Itself | EmailOwner::Shared => None,
    };
    ValueRow { kind, value: value.clone(), is_shared, owner }
}

fn kept_email(email: &Value, owner: &EmailOwner) -> ValueRow {
    kept(ValueKind::Email, email, owner)
}

/// The locks of new identities: on every value they say. Of known ones only that on the customer they name, whose last word may be
/// another now.
async fn lock(tx: &mut Tx, rows: &[IdentityRow], decisions: &[DecisionRow]) -> Result<(), StoreError> {
    let mut texts: Vec<[&str; 3]> = Vec::new();
    for row in rows {
        let identity = &row.identity;
        texts.extend(identity.customer.iter().map(|named| [named.account.as_str(), &*named.tenant, &*named.id]));
        if row.customer.is_none() {
            let values = [("document", &identity.document), ("email", &identity.email)];
            let said =
                values.into_iter().filter_map(|(kind, said)| Some([row.merchant.as_str(), kind, said.as_deref()?]));
            texts.extend(said);
        }
    }
    texts.extend(decisions.iter().map(|one| match &one.of {
        Decided::Customer(named) => [named.account.as_str(), &*named.tenant, &*named.id],
        Decided::Email(email) => [one.merchant.as_str(), "email", &**email],
    }));
    tx.lock_people(texts.into_iter()).await
}

async fn lock_values(tx: &mut Tx, emails: impl Iterator<Item = &Value>) -> Result<(), StoreError> {
    tx.lock_people(emails.map(|email| [email.merchant.as_str(), "email", &*email.value])).await
}
