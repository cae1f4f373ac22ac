//! What a person decided of who somebody is: it goes before whatever was said, until it is taken back.
//!
//! Decided is of an address or of a gateway's customer, never of a document: two documents are two people, whoever thinks
//! otherwise. Of several decisions on one thing the newest holds, and of one time the greater.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::{EmailOwner, GatewayCustomer, Known};
use crate::time::Timestamp;

/// What is decided of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decided {
    /// A customer of a gateway.
    Customer(GatewayCustomer),
    /// An e-mail address, and with it whoever is known by nothing else.
    Email(Box<str>),
}

/// Whose it is; ordered as the words are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The person of this document.
    Document(Box<str>),
    /// The person this address belongs to.
    Email(Box<str>),
    /// A person of its own.
    Itself,
    /// An earlier decision is taken back: what was said holds again.
    Undone,
}

impl Verdict {
    /// The word stored for the kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Verdict::Undone => "undone",
            Verdict::Itself => "itself",
            Verdict::Email(_) => "email",
            Verdict::Document(_) => "document",
        }
    }

    /// The address or document; empty for none.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Verdict::Undone | Verdict::Itself => "",
            Verdict::Email(target) | Verdict::Document(target) => target,
        }
    }

    /// From the word and the value.
    #[must_use]
    pub fn of(kind: &str, target: &str) -> Option<Verdict> {
        match (kind, target) {
            ("undone", "") => Some(Verdict::Undone),
            ("itself", "") => Some(Verdict::Itself),
            ("email", target) if !target.is_empty() => Some(Verdict::Email(target.into())),
            ("document", target) if !target.is_empty() => Some(Verdict::Document(target.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Undone | Verdict::Itself => f.write_str(self.kind()),
            Verdict::Email(target) | Verdict::Document(target) => write!(f, "{}:{target}", self.kind()),
        }
    }
}

impl FromStr for Verdict {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Verdict, &'static str> {
        let (kind, target) = text.split_once(':').unwrap_or((text, ""));
        Verdict::of(kind, target).ok_or("undone, itself, email:ADDRESS or document:DIGITS")
    }
}

/// All decisions that hold at one merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    made: BTreeMap<Decided, (Timestamp, Verdict)>,
}

impl Decisions {
    /// Adds one; it holds if nothing newer was decided.
    pub fn add(&mut self, of: Decided, at: Timestamp, verdict: Verdict) {
        let new = (at, verdict);
        let kept = self.made.entry(of).or_insert_with(|| new.clone());
        if *kept < new {
            *kept = new;
        }
    }

    /// What holds of this.
    #[must_use]
    pub fn on(&self, of: &Decided) -> Option<&Verdict> {
        self.made.get(of).map(|(_, verdict)| verdict).filter(|verdict| **verdict != Verdict::Undone)
    }

    /// What holds of a gateway's customer of which this is known otherwise.
    #[must_use]
    pub fn known(&self, customer: &GatewayCustomer, said: Known) -> Known {
        match self.on(&Decided::Customer(customer.clone())) {
            None | Some(Verdict::Undone) => said,
            Some(Verdict::Itself) => Known::default(),
            Some(Verdict::Email(email)) => Known { document: None, email: Some(email.clone()) },
            Some(Verdict::Document(document)) => Known { document: Some(document.clone()), email: said.email },
        }
    }

    /// Whose an address is, by decisions and, where they end, by what was said of the address they end at.
    #[must_use]
    pub fn owner(&self, email: &str, said: impl Fn(&str) -> EmailOwner) -> EmailOwner {
        let (end, verdict) = self.end(email);
        match verdict {
            Some(Verdict::Document(document)) => EmailOwner::Document(document.clone()),
            Some(Verdict::Itself) if end == email => EmailOwner::Itself,
            None if end == email => said(end),
            None => match said(end) {
                EmailOwner::Document(document) => EmailOwner::Document(document),
                EmailOwner::Itself | EmailOwner::Email(_) | EmailOwner::Shared => EmailOwner::Email(end.into()),
            },
            Some(_) => EmailOwner::Email(end.into()),
        }
    }

    /// The address a chain of decisions ends at, and what holds of that. Of a circle it is the smallest, as a person of its own.
    fn end<'a>(&'a self, email: &'a str) -> (&'a str, Option<&'a Verdict>) {
        let (mut at, mut seen) = (email, BTreeSet::new());
        loop {
            let verdict = self.on(&Decided::Email(at.into()));
            let Some(Verdict::Email(next)) = verdict else { return (at, verdict) };
            if !seen.insert(at) {
                return (self.smallest_of_circle(at), Some(&Verdict::Itself));
            }
            at = next;
        }
    }

    fn smallest_of_circle<'a>(&'a self, on_it: &'a str) -> &'a str {
        let (mut at, mut smallest) = (on_it, on_it);
        while let Some(Verdict::Email(next)) = self.on(&Decided::Email(at.into())) {
            (at, smallest) = (next, smallest.min(next));
            if at == on_it {
                break;
            }
        }
        smallest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    fn email(text: &str) -> Decided {
        Decided::Email(text.into())
    }

    fn said(_: &str) -> EmailOwner {
        EmailOwner::Itself
    }

    #[test]
    fn the_newest_holds_and_of_one_time_the_greater_in_any_order() {
        let made = [(1, "undone"), (3, "email:b@x"), (2, "itself"), (3, "email:a@x"), (3, "document:9")];
        for turn in 0..made.len() {
            let mut decisions = Decisions::default();
            for (second, verdict) in made.iter().cycle().skip(turn).take(made.len()) {
                decisions.add(email("e@x"), at(*second), verdict.parse().unwrap());
            }
            assert_eq!(decisions.on(&email("e@x")), Some(&Verdict::Email("b@x".into())));
            decisions.add(email("e@x"), at(4), Verdict::Undone);
            assert_eq!(decisions.on(&email("e@x")), None);
        }
    }

    #[test]
    fn a_chain_is_followed_to_its_end_and_a_circle_to_its_smallest() {
        let mut decisions = Decisions::default();
        for (from, to) in [("d@x", "c@x"), ("c@x", "b@x")] {
            decisions.add(email(from), at(1), Verdict::Email(to.into()));
        }
        assert_eq!(decisions.owner("d@x", said), EmailOwner::Email("b@x".into()));
        assert_eq!(decisions.owner("b@x", said), EmailOwner::Itself);
        let by_document = |_: &str| EmailOwner::Document("1".into());
        assert_eq!(decisions.owner("d@x", by_document), EmailOwner::Document("1".into()));
        decisions.add(email("b@x"), at(2), Verdict::Email("c@x".into()));
        assert_eq!(decisions.owner("d@x", by_document), EmailOwner::Email("b@x".into()));
        assert_eq!(decisions.owner("c@x", by_document), EmailOwner::Email("b@x".into()));
        assert_eq!(decisions.owner("b@x", by_document), EmailOwner::Itself);
    }

    #[test]
    fn a_circle_of_three_is_one_person_wherever_it_is_entered() {
        let mut decisions = Decisions::default();
        for (from, to) in [("b@x", "c@x"), ("c@x", "a@x"), ("a@x", "b@x")] {
            decisions.add(email(from), at(1), Verdict::Email(to.into()));
        }
        assert_eq!(decisions.owner("b@x", said), EmailOwner::Email("a@x".into()));
        assert_eq!(decisions.owner("c@x", said), EmailOwner::Email("a@x".into()));
        assert_eq!(decisions.owner("a@x", said), EmailOwner::Itself);
    }

    #[test]
    fn a_verdict_reads_as_it_is_written_and_nothing_else_is_one() {
        for text in ["undone", "itself", "email:a@x", "document:11144477735"] {
            let verdict: Verdict = text.parse().unwrap();
            assert_eq!(verdict.to_string(), text);
            assert_eq!(Verdict::of(verdict.kind(), verdict.target()), Some(verdict));
        }
        for text in ["", "itself:a@x", "email:", "document:", "customer:cus_1", "Document:1"] {
            assert!(text.parse::<Verdict>().is_err(), "{text}");
        }
    }
}
