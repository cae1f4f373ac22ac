//! What stands in a gateway's profile is written down a second time, one file each under `profiles/`: hosts that are asked, how
//! secrets look, limits, what is answered. No other test could tell a wrong host from the right one. Where a profile is meant
//! to change, `AFLUENTE_WRITE_PROFILES=1` writes the file anew, and the change is read in the diff.

#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use afluente_gateways::{CredentialKind, Profile, adapters};
use afluente_model::Gateway;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/profiles")
}

fn file_name(profile: &Profile) -> String {
    [profile.gateway.slug(), profile.name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("_")
}

/// Everything in it but where a function lies.
fn written(profile: &Profile) -> String {
    let lines = format!("{profile:#?}\n");
    lines.lines().filter(|line| !line.contains(" 0x")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_profile_is_what_was_written_down_of_it() {
    let mut seen = BTreeSet::new();
    for profile in Gateway::ALL.iter().flat_map(|gateway| adapters(*gateway)).map(|adapter| adapter.profile()) {
        let path = folder().join(file_name(profile)).with_extension("txt");
        let now = written(profile);
        if std::env::var_os("AFLUENTE_WRITE_PROFILES").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let before = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(now, before, "{}", path.display());
        seen.insert(path);
    }
    let there: BTreeSet<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(seen, there, "a file for each profile and none besides");
}

#[test]
fn a_profile_takes_the_kinds_of_credentials_it_has_a_form_of_and_no_other() {
    let taken = |gateway: Gateway| -> Vec<CredentialKind> {
        let profile = adapters(gateway)[0].profile();
        CredentialKind::ALL.iter().copied().filter(|kind| profile.takes(*kind)).collect()
    };
    assert_eq!(taken(Gateway::Stripe), [CredentialKind::Hmac]);
    assert_eq!(taken(Gateway::MercadoPago), [CredentialKind::Hmac, CredentialKind::PathToken]);
    assert_eq!(taken(Gateway::Appmax), [CredentialKind::PathToken]);
}
