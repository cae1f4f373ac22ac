//! The pages for operators.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use afluente_ingress::{AdminPages, Check, Readiness, run_admin};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client::{Answer, Client, request};

struct Admin {
    address: SocketAddr,
    queue_ready: Arc<AtomicBool>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Admin {
    async fn open() -> Admin {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let queue_ready = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&queue_ready);
        let readiness = move || {
            let queue = if seen.load(Ordering::Relaxed) { Ok(None) } else { Err("the queue is full".to_owned()) };
            let worker = Ok(Some("behind by a minute".to_owned()));
            Readiness { checks: vec![Check { name: "queue", state: queue }, Check { name: "worker", state: worker }] }
        };
        let pages = AdminPages { readiness: Arc::new(readiness), render: Arc::new(|| "afluente_up 1\n".to_owned()) };
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            run_admin(listener, pages, async { drop(stopped.await) }).await;
        });
        Admin { address, queue_ready, stop, task }
    }

    async fn get(&self, path: &str) -> Answer {
        Client::connect(self.address).await.call(request("GET", path, &[], b"")).await
    }

    async fn close(self) {
        drop(self.stop);
        self.task.await.expect("no panic");
    }
}

#[tokio::test]
async fn a_living_process_says_so() {
    let admin = Admin::open().await;
    let answer = admin.get("/healthz").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    admin.close().await;
}

#[tokio::test]
async fn readiness_names_every_check_and_turns_with_one_of_them() {
    let admin = Admin::open().await;
    let ready = admin.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (200, r#"{"checks":{"queue":"ok","worker":"behind by a minute"},"ready":true}"#)
    );
    admin.queue_ready.store(false, Ordering::Relaxed);
    let unready = admin.get("/readyz").await;
    let expected = r#"{"checks":{"queue":"the queue is full","worker":"behind by a minute"},"ready":false}"#;
    assert_eq!((unready.status, unready.body.as_str()), (503, expected));
    admin.close().await;
}

#[tokio::test]
async fn metrics_are_the_text_that_was_rendered() {
    let admin = Admin::open().await;
    let answer = admin.get("/metrics").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "afluente_up 1\n"));
    assert!(answer.has("content-type: text/plain; version=0.0.4; charset=utf-8"), "{answer:?}");
    admin.close().await;
}

#[tokio::test]
async fn nothing_but_reading_is_allowed() {
    let admin = Admin::open().await;
    let posted = Client::connect(admin.address).await.call(request("POST", "/metrics", &[], b"")).await;
    assert_eq!((posted.status, posted.error().as_str()), (405, "method_not_allowed"));
    assert!(posted.has("allow: GET, HEAD"), "{posted:?}");
    assert_eq!(admin.get("/webhooks/stripe/main").await.status, 404);
    let mut client = Client::connect(admin.address).await;
    client.send(request("HEAD", "/healthz", &[("Connection", "close")], b"")).await;
    assert!(client.head_alone().await.starts_with("HTTP/1.1 200"));
    admin.close().await;
}
