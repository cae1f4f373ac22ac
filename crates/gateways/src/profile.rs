//! What never changes about a gateway.

use afluente_model::{Conventions, Gateway};

use crate::keyring::SecretForm;

/// The constants of a gateway's adapter.
#[derive(Debug)]
pub struct Profile {
    /// The gateway.
    pub gateway: Gateway,
    /// Its name as its customers write it.
    pub title: &'static str,
    /// How it writes times and amounts.
    pub conventions: Conventions,
    /// How its secrets look.
    pub secret: SecretForm,
    /// The answers it expects.
    pub answers: Answers,
    /// Content types a body may come with, lower case, without parameters.
    pub content_types: &'static [&'static str],
    /// The largest body accepted, bytes.
    pub body_limit_bytes: usize,
    /// Request headers that travel with a delivery, lower case.
    pub kept_headers: &'static [&'static str],
    /// Whether the query string travels with a delivery.
    pub keeps_query: bool,
    /// How far a signed time may lie from our clock by default, seconds.
    pub tolerance_seconds: i64,
}

/// Status codes of one gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Once the delivery is durable.
    pub accepted: u16,
    /// For a signature, stamp or token that does not hold.
    pub rejected: u16,
}
