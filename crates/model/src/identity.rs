//! Who is one person: a pure function of everything that was claimed to one merchant, so that any order gives the same.
//!
//! What one envelope says together of who somebody is, is an [`Identity`]. A document makes a person. A gateway's customer
//! belongs to the document that was said of it last. Who has no document is known by an e-mail address, and is the person of a
//! document if that address was said of exactly one. Names and phones never link.
//!
//! What a payer typed proves nothing: this links for display and support, and grants no access.

mod decision;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::id::AccountName;
use crate::time::Timestamp;

pub use decision::{Decided, Decisions, Verdict};

/// A value that stands beside more than this many different others is nobody's own: an address typed for whoever has none, the
/// shop's own company number. It links nobody.
pub const SHARED_AFTER: usize = 10;

/// A customer of a gateway: ids are the account's and its sub-account's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayCustomer {
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// The gateway's id.
    pub id: Box<str>,
}

/// What was said together, by one envelope, of who somebody is. Values are normalised and not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The gateway's customer, if one was named.
    pub customer: Option<GatewayCustomer>,
    /// CPF or CNPJ.
    pub document: Option<Box<str>>,
    /// E-mail address.
    pub email: Option<Box<str>>,
    /// The newest time it was said at.
    pub at: Option<Timestamp>,
    /// Whether the gateway's customer says it of itself, and not a payment of it.
    pub is_own: bool,
}

/// What makes a person the same on every machine and in every order. The smaller key is the one that stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonKey {
    /// By a document.
    Document(Box<str>),
    /// By an e-mail address.
    Email(Box<str>),
    /// By nothing but the gateway's customer.
    Customer(GatewayCustomer),
}

impl PersonKey {
    /// The word stored for the kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            PersonKey::Document(_) => "document",
            PersonKey::Email(_) => "email",
            PersonKey::Customer(_) => "customer",
        }
    }

    /// The value as stored. A gateway's customer is its account, sub-account and id; account names hold no slash.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            PersonKey::Document(value) | PersonKey::Email(value) => value.to_string(),
            PersonKey::Customer(GatewayCustomer { account, tenant, id }) => format!("{account}/{tenant}/{id}"),
        }
    }
}

impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.value())
    }
}

/// Whose an e-mail address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailOwner {
    /// No document was said with it, or several were: who has nothing else is a person of its own.
    Itself,
    /// The person of this document.
    Document(Box<str>),
    /// The person of this other address, as somebody decided.
    Email(Box<str>),
    /// Nobody's own.
    Shared,
}

impl EmailOwner {
    /// By the documents it belongs to. `said` counts the different ones an envelope said with it, shared ones among them.
    #[must_use]
    pub fn of(said: usize, documents: &BTreeSet<&str>) -> EmailOwner {
        match documents.iter().next() {
            _ if said > SHARED_AFTER => EmailOwner::Shared,
            Some(document) if documents.len() == 1 => EmailOwner::Document((*document).into()),
            _ => EmailOwner::Itself,
        }
    }
}

/// What is known of one gateway's customer: of several the last, and of one time the greater value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its document.
    pub document: Option<Box<str>>,
    /// Its address; what it says of itself goes before what a payment of it says.
    pub email: Option<Box<str>>,
}

impl Known {
    /// From everything that names it.
    #[must_use]
    pub fn of<'a>(said: impl Iterator<Item = &'a Identity> + Clone, is_shared: &dyn Fn(&str) -> bool) -> Known {
        let documents = said.clone().filter_map(|one| one.document.as_ref().map(|value| (one.at, value)));
        let emails = said.filter_map(|one| one.email.as_ref().map(|value| (one.is_own, one.at, value)));
        Known {
            document: documents.filter(|(_, value)| !is_shared(value)).max().map(|(_, value)| value.clone()),
            email: emails.max().map(|(_, _, value)| value.clone()),
        }
    }
}

/// The person of whoever has this document, which is not a shared one, this address and is this customer; `None` if nothing
/// is known of him.
#[must_use]
pub fn person(
    document: Option<&str>,
    email: Option<(&str, &EmailOwner)>,
    customer: Option<&GatewayCustomer>,
) -> Option<PersonKey> {
    if let Some(document) = document {
        return Some(PersonKey::Document(document.into()));
    }
    match email {
        Some((_, EmailOwner::Document(document))) => Some(PersonKey::Document(document.clone())),
        Some((email, EmailOwner::Itself)) => Some(PersonKey::Email(email.into())),
        Some((_, EmailOwner::Email(other))) => Some(PersonKey::Email(other.clone())),
        Some((_, EmailOwner::Shared)) | None => customer.cloned().map(PersonKey::Customer),
    }
}

/// Every identity's person, in the order they are given. The whole law in one place: whoever recomputes only what a batch
/// touched must end where this does.
#[must_use]
pub fn assign(identities: &[Identity], decisions: &Decisions) -> Vec<Option<PersonKey>> {
    let mut emails: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut documents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut by_customer: BTreeMap<&GatewayCustomer, Vec<&Identity>> = BTreeMap::new();
    for one in identities {
        if let (Some(document), Some(email)) = (&one.document, &one.email) {
            emails.entry(document).or_default().insert(email);
            documents.entry(email).or_default().insert(document);
        }
        if let Some(customer) = &one.customer {
            by_customer.entry(customer).or_default().push(one);
        }
    }
    let is_shared = |document: &str| emails.get(document).is_some_and(|emails| emails.len() > SHARED_AFTER);
    let known = |(customer, said): (&&'_ GatewayCustomer, &Vec<&Identity>)| {
        decisions.known(customer, Known::of(said.iter().copied(), &is_shared))
    };
    let known: BTreeMap<&GatewayCustomer, Known> = by_customer.iter().map(|one| (*one.0, known(one))).collect();
    let mut belongs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (email, documents) in &documents {
        belongs.insert(email, documents.iter().copied().filter(|document| !is_shared(document)).collect());
    }
    for Known { document, email } in known.values() {
        if let (Some(document), Some(email)) = (document, email) {
            belongs.entry(email).or_default().insert(document);
        }
    }
    let none = BTreeSet::new();
    let said_of = |email: &str| {
        let said = documents.get(email).map_or(0, BTreeSet::len);
        EmailOwner::of(said, belongs.get(email).unwrap_or(&none))
    };
    let owner = |email: &str| decisions.owner(email, said_of);
    let of = |one: &Identity| {
        let named = one.customer.as_ref().and_then(|customer| known.get(customer));
        let (document, email) = match named {
            Some(known) => (known.document.as_deref(), known.email.as_deref()),
            None => (one.document.as_deref().filter(|document| !is_shared(document)), one.email.as_deref()),
        };
        let owner = email.map(|email| (email, owner(email)));
        person(document, owner.as_ref().map(|(email, owner)| (*email, owner)), one.customer.as_ref())
    };
    identities.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: &str = "11144477735";
    const BIA: &str = "52998224725";

    fn customer(id: &str) -> GatewayCustomer {
        GatewayCustomer { account: AccountName::parse("shop").unwrap(), tenant: "".into(), id: id.into() }
    }

    /// `customer document email`, a dash for none, said at this second.
    fn said(text: &str, second: i64) -> Identity {
        let parts: Vec<Option<&str>> = text.split(' ').map(|part| (part != "-").then_some(part)).collect();
        let [id, document, email] = parts[..] else { panic!("three parts: {text}") };
        Identity {
            customer: id.map(customer),
            document: document.map(Into::into),
            email: email.map(Into::into),
            at: Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).ok(),
            is_own: false,
        }
    }

    fn keys(identities: &[Identity]) -> Vec<String> {
        decided(identities, &Decisions::default())
    }

    fn decided(identities: &[Identity], decisions: &Decisions) -> Vec<String> {
        assign(identities, decisions)
            .iter()
            .map(|key| key.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string))
            .collect()
    }

    #[test]
    fn a_document_is_a_person_whatever_the_gateway_and_the_address() {
        let same = [said(&format!("cus_1 {ANA} a@x.com"), 1), said(&format!("- {ANA} b@x.com"), 2)];
        assert_eq!(keys(&same), vec![format!("document:{ANA}"); 2]);
    }

    #[test]
    fn one_address_with_two_documents_is_two_people_and_who_has_only_the_address_is_a_third() {
        let said = [said(&format!("- {ANA} a@x.com"), 1), said(&format!("- {BIA} a@x.com"), 2), said("- - a@x.com", 3)];
        assert_eq!(keys(&said), [format!("document:{ANA}"), format!("document:{BIA}"), "email:a@x.com".to_owned()]);
    }

    #[test]
    fn who_has_only_an_address_is_the_person_of_the_one_document_said_with_it() {
        let said = [said("cus_1 - a@x.com", 1), said("- - a@x.com", 1), said(&format!("cus_2 {ANA} a@x.com"), 2)];
        assert_eq!(keys(&said), vec![format!("document:{ANA}"); 3]);
    }

    #[test]
    fn a_customer_s_address_and_document_need_not_be_said_by_one_envelope() {
        let said = [said(&format!("cus_1 {ANA} -"), 1), said("cus_1 - a@x.com", 2), said("- - a@x.com", 3)];
        assert_eq!(keys(&said), vec![format!("document:{ANA}"); 3]);
    }

    #[test]
    fn a_customer_moves_to_the_document_said_of_it_last_and_of_one_moment_to_the_greater() {
        let moved = [said(&format!("cus_1 {BIA} -"), 1), said(&format!("cus_1 {ANA} -"), 2)];
        assert_eq!(keys(&moved), vec![format!("document:{ANA}"); 2]);
        let tied = [said(&format!("cus_1 {BIA} -"), 1), said(&format!("cus_1 {ANA} -"), 1)];
        assert_eq!(keys(&tied), vec![format!("document:{BIA}"); 2]);
    }

    #[test]
    fn what_a_customer_says_of_itself_goes_before_what_was_typed_at_a_payment() {
        let own = Identity { is_own: true, ..said("cus_1 - a@x.com", 1) };
        assert_eq!(keys(&[own, said("cus_1 - typed@x.com", 9)]), vec!["email:a@x.com"; 2]);
    }

    #[test]
    fn an_address_of_more_than_ten_documents_links_nobody() {
        let document = |n: usize| format!("{n:011}");
        let mut said: Vec<Identity> = (0..10).map(|n| self::said(&format!("- {} no@x.com", document(n)), 1)).collect();
        said.extend([self::said("cus_1 - no@x.com", 1), self::said("- - no@x.com", 1)]);
        assert_eq!(keys(&said)[10..], ["email:no@x.com", "email:no@x.com"]);
        said.push(self::said(&format!("- {} no@x.com", document(10)), 1));
        let keys = keys(&said);
        assert_eq!(keys[10..12], ["customer:shop//cus_1", "-"]);
        assert_eq!(keys[12], format!("document:{}", document(10)));
    }

    #[test]
    fn a_document_of_ten_addresses_is_somebody_s_and_of_more_the_shop_s_own_that_links_nobody() {
        let ten: Vec<Identity> = (0..10).map(|n| self::said(&format!("- {ANA} {n}@x.com"), 1)).collect();
        assert_eq!(keys(&ten), vec![format!("document:{ANA}"); 10]);
        let mut said: Vec<Identity> = (0..11).map(|n| self::said(&format!("- {ANA} {n}@x.com"), 1)).collect();
        said.push(self::said(&format!("cus_1 {ANA} -"), 1));
        said.push(self::said(&format!("cus_2 {BIA} 3@x.com"), 1));
        let keys = keys(&said);
        assert_eq!(keys[0], "email:0@x.com");
        assert_eq!(keys[3], format!("document:{BIA}"), "the address belongs to whose document is his own");
        assert_eq!(keys[11], "customer:shop//cus_1");
    }

    #[test]
    fn what_a_person_decided_goes_before_what_was_said() {
        let identities = [
            said(&format!("cus_1 {ANA} a@x.com"), 1),
            said("cus_2 - b@x.com", 1),
            said("- - b@x.com", 1),
            said(&format!("- {BIA} c@x.com"), 1),
        ];
        let at = identities[0].at.unwrap();
        let mut decisions = Decisions::default();
        decisions.add(Decided::Email("b@x.com".into()), at, Verdict::Email("a@x.com".into()));
        let (ana, bia) = (&*format!("document:{ANA}"), &*format!("document:{BIA}"));
        assert_eq!(decided(&identities, &decisions), [ana, ana, ana, bia], "an address is of whose the other is");
        decisions.add(Decided::Customer(customer("cus_2")), at, Verdict::Itself);
        assert_eq!(decided(&identities, &decisions), [ana, "customer:shop//cus_2", ana, bia]);
        decisions.add(Decided::Customer(customer("cus_1")), at, Verdict::Document(BIA.into()));
        let said = decided(&identities, &decisions);
        assert_eq!(said[0], bia, "a gateway's customer goes to another document");
        assert_eq!(said[2], "email:a@x.com", "its address was said with one document and is of a customer of another");
    }

    #[test]
    fn nothing_is_nobody() {
        assert_eq!(keys(&[said("- - -", 1)]), ["-"]);
    }
}
