//! Appmax. It signs nothing and names no event: whatever is posted to the account's path with its token is a hint, and facts come of
//! the order read back with our own credentials.
//!
//! `chargeback_vencido` is a dispute the shop won. Amounts are reais in what the panel posts and its API answers, centavos in
//! everything of the App Store.

mod claim;
mod moment;
mod notice;
mod order;
mod subscription;
mod words;

use afluente_model::money::Scale;
use afluente_model::{Answer, Asked, Conventions, Gateway, Proof, ProviderId, Resolution, Timestamp, WantKind};

use crate::credentials::{CredentialForm, CredentialKind, Credentials, Digest};
use crate::draft::Draft;
use crate::json;
use crate::profile::{Answers, Api, AuthForm, Profile, Shown, TokensAt};
use crate::reading::{Absent, IgnoredBecause};
use crate::secret::SecretForm;
use crate::signature::matching_token;
use crate::{Adapter, Call, Envelope, Impossible, Malformed, Reading, Rejection, Request, Want, vocabulary};

/// The adapter.
#[derive(Debug)]
pub(crate) struct Appmax;

const PATH_TOKEN: SecretForm =
    SecretForm { found: "a token of your own making: `openssl rand -hex 16`", ..SecretForm::ANY };

const PANEL_TOKEN: SecretForm = SecretForm { found: "the access token shown in Appmax's panel", ..SecretForm::ANY };

/// What begins the paths of the panel's API, and tells its answers.
const PANEL: &str = "/api/v3/";

/// Orders and subscriptions of apps; needs a client that a merchant installed.
const V1: Api = Api {
    name: "v1",
    base: "https://api.appmax.com.br",
    hosts: &["api.appmax.com.br", "api.sandboxappmax.com.br"],
    auth: &[AuthForm::Client(TokensAt {
        base: Some("https://auth.appmax.com.br"),
        hosts: &["auth.appmax.com.br", "auth.sandboxappmax.com.br"],
        path: "/oauth2/token",
        shown: Shown::Form,
    })],
    headers: &[],
    interaction_header: None,
    shows_certificate: false,
    signed: None,
    tenant_header: None,
    context_header: None,
    calls_per_second: 5,
    calls_per_month: Some(100_000),
};

/// Orders alone; its token stands in the query. Its limits are not published: those of v1 hold.
const V3: Api = Api {
    name: "v3",
    base: "https://admin.appmax.com.br",
    hosts: &["admin.appmax.com.br", "homolog.sandboxappmax.com.br"],
    auth: &[AuthForm::Query { name: "access-token", form: PANEL_TOKEN }],
    ..V1
};

static PROFILE: Profile = Profile {
    gateway: Gateway::Appmax,
    name: "",
    title: "Appmax",
    page: "appmax",
    conventions: Conventions { resolution: Resolution::Second, scale: Scale::iso4217 },
    credentials: &[CredentialForm { kind: CredentialKind::PathToken, form: PATH_TOKEN, is_required: true }],
    digests: &[Digest::Sha256],
    external_id: None,
    keys: None,
    signs_bodies: false,
    apis: &[V1, V3],
    // Every other answer is tried four times in six and a half hours, and then never again.
    answers: Answers { accepted: 200, rejected: 401, echoes: &[] },
    content_types: &["application/json", ""],
    takes_paths: false,
    takes_empty_bodies: false,
    // A few KB are seen; lists of products and bundles have no end.
    body_limit_bytes: 256 << 10,
    kept_headers: &["user-agent", "content-type"],
    keeps_query: false,
    tolerance_seconds: 300,
};

impl Adapter for Appmax {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn verify(&self, request: &Request<'_>, credentials: &Credentials, _now: Timestamp) -> Result<Proof, Rejection> {
        matching_token(credentials, request).map(|()| Proof::PathToken)
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        let draft = match envelope.answer() {
            Some(answer) => answered(envelope, answer)?,
            None => notice::read(envelope)?,
        };
        Ok(draft.finish())
    }

    fn lookup(&self, want: &Want, api: &Api) -> Result<Vec<Call>, Impossible> {
        calls(want, api)
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        words::vocabulary()
    }
}

/// Which call reads an object back. The panel's API has orders only.
fn calls(want: &Want, api: &Api) -> Result<Vec<Call>, Impossible> {
    let is_number = want.id.as_str().bytes().all(|b| b.is_ascii_digit());
    let path = match (want.kind, api.name) {
        (WantKind::Payment, "v1") => "/v1/orders/",
        (WantKind::Payment, "v3") => "/api/v3/order/",
        (WantKind::Subscription, "v1") => "/v1/subscriptions/",
        _ => return Err(Impossible { kind: want.kind }),
    };
    if !is_number {
        return Err(Impossible { kind: want.kind });
    }
    let asked = Asked {
        kind: want.kind,
        id: want.id.clone(),
        tenant: None,
        context: None,
        path: format!("{path}{}", want.id).into(),
        listed: false,
    };
    Ok(vec![Call { asked, absent: Absent::NotYet }])
}

/// What was read back. Orders of v1 carry the time of their last change; those of the panel none, so that what they say is
/// stamped with the answer's `Date`, less one tick.
fn answered(envelope: &Envelope<'_>, answer: &Answer) -> Result<Draft, Malformed> {
    let asked = &answer.asked;
    let text = json::text(envelope.body())?;
    let text = json::with_decimals(&text);
    let body = json::object(&text)?;
    let is_panel = asked.path.starts_with(PANEL);
    let at = envelope.date().map(|date| date.shifted(-Resolution::Second.micros())).filter(|_| is_panel);
    // The same bytes a second later say that all of it still holds.
    let when = at.map_or_else(String::new, |at| format!("@{}", at.as_seconds()));
    let event = format!("answer:{}/{}{when}", asked.kind, asked.id);
    let mut draft = Draft::new(envelope.source(), Some(event), &format!("answer.{}", asked.kind));
    draft.set_at(at);
    // An envelope that says of itself that it failed tells nothing of the order.
    if is_panel && body.bool("success")? == Some(false) {
        return Err(Malformed::NotAsked);
    }
    let data = body.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    let id: &ProviderId = &asked.id;
    match (asked.kind, is_panel) {
        (WantKind::Payment, true) => order::read_v3(&mut draft, data, id)?,
        (WantKind::Payment, false) => order::read_v1(&mut draft, data, id)?,
        (WantKind::Subscription, _) => subscription::read(&mut draft, data, id)?,
        _ => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use afluente_model::WantReason;

    use super::*;

    fn path(kind: WantKind, id: &str, api: &Api) -> Option<String> {
        let id = ProviderId::parse(id).ok()?;
        let want = Want { kind, id, tenant: None, context: None, reason: WantReason::Hint };
        Some(calls(&want, api).ok()?[0].asked.path.to_string())
    }

    #[test]
    fn each_api_has_its_paths_and_only_numbers_get_into_one() {
        assert_eq!(path(WantKind::Payment, "1001", &V1).as_deref(), Some("/v1/orders/1001"));
        assert_eq!(path(WantKind::Payment, "1001", &V3).as_deref(), Some("/api/v3/order/1001"));
        assert_eq!(path(WantKind::Subscription, "31", &V1).as_deref(), Some("/v1/subscriptions/31"));
        assert_eq!(path(WantKind::Subscription, "31", &V3), None);
        for id in ["1/2", "../1", "1?a=b", "abc", "-1", "1%2F2"] {
            assert_eq!(path(WantKind::Payment, id, &V1), None, "{id}");
        }
        assert_eq!(path(WantKind::Invoice, "1", &V1), None);
    }
}
