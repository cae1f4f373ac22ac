//! The pages for those who run this: alive, ready, metrics. On a listener of its own, never reachable from where webhooks
//! come from.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use metrics::Gauge;
use tokio::net::TcpListener;

use crate::crowd::Crowd;
use crate::limits::Limits;
use crate::proxy::Proxies;
use crate::reply::Answer;
use crate::server::{Drained, Listener, Plan, serve};

/// Whether this process can do its work, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Every part, in the order to show. The process is ready when all of them are.
    pub checks: Vec<Check>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, e.g. `queue`.
    pub name: &'static str,
    /// What is wrong with it, as an operator would say it; never a secret or an address with credentials. One that works may
    /// have something to say as well.
    pub state: Result<Option<String>, String>,
}

impl Readiness {
    /// Whether every part is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.state.is_ok())
    }

    fn to_json(&self) -> String {
        let checks = self.checks.iter().map(|check| {
            let state = match &check.state {
                Ok(None) => "ok",
                Ok(Some(said)) | Err(said) => said,
            };
            (check.name.to_owned(), serde_json::Value::from(state))
        });
        serde_json::json!({ "ready": self.is_ready(), "checks": checks.collect::<serde_json::Map<_, _>>() }).to_string()
    }
}

/// What the pages show. Both are called for each request on the runtime's threads and must answer from memory, without
/// waiting for a disk or a network.
#[derive(Clone)]
pub struct AdminPages {
    /// For `/readyz`.
    pub readiness: Arc<dyn Fn() -> Readiness + Send + Sync>,
    /// For `/metrics`: the Prometheus text.
    pub render: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Serves `GET /healthz`, `/readyz` and `/metrics` until `shutdown` completes. Small limits of its own, so that a busy
/// webhook listener never keeps an operator out.
pub async fn run_admin(listener: TcpListener, pages: AdminPages, shutdown: impl Future<Output = ()>) -> Drained {
    let limits = Limits {
        connections: 64,
        header_read: Duration::from_secs(5),
        drain: Duration::from_secs(2),
        ..Limits::default()
    };
    let crowd = Crowd::new(limits.connections, Proxies::default());
    let answer = move |request: Request<Incoming>, _| {
        let answer = pages.answer(request.method(), request.uri().path());
        std::future::ready(answer)
    };
    serve(Listener::plain(listener), Plan::of(&limits, Gauge::noop(), Arc::new(crowd)), answer, |_| {}, shutdown).await
}

impl AdminPages {
    fn answer(&self, method: &Method, path: &str) -> Answer {
        let page: fn(&AdminPages) -> Answer = match path {
            "/healthz" => |_| page(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
            "/readyz" => AdminPages::readyz,
            "/metrics" => |pages| page(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", (pages.render)()),
            _ => |_| refused(StatusCode::NOT_FOUND, "not_found", "expected /healthz, /readyz or /metrics"),
        };
        if method == Method::GET || method == Method::HEAD {
            return page(self);
        }
        let mut answer = refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "expected GET or HEAD");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        answer
    }

    fn readyz(&self) -> Answer {
        let readiness = (self.readiness)();
        let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        page(status, "application/json", readiness.to_json())
    }
}

fn refused(status: StatusCode, error: &str, message: &str) -> Answer {
    page(status, "application/json", serde_json::json!({ "error": error, "message": message }).to_string())
}

fn page(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
