//! One shop: a data folder with one Stripe account in test mode, and Stripe's side of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OpenFlags};
use sha2::Sha256;

use crate::{Answer, Finished, Up, afluente, send, unix_now};

/// The path its webhooks are posted to.
pub const PATH: &str = "/webhooks/stripe/shop";

/// A data folder of its own, removed with it.
pub struct Shop {
    folder: tempfile::TempDir,
    /// The signing secret of its account.
    pub secret: String,
}

impl Default for Shop {
    fn default() -> Shop {
        Shop::new()
    }
}

impl Shop {
    /// A folder with a configuration that listens on free ports.
    #[must_use]
    pub fn new() -> Shop {
        Shop::with("")
    }

    /// The same with more lines at the end of the configuration.
    #[must_use]
    pub fn with(more: &str) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let secret = "whsec_a_test_secret_of_one_shop".to_owned();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("secrets")).unwrap();
        let config = format!(
            "[ingress]\nlisten = \"127.0.0.1:0\"\nbody_timeout_ms = 2000\nheader_timeout_ms = 2000\n[admin]\nlisten = \"127.0.0.1:0\"\n\
             [accounts.shop]\ngateway = \"stripe\"\nmerchant = \"default\"\nmode = \"test\"\n\
             secrets = [{{ file = \"secrets/shop\" }}]\n{more}"
        );
        std::fs::write(data.join("afluente.toml"), config).unwrap();
        private(&data.join("secrets/shop"), &secret);
        private(&data.join("seal.key"), &"5".repeat(64));
        Shop { folder, secret }
    }

    /// A copy of a data folder that is kept, whose account signs with what stands in this file of it.
    #[must_use]
    pub fn of(kept: &Path, secret: &str) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        for sub in [kept.to_owned(), kept.join("secrets")] {
            let there = data.join(sub.strip_prefix(kept).unwrap());
            std::fs::create_dir_all(&there).unwrap();
            for file in std::fs::read_dir(sub).unwrap().map(Result::unwrap) {
                if file.file_type().unwrap().is_file() {
                    let copy = there.join(file.file_name());
                    std::fs::copy(file.path(), &copy).unwrap();
                    // Whoever checks a repository out may have any mode for its files.
                    std::fs::set_permissions(copy, std::fs::Permissions::from_mode(0o600)).unwrap();
                }
            }
        }
        let secret = std::fs::read_to_string(data.join(secret)).unwrap().trim().to_owned();
        Shop { folder, secret }
    }

    /// Another that signs with the same secret: for posting while the first is used otherwise.
    #[must_use]
    pub fn sender_of(shop: &Shop) -> Shop {
        Shop { folder: tempfile::tempdir().unwrap(), secret: shop.secret.clone() }
    }

    /// The same configuration, keys and secrets in a folder of its own, for another process.
    #[must_use]
    pub fn copy(&self) -> Shop {
        let other = Shop { folder: tempfile::tempdir().unwrap(), secret: self.secret.clone() };
        std::fs::create_dir_all(other.data().join("secrets")).unwrap();
        for name in ["afluente.toml", "secrets/shop", "seal.key", "queue.url"] {
            if self.data().join(name).exists() {
                std::fs::copy(self.data().join(name), other.data().join(name)).unwrap();
            }
        }
        other
    }

    /// Puts something else in place of a part of its configuration.
    pub fn configure(&self, part: &str, other: &str) {
        let file = self.data().join("afluente.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(part), "{part} is not in {text}");
        std::fs::write(file, text.replace(part, other)).unwrap();
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file of the data folder that only its owner may read.
    pub fn private(&self, name: &str, text: &str) {
        private(&self.data().join(name), text);
    }

    /// Starts `up` on it.
    #[must_use]
    pub fn up(&self) -> Up {
        Up::start(&self.data())
    }

    /// Runs a command on its folder.
    pub fn run(&self, args: &[&str]) -> Finished {
        let data = self.data();
        afluente(args.iter().copied().chain(["--data", data.to_str().unwrap()])).run()
    }

    /// Signs a body as Stripe does, at this time.
    #[must_use]
    pub fn sign(&self, stamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(stamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={stamp},v1={digest}")
    }

    /// Posts a body signed now.
    #[must_use]
    pub fn deliver(&self, ingress: SocketAddr, body: &[u8]) -> Answer {
        self.deliver_signed_at(unix_now(), ingress, body)
    }

    /// Posts a body that says it was signed then.
    #[must_use]
    pub fn deliver_signed_at(&self, stamp: i64, ingress: SocketAddr, body: &[u8]) -> Answer {
        let signature = self.sign(stamp, body);
        send(ingress, PATH, &[("Content-Type", "application/json"), ("Stripe-Signature", &signature)], body)
    }

    /// A paid intent: the event's id is `evt_<name>`, the payment's `pi_<name>`.
    #[must_use]
    pub fn paid(name: &str, minor: i64) -> Vec<u8> {
        event(
            name,
            "payment_intent.succeeded",
            &format!(
                r#"{{"id":"pi_{name}","object":"payment_intent","amount":{minor},"amount_received":{minor},"currency":"brl","status":"succeeded","livemode":false}}"#
            ),
        )
    }

    /// How often each gateway event stands in the ledger as a receipt.
    #[must_use]
    pub fn receipts(&self) -> BTreeMap<String, i64> {
        let ledger = self.ledger();
        let counted = "select event_id, count(*) from webhook_receipts where event_id is not null group by event_id";
        let mut rows = ledger.prepare(counted).unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// A number the ledger's file answers a query with.
    #[must_use]
    pub fn count(&self, query: &str) -> i64 {
        self.ledger().query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Changes the ledger's file behind everybody's back.
    pub fn change(&self, statement: &str) {
        Connection::open(self.data().join("ledger.sqlite")).unwrap().execute_batch(statement).unwrap();
    }

    /// Nobody else writes to this file of its folder until the value is gone.
    #[must_use]
    pub fn hold(&self, file: &str) -> Connection {
        let lock = Connection::open(self.data().join(file)).unwrap();
        lock.busy_timeout(crate::PATIENCE).unwrap();
        lock.execute_batch("begin immediate").unwrap();
        lock
    }

    fn ledger(&self) -> Connection {
        let file = self.data().join("ledger.sqlite");
        let ledger = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        ledger.busy_timeout(crate::PATIENCE).unwrap();
        ledger
    }
}

/// A snapshot event of this type around an object.
#[must_use]
pub fn event(name: &str, kind: &str, object: &str) -> Vec<u8> {
    let created = unix_now();
    format!(
        r#"{{"id":"evt_{name}","object":"event","api_version":"2026-10-28.endive","created":{created},"livemode":false,"pending_webhooks":1,"type":"{kind}","data":{{"object":{object}}},"request":{{"id":null,"idempotency_key":null}}}}"#
    )
    .into_bytes()
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
