//! A proof as two words, and back.

use afluente_model::{Proof, SecretName};

/// Its kind, and who or what proved it.
pub(super) fn words(proof: &Proof) -> (&'static str, Option<&str>) {
    match proof {
        Proof::Signed { secret } => ("signed", Some(SecretName::as_str(secret))),
        Proof::Channel { peer } => ("channel", Some(peer)),
        Proof::PathToken => ("path_token", None),
        Proof::None => ("none", None),
    }
}

/// The proof of these words; the column at fault where they are none.
pub(super) fn read(kind: &str, by: Option<String>) -> Result<Proof, &'static str> {
    match (kind, by) {
        ("signed", Some(by)) => Ok(Proof::Signed { secret: SecretName::parse(&by).map_err(|_| "proved_by")? }),
        ("channel", Some(peer)) => Ok(Proof::Channel { peer: peer.into() }),
        ("path_token", None) => Ok(Proof::PathToken),
        ("none", None) => Ok(Proof::None),
        (_, _) => Err("proof"),
    }
}
