//! What goes into `Authorization`: a token as configured, or one the gateway gave us, renewed before it ends and asked for once
//! however many need it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method};
use serde_json::Value;

use afluente_gateways::Secret;
use afluente_gateways::profile::Shown;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::access::{Access, Auth};
use crate::client::Client;
use crate::outcome::Outcome;

/// A token without a length of life.
const LIFE: Duration = Duration::from_secs(3_600);

/// A token, and until when it is used.
#[derive(Clone)]
struct Token {
    header: HeaderValue,
    until: Instant,
}

type Asked = Shared<BoxFuture<'static, Result<Token, Outcome>>>;

/// The tokens of one account.
#[derive(Default)]
pub(crate) struct Tokens {
    asked: Mutex<Option<Asked>>,
}

impl Tokens {
    /// The header that makes a call ours, unless its address does.
    pub(crate) async fn header(&self, access: &Access, client: &Client) -> Result<Option<HeaderValue>, Outcome> {
        match &access.auth {
            Auth::Bearer(token) => authorization("Bearer", token.expose()).map(Some),
            Auth::Key(key) => authorization("Basic", login(key).as_bytes()).map(Some),
            Auth::Query { .. } => Ok(None),
            Auth::Client { .. } | Auth::Assertion(_) => {
                let asked = self.asked(access, client);
                Ok(Some(asked.await?.header))
            }
        }
    }

    /// The gateway does not take it any more: the next who needs one asks for another.
    pub(crate) fn forget(&self, refused: &HeaderValue) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |asked: &Asked| matches!(asked.peek(), Some(Ok(token)) if token.header == *refused);
        if asked.as_ref().is_some_and(is_it) {
            *asked = None;
        }
    }

    /// The request for the token: the one under way or still good, or a new one.
    fn asked(&self, access: &Access, client: &Client) -> Asked {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |asked: &Asked| match asked.peek() {
            None => false,
            Some(Ok(token)) => token.until <= Instant::now(),
            Some(Err(_)) => true,
        };
        if let Some(asked) = asked.as_ref().filter(|asked| !is_over(asked)) {
            return asked.clone();
        }
        let new = request(Arc::new(access.clone()), client.clone()).boxed().shared();
        *asked = Some(new.clone());
        new
    }
}

/// A key as user and password of HTTP Basic: the password is empty.
fn login(key: &Secret) -> String {
    STANDARD.encode([key.expose(), b":"].concat())
}

fn authorization(scheme: &str, what: &[u8]) -> Result<HeaderValue, Outcome> {
    let header = HeaderValue::from_bytes(&[scheme.as_bytes(), b" ", what].concat());
    let mut header = header.map_err(|_| Outcome::Unauthorized)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Asks for a token with the client's credentials.
async fn request(access: Arc<Access>, client: Client) -> Result<Token, Outcome> {
    let (uri, headers, form) = match &access.auth {
        Auth::Client { id, secret, base, tokens } => {
            let (headers, form) = application(id, secret, tokens.shown)?;
            (base.with(tokens.path), headers, form)
        }
        Auth::Assertion(assertion) => {
            let form = assertion.form(afluente_worker::now()).ok_or(Outcome::Unauthorized)?;
            (assertion.endpoint.with(""), typed(FORM), form)
        }
        Auth::Bearer(_) | Auth::Key(_) | Auth::Query { .. } => return Err(Outcome::Unauthorized),
    };
    let uri = uri.ok_or(Outcome::Impossible)?;
    let asked = Instant::now();
    let answer = client.call(Method::POST, uri, headers, Bytes::from(form)).await?;
    match answer.status {
        200 | 201 => {}
        400 | 401 | 403 => return Err(Outcome::Unauthorized),
        429 => return Err(Outcome::Limited),
        _ => return Err(Outcome::Failed),
    }
    let answer: Value = serde_json::from_slice(&answer.body).map_err(|_| Outcome::Unusable)?;
    let token = answer["access_token"].as_str().ok_or(Outcome::Unusable)?;
    let life = answer["expires_in"].as_u64().map_or(LIFE, Duration::from_secs);
    // A tenth of its life early, so that none ends on its way.
    Ok(Token {
        header: authorization("Bearer", token.as_bytes())?,
        until: asked + life.mul_f32(0.9).min(Duration::from_secs(86_400)),
    })
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn typed(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
}

/// What a client with a secret sends for a token.
fn application(id: &str, secret: &Secret, shown: Shown) -> Result<(HeaderMap, String), Outcome> {
    let text = String::from_utf8_lossy(secret.expose());
    let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", &text)];
    Ok(match shown {
        Shown::Form => (typed(FORM), form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()),
        Shown::Json => (typed(JSON), Value::from_iter(fields).to_string()),
        Shown::Basic => {
            let login = STANDARD.encode([id.as_bytes(), b":", secret.expose()].concat());
            let mut headers = typed(JSON);
            headers.insert(AUTHORIZATION, authorization("Basic", login.as_bytes())?);
            (headers, Value::from_iter([fields[0]]).to_string())
        }
    })
}

/// The headers of every call of an account.
pub(crate) fn authorized(header: Option<&HeaderValue>) -> HeaderMap {
    header.map(|header| (AUTHORIZATION, header.clone())).into_iter().collect()
}
