//! A bank: notifications that say no more than which resource changed, proved by its certificate, and an API whose answers are signed.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::life::{Life, OF_A_BANK, Step};
use super::signed::reais;
use super::{FORGED, time};
use crate::forgery::Forgery;
use crate::plan::{Lot, Plan, Post, Proof, Told, Traffic, chance};
use crate::player::{Dressed, Keys, Player};

/// The player.
pub(crate) struct Bank;

/// The organisation in the simulated bank's certificate.
pub const ORGANISATION: &str = "b961c4eb-509d-4edf-afeb-35642b38185d";

/// The header in which a proxy forwards a certificate.
const CERTIFICATE: &str = "x-client-certificate";

const BANK: &str = include_str!("../../certificates/bank.pem");
const OTHER_BANK: &str = include_str!("../../certificates/other-bank.pem");
const EXPIRED: &str = include_str!("../../certificates/expired.pem");
const SERVERS: &str = include_str!("../../certificates/server.pem");
const SELF_MADE: &str = include_str!("../../certificates/self-made.pem");

/// What begins every path of a notification.
const WEBHOOK: &str = "open-banking/webhook/v1/";

/// One resource: where it stands in paths, and its id.
struct Resource {
    api: &'static str,
    version: &'static str,
    segments: &'static str,
    /// What the event key calls it.
    kind: &'static str,
    id: String,
}

impl Resource {
    /// Where it is read.
    fn read_at(&self) -> Arc<str> {
        format!("/open-banking/{}/{}/{}/{}", self.api, self.version, self.segments, encoded(&self.id)).into()
    }

    /// What is posted when it changed at this moment. Every other bank does not encode ids.
    fn notice(&self, at: i64, turn: usize, tells: Vec<Told>) -> Post {
        let (stamp, kind) = (time(at), (self.kind == "recurring-consent").then_some("STATE_CHANGED"));
        let mut data = json!({"timestamp": stamp});
        if let Some(kind) = kind {
            data["eventType"] = json!(kind);
        }
        let parts = ["ofb1", ORGANISATION, self.api, self.version, self.kind, &self.id, &stamp, kind.unwrap_or("-")];
        let key: String = Sha256::digest(parts.join("\n")).iter().map(|byte| format!("{byte:02x}")).collect();
        let id = if turn.is_multiple_of(2) { Cow::Owned(encoded(&self.id)) } else { Cow::Borrowed(&*self.id) };
        let path = format!("{WEBHOOK}{}/{}/{}/{id}", self.api, self.version, self.segments);
        Post {
            event: format!("notice:{key}"),
            proof: Proof::Certificate(path.into()),
            query: None,
            body: json!({"data": data}).to_string().into_bytes(),
            forgery: None,
            tells,
        }
    }
}

fn encoded(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

/// One payment of a bank's.
struct Playing<'a> {
    plan: &'a Plan,
    lot: Lot,
    life: &'static Life,
}

impl Playing<'_> {
    fn name(&self, what: &str) -> String {
        format!("{what}-{}-{}", self.plan.run, self.lot.number)
    }

    fn is_recurring(&self) -> bool {
        self.lot.number % 4 == 3
    }

    fn payment(&self) -> Resource {
        let (api, version, segments, kind) = if self.is_recurring() {
            ("automatic-payments", "v2", "pix/recurring-payments", "recurring-payment")
        } else {
            ("payments", if self.lot.number.is_multiple_of(2) { "v4" } else { "v5" }, "pix/payments", "pix-payment")
        };
        Resource { api, version, segments, kind, id: self.name("P") }
    }

    /// The consent it was made by.
    fn consent(&self) -> Resource {
        let id = format!("urn:simulated:{}", self.name("C"));
        if self.is_recurring() {
            let (api, kind) = ("automatic-payments", "recurring-consent");
            Resource { api, version: "v2", segments: "recurring-consents", kind, id }
        } else {
            // The pattern allows what paths are made of.
            let (api, kind, id) = ("payments", "consent", format!("{id}/x"));
            Resource { api, version: "v4", segments: "consents", kind, id }
        }
    }

    fn shown(&self, after: i64, step: Step) -> Bytes {
        let (payment, consent) = (self.payment(), self.consent());
        let (named, parent) =
            if self.is_recurring() { ("recurringPaymentId", "recurringConsentId") } else { ("paymentId", "consentId") };
        let mut data = json!({
            "endToEndId": format!("E0003816620250101150000{:09x}", chance(&payment.id) % 0xf_ffff_ffff),
            "creationDateTime": time(self.lot.began), "statusUpdateDateTime": time(self.lot.began + after),
            "status": word(step), "payment": {"amount": reais(self.lot.amount), "currency": "BRL"},
            "cnpjInitiator": "50685362000135", "localInstrument": "DICT", "transactionIdentification": "PED4711",
            "debtorAccount": {"ispb": "00038166", "issuer": "0001", "number": "99887766", "accountType": "CACC"},
        });
        data[named] = json!(payment.id);
        data[parent] = json!(consent.id);
        match step {
            Step::Refused => data["rejectionReason"] = json!({"code": "PAGAMENTO_RECUSADO_SPI", "detail": "AB03"}),
            Step::RefusedInSecret => data["rejectionReason"] = json!({"code": "SALDO_INSUFICIENTE", "detail": "-"}),
            Step::CalledOff => data["cancellation"] = json!({"reason": "CANCELADO_AGENDAMENTO"}),
            Step::Waits | Step::Pending | Step::Held | Step::Scheduled | Step::Paid => {}
        }
        Bytes::from(json!({"data": data}).to_string())
    }

    fn agreed(&self) -> Bytes {
        let consent = self.consent();
        let user = json!({"document": {"identification": "52998224725", "rel": "CPF"}});
        let data = if self.is_recurring() {
            json!({
                "recurringConsentId": consent.id, "status": "AUTHORISED", "statusUpdateDateTime": time(self.lot.began - 60),
                "loggedUser": user, "recurringConfiguration": {"automatic": {
                    "contractId": "CTR0001", "fixedAmount": "49.90", "interval": "MENSAL", "referenceStartDate": "2025-01-01",
                    "contractDebtor": {"name": "Policarpo Quaresma", "document": {"identification": "52998224725"}},
                }},
            })
        } else {
            json!({
                "consentId": consent.id, "status": "CONSUMED", "statusUpdateDateTime": time(self.lot.began - 1),
                "loggedUser": user,
            })
        };
        Bytes::from(json!({"data": data}).to_string())
    }

    fn play(&self, traffic: &mut Traffic) {
        let (payment, consent) = (self.payment(), self.consent());
        let read_at = payment.read_at();
        let states = self.life.steps.iter().map(|(after, step)| self.shown(*after, *step)).collect();
        traffic.objects.insert(Arc::clone(&read_at), states);
        traffic.objects.insert(consent.read_at(), vec![self.agreed()]);
        let agreed = Told { path: consent.read_at(), state: 0 };
        // The bank notifies of a consent before the payment, or after it.
        let of_consent = consent.notice(self.lot.began - 1, self.lot.number, vec![agreed.clone()]);
        let of_payment = self.life.steps.iter().enumerate().map(|(state, (after, _))| {
            let tells = vec![agreed.clone(), Told { path: Arc::clone(&read_at), state }];
            payment.notice(self.lot.began + after, self.lot.number, tells)
        });
        traffic.posts.extend(of_payment);
        traffic.posts.push(of_consent);
        let end = self.life.end.of(payment.id, self.life.name, self.lot.amount, self.lot.currency);
        traffic.truth.push(end);
    }
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Waits => "RCVD",
        Step::Pending => "ACPD",
        Step::Held => "PDNG",
        Step::Scheduled => "SCHD",
        Step::Paid => "ACSC",
        Step::Refused | Step::RefusedInSecret => "RJCT",
        Step::CalledOff => "CANC",
    }
}

impl Player for Bank {
    fn currencies(&self) -> &'static [&'static str] {
        &["BRL"]
    }

    fn rowless(&self) -> &'static [&'static str] {
        &[FORGED]
    }

    fn forgeries(&self) -> &'static [Forgery] {
        &[
            Forgery::NoCertificate,
            Forgery::ExpiredCertificate,
            Forgery::ServersCertificate,
            Forgery::SelfMadeChain,
            Forgery::TwoCertificates,
            Forgery::OtherBank,
            Forgery::Stranger,
        ]
    }

    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic) {
        traffic.objects.entry(super::KEYS_PATH.into()).or_insert_with(super::key_sets);
        Playing { plan, lot, life: &OF_A_BANK[lot.number % OF_A_BANK.len()] }.play(traffic);
    }

    fn forged(&self, post: &Post, way: Forgery) -> Post {
        let path = format!("{WEBHOOK}payments/v4/pix/payments/{FORGED}{}", chance(&(&post.body, &post.event)));
        Post {
            event: "forged".to_owned(),
            proof: Proof::Certificate(path.into()),
            body: json!({"data": {"timestamp": "2025-01-01T00:00:00Z"}}).to_string().into_bytes(),
            forgery: Some(way),
            tells: Vec::new(),
            ..post.clone()
        }
    }

    fn dressed<'a>(&self, post: &'a Post, _keys: &'a Keys, now: i64) -> Dressed<'a> {
        let path = match &post.proof {
            Proof::Certificate(path) => Some(&**path),
            Proof::Body | Proof::Id(_) | Proof::Token | Proof::Login | Proof::Key(_) | Proof::Form => None,
        };
        // New with every try.
        let interaction =
            format!("{:08x}-0000-4000-8000-{:012x}", chance(&now) % 0xffff_ffff, chance(&post.body) % 0xffff_ffff_ffff);
        let mut headers =
            vec![("content-type", "application/json".to_owned()), ("x-webhook-interaction-id", interaction)];
        headers.extend(certificates(post.forgery).into_iter().map(|pem| (CERTIFICATE, escaped(pem))));
        Dressed { token: None, path, query: None, headers, body: Cow::Borrowed(&post.body) }
    }
}

/// What a proxy forwards.
fn certificates(forgery: Option<Forgery>) -> Vec<&'static str> {
    match forgery {
        Some(Forgery::NoCertificate) => vec![],
        Some(Forgery::ExpiredCertificate) => vec![EXPIRED],
        Some(Forgery::ServersCertificate) => vec![SERVERS],
        Some(Forgery::SelfMadeChain) => vec![SELF_MADE],
        Some(Forgery::TwoCertificates) => vec![BANK, BANK],
        Some(Forgery::OtherBank) => vec![OTHER_BANK],
        _ => vec![BANK],
    }
}

/// nginx's form of a certificate.
fn escaped(pem: &str) -> String {
    pem.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What a bank says of itself when it answers.
pub(crate) fn claims(payload: &[u8], issuer: &str, audience: &str, now: i64, id: &str) -> Option<Value> {
    let mut claims: Value = serde_json::from_slice(payload).ok()?;
    claims["iss"] = json!(issuer);
    claims["aud"] = json!(audience);
    claims["iat"] = json!(now);
    claims["jti"] = json!(id);
    Some(claims)
}
