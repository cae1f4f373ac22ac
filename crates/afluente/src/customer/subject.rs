//! What a decision is of, and for whom: from what a person typed to the one thing it can only mean.

use std::collections::BTreeSet;

use afluente_store::Store;
use afluente_store::report::CustomerView;
use afluente_worker::decide::Decision;
use uuid::Uuid;

use crate::config::Config;
use crate::exit::Failure;

/// A value may be several people's; more are not listed.
const MOST_FOUND: u32 = 10;

/// An address or a gateway's customer, at one of its merchant's accounts.
pub(super) struct Subject {
    account: String,
    tenant: String,
    customer: Option<String>,
    email: Option<String>,
}

impl Subject {
    /// The decision on it; who decides and why is still to be said.
    pub(super) fn decided(self, word: &str, target: &str) -> Decision {
        Decision {
            account: self.account,
            tenant: self.tenant,
            customer: self.customer,
            email: self.email,
            decided: word.to_owned(),
            target: target.to_owned(),
            ..Decision::default()
        }
    }

    pub(super) fn is_address(&self, email: &str) -> bool {
        self.email.as_deref() == Some(email)
    }

    fn email(config: &Config, merchant: &str, email: &str) -> Result<Subject, Failure> {
        let accounts = config.worker_accounts();
        let of = accounts.0.iter().find(|(_, account)| account.merchant.as_str() == merchant);
        let (account, _) =
            of.ok_or_else(|| Failure::Usage(format!("no account of merchant {merchant} in the configuration")))?;
        Ok(Subject {
            account: account.to_string(),
            tenant: String::new(),
            customer: None,
            email: Some(email.to_owned()),
        })
    }

    fn customer(account: &str, tenant: &str, id: &str) -> Subject {
        Subject { account: account.to_owned(), tenant: tenant.to_owned(), customer: Some(id.to_owned()), email: None }
    }

    /// What makes a customer of ours the same. Of one with a document nothing can be decided.
    fn of_person(config: &Config, person: &CustomerView) -> Result<Subject, Failure> {
        match &*person.key_kind {
            "email" => Subject::email(config, &person.merchant, &person.key_value),
            "customer" => {
                let mut parts = person.key_value.splitn(3, '/');
                let mut part = || parts.next().unwrap_or_default();
                let (account, tenant, id) = (part(), part(), part());
                Ok(Subject::customer(account, tenant, id))
            }
            _ => Err(Failure::Usage(format!(
                "{} has a document, and two documents are two people: merge the other into it, or name one address or one \
                 gateway's customer that was taken for it",
                person.id
            ))),
        }
    }
}

/// Of two merchants' people with one address only one can be meant.
pub(super) async fn subject(
    store: &Store,
    config: &Config,
    text: &str,
    merchant: Option<&str>,
) -> Result<Subject, Failure> {
    let text = text.trim();
    if text.contains('@') && !text.contains('/') {
        let found = found(store, text, merchant).await?;
        let merchants: BTreeSet<&str> = found.iter().map(|one| one.merchant.as_str()).chain(merchant).collect();
        return match merchants.first() {
            Some(merchant) if merchants.len() == 1 => Subject::email(config, merchant, &text.to_lowercase()),
            Some(_) => Err(Failure::Usage(format!("{text} is known at several merchants; say which by --merchant"))),
            None => Err(unknown(text)),
        };
    }
    if Uuid::parse_str(text).is_ok() {
        return Subject::of_person(config, &person(store, text, merchant).await?);
    }
    let (at, id) = text.rsplit_once('/').map_or((None, text), |(at, id)| (Some(at), id));
    let mut named = Vec::new();
    for one in found(store, id, merchant).await? {
        for link in store.links_of(one.id).await? {
            let place =
                if link.tenant.is_empty() { link.account.clone() } else { format!("{}/{}", link.account, link.tenant) };
            if link.provider_customer_id.as_deref() == Some(id) && at.is_none_or(|at| at == place) {
                named.push((place, Subject::customer(&link.account, &link.tenant, id)));
            }
        }
    }
    match named.pop() {
        Some((_, subject)) if named.is_empty() => Ok(subject),
        Some(last) => {
            named.push(last);
            let places: Vec<String> = named.iter().map(|(place, _)| format!("{place}/{id}")).collect();
            Err(Failure::Usage(format!("several accounts have a customer {id}; name one: {}", places.join(", "))))
        }
        None => Err(unknown(text)),
    }
}

/// The one customer of ours that is meant.
pub(super) async fn person(store: &Store, text: &str, merchant: Option<&str>) -> Result<CustomerView, Failure> {
    let mut found = found(store, text, merchant).await?;
    match found.pop() {
        Some(person) if found.is_empty() => Ok(person),
        Some(last) => {
            found.push(last);
            let ids: Vec<String> = found.iter().map(|one| format!("{} ({})", one.id, one.key_kind)).collect();
            Err(Failure::Usage(format!("{text} may be several people; name one by its id: {}", ids.join(", "))))
        }
        None => Err(unknown(text)),
    }
}

async fn found(store: &Store, text: &str, merchant: Option<&str>) -> Result<Vec<CustomerView>, Failure> {
    let mut found = store.customers_found(super::Asked::read(text).who(), MOST_FOUND).await?;
    found.retain(|one| merchant.is_none_or(|merchant| one.merchant == merchant));
    Ok(found)
}

fn unknown(text: &str) -> Failure {
    Failure::Found(format!("no customer is known by {text}; `afluente customers list` shows who is"))
}
