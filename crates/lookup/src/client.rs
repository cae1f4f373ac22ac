//! One HTTP call: bounded in time and size, no redirect followed, and nothing of it in an error but how it ended.

use std::time::Duration;

use afluente_model::Timestamp;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::builderstates::WantsSchemes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tracing::error;

use crate::outcome::Outcome;
use crate::tls::ClientTls;

/// The largest answer that is read, bytes: a hundred objects of a list.
const LIMIT_BYTES: usize = 4 << 20;
/// The longest wait an answer may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// Keeps connections to each host, and uses them again.
#[derive(Clone)]
pub(crate) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    /// Those that are kept, lower-case names.
    pub(crate) headers: Vec<(Box<str>, Box<str>)>,
    /// How long it asks to wait.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Client {
    /// A client each of whose calls may take this long, from connecting to the end of the body. Without any certificate
    /// authority on this machine only plain HTTP to it can be spoken.
    pub(crate) fn new(timeout: Duration) -> Client {
        let builder = HttpsConnectorBuilder::new().with_native_roots().unwrap_or_else(|error| {
            error!(error = %error, "No certificate authorities on this machine; no gateway can be asked over https");
            HttpsConnectorBuilder::new().with_tls_config(trusting_nobody())
        });
        Client::with(timeout, builder)
    }

    /// A client whose connections show and trust what an account says.
    pub(crate) fn with_tls(&self, tls: &ClientTls) -> Client {
        Client::with(self.timeout, HttpsConnectorBuilder::new().with_tls_config(tls.config()))
    }

    fn with(timeout: Duration, builder: HttpsConnectorBuilder<WantsSchemes>) -> Client {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(timeout / 2));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        // What may be asked without TLS is decided where addresses are parsed.
        let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(16)
            .build(connector);
        Client { http, timeout }
    }

    /// Reads an address.
    pub(crate) async fn get(&self, uri: Uri, headers: HeaderMap) -> Result<Fetched, Outcome> {
        self.call(Method::GET, uri, headers, Bytes::new()).await
    }

    /// Makes a call. A status that is no success is an answer here.
    pub(crate) async fn call(
        &self,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Fetched, Outcome> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(USER_AGENT, HeaderValue::from_static(concat!("afluente/", env!("CARGO_PKG_VERSION"))));
        let whole = async {
            let answer = self.http.request(request).await.map_err(|error| ended(&error))?;
            read(answer).await
        };
        timeout(self.timeout, whole).await.unwrap_or(Err(Outcome::TimedOut))
    }
}

fn trusting_nobody() -> ClientConfig {
    ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

/// Before the head of an answer was there.
fn ended(error: &legacy::Error) -> Outcome {
    if error.is_connect() { Outcome::Unreachable } else { Outcome::Cut }
}

async fn read(answer: Response<Incoming>) -> Result<Fetched, Outcome> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LIMIT_BYTES)
        .collect()
        .await
        .map_err(|error| if error.is::<LengthLimitError>() { Outcome::TooLarge } else { Outcome::Cut })?;
    let kept = [DATE, CONTENT_TYPE].into_iter().filter_map(|name| {
        let value = head.headers.get(&name)?.to_str().ok().filter(|value| value.len() <= 200)?;
        Some((name.as_str().into(), value.into()))
    });
    Ok(Fetched {
        status: head.status.as_u16(),
        headers: kept.collect(),
        retry_after: retry_after(&head.headers),
        body: body.to_bytes(),
    })
}

/// `Retry-After` as seconds or as a date, by the answer's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = Timestamp::parse_http_date(text).ok()?;
        let now = Timestamp::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
        Duration::from_micros(u64::try_from(until.micros_since(now)).unwrap_or(0))
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_never_longer_than_an_hour() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (text, expected) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("99999999", Some(3_600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static(date));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
