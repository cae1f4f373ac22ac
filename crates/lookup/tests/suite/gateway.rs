//! A gateway's API on a free port: what it answers is written down request by request.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// One answer.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// A status with headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// This, after so long.
    Late(Duration, Box<Say>),
    /// Nothing: the connection ends.
    HangUp,
}

impl Say {
    pub(crate) fn json(status: u16, body: &str) -> Say {
        Say::Status(status, vec![("content-type", "application/json".to_owned())], body.to_owned())
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

/// A server that gives the answers it was told to, one a request, and the last one for ever.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<VecDeque<Say>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Gateway {
    pub(crate) async fn that_says(script: Vec<Say>) -> Gateway {
        Gateway::behind(None, script).await
    }

    /// One that speaks TLS, where it is told how.
    pub(crate) async fn behind(tls: Option<Arc<ServerConfig>>, script: Vec<Say>) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (script, asked) = (Arc::new(Mutex::new(VecDeque::from(script))), Arc::new(Mutex::new(Vec::new())));
        let (said, heard) = (Arc::clone(&script), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (said, heard) = (Arc::clone(&said), Arc::clone(&heard));
                let acceptor = tls.clone().map(TlsAcceptor::from);
                tokio::spawn(async move {
                    let serve = service_fn(move |request| answer(request, Arc::clone(&said), Arc::clone(&heard)));
                    let http = http1::Builder::new();
                    match acceptor {
                        None => drop(http.serve_connection(TokioIo::new(stream), serve).await),
                        Some(acceptor) => {
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            drop(http.serve_connection(TokioIo::new(stream), serve).await);
                        }
                    }
                });
            }
        });
        Gateway { address, script, asked, task }
    }

    /// What it says from now on.
    pub(crate) fn says(&self, script: Vec<Say>) {
        *self.script.lock().unwrap() = script.into();
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked_times(&self, times: usize) {
        let asked = async {
            while self.asked().len() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), asked).await.expect("it is asked in time");
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A body of which only the first bytes come before the connection breaks.
async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<VecDeque<Say>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let headers = request.headers().clone();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    asked.lock().unwrap().push(Asked { path, headers, body: String::from_utf8_lossy(&body).into() });
    let mut say = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
    };
    while let Say::Late(wait, then) = say {
        tokio::time::sleep(wait).await;
        say = *then;
    }
    match say {
        Say::Status(status, headers, body) => {
            let mut answer = Response::new(Full::new(Bytes::from(body)));
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
            Ok(answer)
        }
        Say::HangUp | Say::Late(..) => Err(std::io::Error::other("planted")),
    }
}

/// A server below HTTP, for what a library would never send.
pub(crate) async fn raw(bytes: &'static [u8]) -> (SocketAddr, JoinHandle<Infallible>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                // The head of a small request comes in one piece.
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (address, task)
}
