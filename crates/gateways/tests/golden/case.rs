//! One case: its files, its account, and what its bodies say.

use std::path::{Path, PathBuf};

use afluente_gateways::{AccountView, Adapter, Envelope, Malformed, PATH, Reading, Tenants, adapters, read};
use afluente_model::{
    AccountName, Answer, Asked, Delivery, DeliveryId, Gateway, Incoming, Mode, Proof, ProviderId, Timestamp,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::gateway;

/// One folder.
pub(crate) struct Case {
    /// `<gateway>/<case>`.
    pub(crate) name: String,
    pub(crate) gateway: Gateway,
    pub(crate) account: AccountView,
    adapter: &'static dyn Adapter,
    pub(crate) bodies: Vec<Body>,
    pub(crate) expected: Value,
}

/// One body that came.
pub(crate) struct Body {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// How it came, from `<name>.came.json`; null for a post without anything worth keeping.
    came: Value,
}

impl Body {
    /// Whether the gateway answered it; else it posted it.
    pub(crate) fn is_answer(&self) -> bool {
        self.came["answers"].is_string()
    }

    /// Whether it was posted and signed.
    pub(crate) fn is_signed(&self) -> bool {
        !self.is_answer() && self.came["proof"].is_null()
    }

    /// Whether it is a form, and not JSON.
    pub(crate) fn is_form(&self) -> bool {
        self.came["content_type"] == FORM
    }

    /// The query it was posted with.
    pub(crate) fn query(&self) -> Option<&str> {
        self.came["query"].as_str()
    }
}

/// What reading a body ended in.
pub(crate) type Outcome = Result<Reading, Malformed>;

/// The content type of a body that is a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// What `expected.json` may hold.
const SECTIONS: &[&str] = &[
    "about",
    "payments",
    "subscriptions",
    "wants",
    "ignored",
    "unmapped",
    "malformed",
    "notes",
    "raised",
    "pages",
    "claims",
    "aliases",
    "now",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A file of JSON.
pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Case {
    /// Every case of every gateway. A folder with a file nobody would read is an error.
    pub(crate) fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for gateway in folders(&root()) {
            cases.extend(folders(&gateway).iter().map(|folder| Case::load(folder)));
        }
        assert!(!cases.is_empty(), "no case in {}", root().display());
        cases
    }

    fn load(folder: &Path) -> Case {
        let names: Vec<String> = folder.components().map(|part| part.as_os_str().to_string_lossy().into()).collect();
        let [slug, case] = &names[names.len() - 2..] else { unreachable!() };
        let gateway = Gateway::ALL.iter().copied().find(|gateway| gateway.slug() == slug);
        let gateway = gateway.unwrap_or_else(|| panic!("{slug}: no gateway of this name"));
        let name = format!("{slug}/{case}");
        let mut bodies = Vec::new();
        for path in files(folder) {
            let stem = path.file_stem().unwrap().to_string_lossy().to_string();
            if let Some(of) = stem.strip_suffix(".came") {
                assert!(path.with_file_name(format!("{of}.json")).exists(), "{name}: {stem} is of no body");
            } else if stem.starts_with(|first: char| first.is_ascii_digit()) {
                let beside = path.with_file_name(format!("{stem}.came.json"));
                let posted = if beside.exists() { json(&beside) } else { Value::Null };
                bodies.push(Body { name: stem, bytes: std::fs::read(&path).unwrap(), came: posted });
            } else {
                assert!(stem == "expected" || stem == "account", "{name}: nobody reads {stem}");
            }
        }
        let expected = json(&folder.join("expected.json"));
        for section in expected.as_object().unwrap().keys() {
            assert!(SECTIONS.contains(&section.as_str()), "{name}: no section {section}");
        }
        let account = folder.join("account.json");
        let account = if account.exists() { json(&account) } else { json!({}) };
        let profile = account["profile"].as_str().unwrap_or_default();
        let adapter = adapters(gateway).iter().find(|adapter| adapter.profile().name == profile);
        let adapter = *adapter.unwrap_or_else(|| panic!("{name}: no profile {profile:?}"));
        Case { name, gateway, account: account_of(&account), adapter, bodies, expected }
    }

    /// What a body says, as it came.
    pub(crate) fn read(&self, body: &Body) -> Outcome {
        self.read_as(body, &body.bytes, gateway::proof(self.gateway))
    }

    /// What these bytes say, had they come as this body did: posted with this proof, or answered.
    pub(crate) fn read_as(&self, body: &Body, bytes: &[u8], proof: Proof) -> Outcome {
        let incoming = if body.is_answer() {
            let signed = (self.adapter.profile().name == "ofb").then(|| as_jws(bytes));
            Incoming::Answer(answer(self.gateway, body, signed.as_deref().unwrap_or(bytes)))
        } else {
            Incoming::Delivery(delivery(self.gateway, body, bytes, proof))
        };
        read(self.adapter(), &Envelope::of(&incoming, &self.account))
    }

    pub(crate) fn adapter(&self) -> &'static dyn Adapter {
        self.adapter
    }

    /// Compares everything that is not a row. A section that is not there must be empty, but for claims and aliases: of
    /// those the ones listed must be there.
    pub(crate) fn expect(&self, said: &Value) {
        for section in ["wants", "unmapped", "ignored", "malformed", "notes", "raised", "pages"] {
            let empty = if said[section].is_array() { json!([]) } else { json!({}) };
            let expected = self.expected.get(section).cloned().unwrap_or(empty);
            assert_eq!(said[section], expected, "{}: {section}", self.name);
        }
        for section in ["claims", "aliases"] {
            for one in self.expected[section].as_array().into_iter().flatten() {
                assert!(
                    said[section].as_array().unwrap().contains(one),
                    "{}: no {one} in {section}: {:#}",
                    self.name,
                    said[section]
                );
            }
        }
    }

    /// Compares rows over the columns that are listed; a row that is not listed must not exist.
    pub(crate) fn expect_rows(&self, rows: &Value) {
        for section in ["payments", "subscriptions"] {
            let none = json!({});
            let expected = self.expected.get(section).unwrap_or(&none).as_object().unwrap();
            let got = rows[section].as_object().unwrap();
            let names = |rows: &serde_json::Map<String, Value>| rows.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(got), names(expected), "{}: {section}", self.name);
            for (id, columns) in expected {
                for (column, value) in columns.as_object().unwrap() {
                    assert_eq!(&got[id][column], value, "{}: {column} of {id} in {:#}", self.name, got[id]);
                }
            }
        }
        let money =
            ["status_v2", "captured", "refunded", "refund_pending", "disputed", "charged_back", "capture_inferred"];
        for (id, columns) in self.expected["payments"].as_object().into_iter().flatten() {
            for column in money {
                assert!(!columns[column].is_null(), "{}: {id} expects no {column}", self.name);
            }
        }
    }
}

/// A delivery of these bytes.
fn delivery(gateway: Gateway, body: &Body, bytes: &[u8], proof: Proof) -> Delivery {
    Delivery {
        id: DeliveryId(uuid::Uuid::nil()),
        gateway,
        account: AccountName::parse("golden").unwrap(),
        received_at: Timestamp::from_seconds(RECEIVED_SECONDS).unwrap(),
        proof: match body.came["proof"].as_str() {
            Some("path_token") => Proof::PathToken,
            Some("none") => Proof::None,
            Some("login") => Proof::Channel { peer: "0a1b2c3d".into() },
            Some("peer") => Proof::Channel { peer: body.came["peer"].as_str().unwrap().into() },
            Some(other) => panic!("{}: no proof {other}", body.name),
            None => proof,
        },
        headers: [("content-type", "content_type"), (PATH, "posted_to")]
            .into_iter()
            .filter_map(|(name, key)| Some((name.into(), body.came[key].as_str()?.into())))
            .collect(),
        query: body.query().map(Into::into),
        traceparent: None,
        released_by: None,
        body: Bytes::copy_from_slice(bytes),
    }
}

/// A signed answer with this payload. Its signature was checked when it came, and is nobody's business here.
fn as_jws(payload: &[u8]) -> Vec<u8> {
    format!("e30.{}.c2lnbmVk", URL_SAFE_NO_PAD.encode(payload)).into_bytes()
}

const RECEIVED_SECONDS: i64 = 1_764_000_000;

/// An answer of these bytes: `answers` is what was asked, as kind and id.
fn answer(gateway: Gateway, body: &Body, bytes: &[u8]) -> Answer {
    let came = &body.came;
    let id = |text: &str| ProviderId::parse(text).unwrap();
    let (kind, asked) = came["answers"].as_str().unwrap().split_once(' ').unwrap();
    let date = came["date"].as_str().map(|date| ("date".into(), date.into()));
    Answer {
        gateway,
        account: AccountName::parse("golden").unwrap(),
        asked: Asked {
            kind: kind.parse().unwrap(),
            id: id(asked),
            tenant: came["tenant"].as_str().map(id),
            context: came["context"].as_str().map(id),
            path: came["path"].as_str().unwrap_or("/v1/objects").into(),
            listed: came["listed"] == json!(true),
        },
        status: came["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap()),
        received_at: Timestamp::from_seconds(RECEIVED_SECONDS).unwrap(),
        headers: date.into_iter().collect(),
        body: Bytes::copy_from_slice(bytes),
    }
}

/// Everything the bodies say that is not a row, in a form to compare.
pub(crate) fn said(case: &Case, outcomes: &[Outcome]) -> Value {
    let (mut wants, mut unmapped, mut claims, mut aliases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut ignored, mut malformed, mut notes) = (json!({}), json!({}), Vec::new());
    let (mut raised, mut pages) = (Vec::new(), Vec::new());
    for (body, outcome) in case.bodies.iter().zip(outcomes) {
        let reading = match outcome {
            Ok(reading) => reading,
            Err(error) => {
                malformed[&body.name] = json!(error.to_string());
                continue;
            }
        };
        let times = reading.facts.iter().flat_map(|(_, fact)| [fact.at, fact.op_at]).max().flatten();
        assert!(reading.latest >= times, "{}/{}: a fact is later than the latest", case.name, body.name);
        wants.extend(
            reading.wants.iter().map(|w| {
                format!("{}{} {} {}{}", tenant(w.tenant.as_ref()), w.kind, w.id, w.reason.as_str(), context(w))
            }),
        );
        notes.extend(reading.notes.iter().map(|note| format!("{}: {note}", body.name)));
        pages.extend(reading.next_page.iter().map(|path| format!("{}: {path}", body.name)));
        raised.extend(reading.raised.iter().map(|raised| format!("{} {}", raised.kind, raised.entity)));
        unmapped.extend(reading.unmapped.iter().map(|word| format!("{} {}", word.field, word.word)));
        aliases.extend(reading.aliases.iter().map(|alias| format!("{} {}", alias.alias.id, alias.payment.id)));
        claims.extend(reading.claims.iter().map(claim));
        if let Some(because) = reading.ignored {
            ignored[&body.name] = json!(because.as_str());
        }
    }
    for list in [&mut wants, &mut unmapped, &mut notes, &mut raised, &mut claims, &mut aliases] {
        list.sort();
        list.dedup();
    }
    json!({
        "wants": wants, "unmapped": unmapped, "claims": claims, "aliases": aliases,
        "ignored": ignored, "malformed": malformed, "notes": notes,
        "raised": raised, "pages": pages,
    })
}

fn context(want: &afluente_gateways::Want) -> String {
    want.context.as_ref().map_or_else(String::new, |context| format!(" through {context}"))
}

fn tenant(tenant: Option<&ProviderId>) -> String {
    tenant.map_or_else(String::new, |tenant| format!("{tenant}/"))
}

fn claim(claim: &afluente_gateways::Claim) -> String {
    let (kind, tenant) = (claim.subject.kind.as_str(), tenant(claim.subject.tenant.as_ref()));
    format!("{kind} {tenant}{} {}={}", claim.subject.id, claim.kind.as_str(), claim.value)
}

fn account_of(account: &Value) -> AccountView {
    let id = |value: &Value| ProviderId::parse(value.as_str().unwrap()).unwrap();
    AccountView {
        mode: account["mode"].as_str().map_or(Mode::Test, |mode| mode.parse().unwrap()),
        external_id: Some(&account["external_id"]).filter(|value| value.is_string()).map(id),
        tenants: match &account["tenants"] {
            Value::Array(listed) => Tenants::Listed(listed.iter().map(id).collect()),
            Value::String(any) if any == "any" => Tenants::Any,
            _ => Tenants::Own,
        },
    }
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    entries(parent).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(parent: &Path) -> Vec<PathBuf> {
    entries(parent).into_iter().filter(|path| path.is_file()).collect()
}

fn entries(parent: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
