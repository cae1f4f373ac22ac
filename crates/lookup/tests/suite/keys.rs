//! Public keys: fetched in the background, kept, rotated, and never waited for.

use std::time::Duration;

use afluente_gateways::pagarme::HubKey;
use afluente_gateways::profile::KeysAt;
use afluente_gateways::{Credentials, KeySet, Rejection, Request, adapter};
use afluente_lookup::{Base, KeySettings, PublicKeys};
use afluente_model::{Gateway as Named, Proof, Timestamp};
use http::{HeaderMap, Method};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::gateway::{Gateway, Say};

const DEADLINE: Duration = Duration::from_secs(20);
static AT: KeysAt = KeysAt { base: "https://localhost", hosts: &[], path: "/.well-known/jwks.json" };

/// An hour is a tenth of a second here, so that what lasts hours is seen.
const FAST: KeySettings = KeySettings {
    every: Duration::from_millis(5),
    fresh_for: Duration::from_millis(600),
    missed_after: Duration::from_millis(20),
    failed_after: Duration::from_millis(10),
    call_timeout: Duration::from_millis(500),
};

fn hub(id: &str) -> HubKey {
    HubKey::from_der(id, include_bytes!("../../../gateways/tests/keys/rfc7515-a2.der")).unwrap()
}

fn shown(keys: &[&HubKey]) -> Say {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    Say::json(200, &serde_json::json!({ "keys": keys }).to_string())
}

/// What a hook with this signature proves.
fn proof(set: &KeySet, header: &str) -> Result<Proof, Rejection> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("x-webhook-asymmetric-signature", header.parse().unwrap());
    let request =
        Request { method: &Method::POST, path_token: None, peer: None, query: None, headers: &headers, body: BODY };
    let credentials = Credentials::new(Vec::new(), 300).with_keys(set.clone());
    adapter(Named::Pagarme).verify(&request, &credentials, Timestamp::EPOCH)
}

const BODY: &[u8] = br#"{"id":"hook_0000000000000001","type":"charge.paid"}"#;

async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(DEADLINE, waiting).await.expect("it holds in time");
}

/// Keys being fetched into a folder.
struct Fetching {
    set: KeySet,
    keys: PublicKeys,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn fetching(folder: &std::path::Path, base: &str) -> Fetching {
    let keys = PublicKeys::kept_in(folder);
    let set = keys.at(&Base::parse(base).unwrap(), &AT);
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(keys.clone().run(FAST, async { drop(stopped.await) }));
    Fetching { set, keys, stop, task }
}

impl Fetching {
    async fn stop(self) {
        let _ = self.stop.send(());
        timeout(DEADLINE, self.task).await.unwrap().unwrap();
    }
}

fn is_signed(proof: &Result<Proof, Rejection>) -> bool {
    matches!(proof, Ok(Proof::Signed { .. }))
}

#[tokio::test]
async fn a_hook_by_a_key_that_is_away_is_taken_as_a_hint_until_the_key_is_there_and_once_it_is_rotated_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (hub("one"), hub("two"));
    let gateway = Gateway::that_says(vec![Say::json(503, "{}")]).await;
    let fetching = fetching(folder.path(), &gateway.base());
    until(|| gateway.asked().len() > 3).await;
    assert_eq!(proof(&fetching.set, &one.sign(BODY)), Ok(Proof::None), "away, and nothing is refused");
    assert!(fetching.keys.told().contains("no keys of"));
    gateway.says(vec![shown(&[&one])]);
    until(|| is_signed(&proof(&fetching.set, &one.sign(BODY)))).await;
    assert_eq!(proof(&fetching.set, &two.sign(BODY)), Ok(Proof::None), "the next key, before it is known");
    gateway.says(vec![shown(&[&one, &two])]);
    until(|| is_signed(&proof(&fetching.set, &two.sign(BODY)))).await;
    gateway.says(vec![shown(&[&two])]);
    // One that is gone is missed, asked for, and then unknown: read back, and not refused.
    until(|| proof(&fetching.set, &one.sign(BODY)) == Ok(Proof::None)).await;
    assert!(is_signed(&proof(&fetching.set, &two.sign(BODY))));
    fetching.stop().await;
}

#[tokio::test]
async fn what_cannot_be_used_leaves_the_keys_that_are_held_and_a_restart_has_them_before_anybody_answers() {
    let folder = tempfile::tempdir().unwrap();
    let one = hub("one");
    let gateway = Gateway::that_says(vec![shown(&[&one])]).await;
    let running = fetching(folder.path(), &gateway.base());
    until(|| is_signed(&proof(&running.set, &one.sign(BODY)))).await;
    for bad in [
        Say::json(500, "{}"),
        Say::json(200, "<html>"),
        Say::json(200, r#"{"keys":[]}"#),
        Say::Status(301, vec![("location", "https://example.com/keys".to_owned())], String::new()),
        Say::HangUp,
        Say::Late(Duration::from_secs(2), Box::new(shown(&[]))),
    ] {
        let before = gateway.asked().len();
        gateway.says(vec![bad.clone()]);
        until(|| gateway.asked().len() > before).await;
        running.set.miss();
        assert!(is_signed(&proof(&running.set, &one.sign(BODY))), "{bad:?}");
    }
    running.stop().await;
    gateway.says(vec![Say::HangUp]);
    let again = fetching(folder.path(), &gateway.base());
    assert!(is_signed(&proof(&again.set, &one.sign(BODY))), "at once");
    again.stop().await;
}
