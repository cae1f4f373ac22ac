//! Open Finance: a bank, an initiator that signs, and a system of the house. What Efí posts is not played: its list of payments is
//! read by days, and what it says of anything but single payments is not published.

mod bank;
mod life;
mod signed;

use std::sync::LazyLock;

use afluente_gateways::openfinance::BankKey;
use afluente_model::Timestamp;
use bytes::Bytes;
use serde_json::json;

pub use bank::ORGANISATION;
pub(crate) use bank::{Bank, claims};
pub(crate) use signed::Signed;

/// What begins the ids of payments that only forgers speak of.
const FORGED: &str = "forged";

/// Where the Directory shows a bank's keys.
pub(crate) const KEYS_PATH: &str = "/application.jwks";

/// Who vouches for the simulated bank's certificate, in PEM.
pub const AUTHORITY: &str = include_str!("../certificates/authority.pem");

/// The key of a client that signs for its tokens at the simulated bank, in PEM.
pub const CLIENT_KEY: &str = include_str!("../keys/client.pem");

static KEY: LazyLock<Option<BankKey>> =
    LazyLock::new(|| BankKey::from_der("simulated-bank-1", include_bytes!("../keys/bank-1.der")).ok());

/// What the bank signs with.
pub(crate) fn key() -> &'static BankKey {
    let Some(key) = &*KEY else { unreachable!("the key in this crate is a key") };
    key
}

fn key_sets() -> Vec<Bytes> {
    vec![Bytes::from(json!({"keys": [key().jwk()]}).to_string())]
}

/// A moment as the standard writes it.
fn time(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}
