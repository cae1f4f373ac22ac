//! What came: one body, and where it came from. A receipt keeps it, and an adapter reads nothing else.

use bytes::Bytes;

use crate::delivery::Delivery;
use crate::gateway::Gateway;
use crate::id::{AccountName, ProviderId};
use crate::time::Timestamp;
use crate::want::WantKind;

/// A body and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A gateway posted it to us.
    Delivery(Delivery),
    /// A gateway answered it when we asked with our own credentials.
    Answer(Answer),
    /// An operator had us take it in.
    Statement(Statement),
}

/// A row of an application beside us, as far as it is read: a JSON object of named columns and paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The gateway of the account.
    pub gateway: Gateway,
    /// The account whose payment, customer or session it is about.
    pub account: AccountName,
    /// Our clock when it was read.
    pub received_at: Timestamp,
    /// The object, byte for byte.
    pub body: Bytes,
}

/// One answer of a gateway's API, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The gateway that was asked.
    pub gateway: Gateway,
    /// The account whose credentials were used.
    pub account: AccountName,
    /// What was asked.
    pub asked: Asked,
    /// The status of the answer.
    pub status: u16,
    /// Our clock when the body was complete. It orders nothing; it bounds how far a gateway's clock may run ahead.
    pub received_at: Timestamp,
    /// Headers that say when and what: lower-case names.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// What a call asks for. It is kept with the answer, which counts only if it is about this object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The kind of object.
    pub kind: WantKind,
    /// Its id at the gateway.
    pub id: ProviderId,
    /// The sub-account that owns it.
    pub tenant: Option<ProviderId>,
    /// What has to go back with the question: the path to the sub-account as the gateway wrote it.
    pub context: Option<ProviderId>,
    /// The path on the account's base address, every id one percent-encoded segment, with the query.
    pub path: Box<str>,
    /// Whether a page of a list is asked for, and not one object.
    pub listed: bool,
}

impl Incoming {
    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        match self {
            Incoming::Delivery(delivery) => delivery.gateway,
            Incoming::Answer(answer) => answer.gateway,
            Incoming::Statement(statement) => statement.gateway,
        }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &AccountName {
        match self {
            Incoming::Delivery(delivery) => &delivery.account,
            Incoming::Answer(answer) => &answer.account,
            Incoming::Statement(statement) => &statement.account,
        }
    }

    /// Our clock when the body was complete.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        match self {
            Incoming::Delivery(delivery) => delivery.received_at,
            Incoming::Answer(answer) => answer.received_at,
            Incoming::Statement(statement) => statement.received_at,
        }
    }

    /// Headers that were kept, lower-case names, in the order they came.
    #[must_use]
    pub fn headers(&self) -> &[(Box<str>, Box<str>)] {
        match self {
            Incoming::Delivery(delivery) => &delivery.headers,
            Incoming::Answer(answer) => &answer.headers,
            Incoming::Statement(_) => &[],
        }
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        match self {
            Incoming::Delivery(delivery) => &delivery.body,
            Incoming::Answer(answer) => &answer.body,
            Incoming::Statement(statement) => &statement.body,
        }
    }

    /// Whether anything proves who sent it: a signature or a channel of a delivery, our own call of an answer,
    /// an operator's access to the row it was read in.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.delivery().is_none_or(|delivery| delivery.proof.is_of_the_gateway())
    }

    /// The delivery, if it is one.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        match self {
            Incoming::Delivery(delivery) => Some(delivery),
            Incoming::Answer(_) | Incoming::Statement(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::delivery::Proof;
    use crate::id::DeliveryId;

    fn account() -> AccountName {
        AccountName::parse("shop").unwrap()
    }

    fn headers(value: &str) -> Vec<(Box<str>, Box<str>)> {
        vec![("date".into(), value.into())]
    }

    fn delivery(proof: Proof) -> Incoming {
        Incoming::Delivery(Delivery {
            id: DeliveryId(Uuid::from_u128(1)),
            gateway: Gateway::Stripe,
            account: account(),
            received_at: Timestamp::from_seconds(1).unwrap(),
            proof,
            headers: headers("posted"),
            query: None,
            traceparent: None,
            released_by: None,
            body: Bytes::from_static(b"posted"),
        })
    }

    fn answer() -> Incoming {
        let id = ProviderId::parse("pi_1").unwrap();
        let asked =
            Asked { kind: WantKind::Payment, id, tenant: None, context: None, path: "/v1/x".into(), listed: false };
        Incoming::Answer(Answer {
            gateway: Gateway::Appmax,
            account: account(),
            asked,
            status: 200,
            received_at: Timestamp::from_seconds(2).unwrap(),
            headers: headers("answered"),
            body: Bytes::from_static(b"answered"),
        })
    }

    fn statement() -> Incoming {
        Incoming::Statement(Statement {
            gateway: Gateway::Pagarme,
            account: account(),
            received_at: Timestamp::from_seconds(3).unwrap(),
            body: Bytes::from_static(b"stated"),
        })
    }

    #[test]
    fn whatever_came_says_from_where_when_and_what() {
        let all = [delivery(Proof::PathToken), answer(), statement()];
        assert_eq!(all.each_ref().map(Incoming::gateway), [Gateway::Stripe, Gateway::Appmax, Gateway::Pagarme]);
        assert!(all.iter().all(|one| *one.account() == account()));
        assert_eq!(all.each_ref().map(|one| one.received_at().as_seconds()), [1, 2, 3]);
        assert_eq!(all.each_ref().map(|one| &one.body()[..]), [&b"posted"[..], b"answered", b"stated"]);
        assert_eq!(all.each_ref().map(Incoming::headers), [&headers("posted")[..], &headers("answered"), &[]]);
        assert_eq!(all.each_ref().map(|one| one.delivery().is_some()), [true, false, false]);
    }

    #[test]
    fn a_delivery_is_as_proved_as_its_proof_and_everything_else_is() {
        assert!(delivery(Proof::Channel { peer: "peer".into() }).is_proved());
        assert!(!delivery(Proof::PathToken).is_proved());
        assert!(answer().is_proved() && statement().is_proved());
    }
}
