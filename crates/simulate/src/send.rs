//! Sending: proved, concurrent, patient. What is not acknowledged is sent again with a new signature.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use afluente_gateways::Secret;
use afluente_model::{Gateway, Timestamp};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::plan::Post;
use crate::player::{self, Dressed, Keys, NotPlayed, Player};
use crate::sent::{Ended, Sent, content};

/// Where to send and how.
pub struct Target {
    /// Whose webhooks.
    pub gateway: Gateway,
    /// Who speaks, at a gateway that is spoken to in several ways.
    pub profile: &'static str,
    /// The webhook path of the account.
    pub url: Uri,
    /// What deliveries are signed with, where they are.
    pub secret: Option<Secret>,
    /// What ends the path of deliveries that nothing else proves.
    pub token: Option<Secret>,
    /// User and password of deliveries that are proved by such.
    pub login: Option<Secret>,
    /// Where the gateway is asked, if it is: it shows what is told of from the first time on.
    pub api: Option<Arc<Api>>,
    /// Connections used at once.
    pub connections: usize,
    /// Deliveries a second; 0 for as fast as possible.
    pub rate: u32,
    /// How long to go on with what is not acknowledged.
    pub patience: Duration,
    /// How old a signature may be before it is refused.
    pub tolerance_seconds: i64,
    /// Stamps what is signed.
    pub clock: fn() -> Timestamp,
}

/// Why a run could not be sent. What a server answers is no error; see [`Sent`].
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody knows what its requests look like.
    #[error(transparent)]
    NotPlayed(#[from] NotPlayed),
    /// A sending task panicked.
    #[error("a request could not be sent")]
    Task(#[from] tokio::task::JoinError),
    /// The key for forgeries is none.
    #[error("forgeries cannot be signed")]
    Secret(#[from] afluente_gateways::BadSecret),
}

/// The longest wait between two tries of one delivery.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends everything; a forgery once, a delivery until it is acknowledged or patience is over.
/// `ended` is called after each.
pub async fn deliver(target: &Target, posts: Vec<Post>, ended: impl Fn()) -> Result<Sent, SendError> {
    let sender = Arc::new(Sender {
        player: player::of(target.gateway, target.profile)?,
        client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(target.connections).build_http(),
        url: target.url.clone(),
        keys: Keys {
            secret: target.secret.clone(),
            token: target.token.clone(),
            login: target.login.clone(),
            stranger: Secret::new("whsec_somebody_elses_secret")?,
            stale_seconds: target.tolerance_seconds + 100,
        },
        api: target.api.clone(),
        patience: Patience { length: target.patience, failing_since: Mutex::new(None) },
        clock: target.clock,
    });
    let places = Arc::new(Semaphore::new(target.connections));
    let started = Instant::now();
    let (mut running, mut sent) = (JoinSet::new(), Sent::default());
    for (number, post) in posts.into_iter().enumerate() {
        pace(started, number, target.rate).await;
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let sender = Arc::clone(&sender);
        running.spawn(async move {
            let ended = sender.send(post).await;
            drop(place);
            ended
        });
        while let Some(one) = running.try_join_next() {
            sent.count(one?);
            ended();
        }
    }
    while let Some(one) = running.join_next().await {
        sent.count(one?);
        ended();
    }
    sent.took = started.elapsed();
    sent.latencies.sort_unstable();
    Ok(sent)
}

async fn pace(started: Instant, number: usize, rate: u32) {
    if rate > 0 {
        let due = Duration::from_secs_f64(f64::from(u32::try_from(number).unwrap_or(u32::MAX)) / f64::from(rate));
        tokio::time::sleep_until((started + due).into()).await;
    }
}

/// How long to go on. One delivery may fail for this long; and once every delivery has failed for this long, nobody is
/// there, and the rest is tried once each instead of for this long each.
struct Patience {
    length: Duration,
    failing_since: Mutex<Option<Instant>>,
}

impl Patience {
    fn acknowledged(&self) {
        *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether a delivery first tried at `first` has failed for the last time, at this moment.
    fn is_over(&self, first: Instant, now: Instant) -> bool {
        let mut failing_since = self.failing_since.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = now.saturating_duration_since(*failing_since.get_or_insert(now));
        now.saturating_duration_since(first) > self.length || failing > self.length
    }
}

struct Sender {
    player: &'static dyn Player,
    client: Client<HttpConnector, Full<Bytes>>,
    url: Uri,
    keys: Keys,
    api: Option<Arc<Api>>,
    patience: Patience,
    clock: fn() -> Timestamp,
}

impl Sender {
    async fn send(&self, post: Post) -> Ended {
        let (mut tries, mut wait) = (0, Duration::from_millis(20));
        let first = Instant::now();
        if let Some(api) = &self.api {
            api.tell(&post.tells);
        }
        loop {
            tries += 1;
            let sent = Instant::now();
            let status = self.request(&post).await;
            let latency = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            let acknowledged = status.is_some_and(|status| status.is_success());
            if acknowledged && post.forgery.is_none() {
                self.patience.acknowledged();
            }
            // A forgery that met a dead process was not refused yet.
            let answered =
                acknowledged || (post.forgery.is_some() && status.is_some_and(|status| status.is_client_error()));
            if answered || self.patience.is_over(first, Instant::now()) {
                return Ended {
                    content: content(&post),
                    event: post.event,
                    forgery: post.forgery,
                    status,
                    tries,
                    latency,
                };
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// The status; none if there was no answer.
    async fn request(&self, post: &Post) -> Option<StatusCode> {
        let dressed = self.player.dressed(post, &self.keys, (self.clock)().as_seconds());
        let mut request = Request::post(self.uri(&dressed)?);
        for (name, value) in &dressed.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(dressed.body.into_owned()))).ok()?;
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, self.client.request(request)).await.ok()?.ok()?;
        let status = answer.status();
        // Read to the end, so that the connection can be used again.
        let _ = answer.into_body().collect().await;
        Some(status)
    }

    /// The account's path with what a request has behind it.
    fn uri(&self, dressed: &Dressed<'_>) -> Option<Uri> {
        let mut text = self.url.to_string();
        if let Some(token) = dressed.token {
            text.push('/');
            text.push_str(std::str::from_utf8(token.expose()).ok()?);
        }
        if let Some(path) = dressed.path {
            text.push('/');
            text.push_str(path);
        }
        if let Some(query) = &dressed.query {
            text.push('?');
            text.push_str(query);
        }
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forgery::Forgery;
    use crate::plan::Proof;

    fn target(url: &str, patience: Duration) -> Target {
        Target {
            gateway: Gateway::Stripe,
            profile: "",
            url: url.parse().unwrap(),
            secret: Some(Secret::new("whsec_number_one").unwrap()),
            token: None,
            login: None,
            api: None,
            connections: 4,
            rate: 0,
            patience,
            tolerance_seconds: 300,
            clock: || Timestamp::EPOCH,
        }
    }

    fn posts(forgery: Option<Forgery>) -> Vec<Post> {
        let post = |number| Post {
            event: format!("evt_{number}"),
            proof: Proof::Body,
            query: None,
            body: b"{}".to_vec(),
            forgery,
            tells: Vec::new(),
        };
        (0..200).map(post).collect()
    }

    /// A port nobody listens on: it was free a moment ago.
    fn nobody() -> String {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        format!("http://127.0.0.1:{port}/webhooks/stripe/shop")
    }

    #[tokio::test]
    async fn patience_with_an_absent_process_is_spent_once_not_once_a_delivery() {
        let patience = Duration::from_millis(200);
        let target = target(&nobody(), patience);
        let sent = tokio::time::timeout(Duration::from_secs(8), deliver(&target, posts(None), || {})).await;
        let sent = sent.unwrap().unwrap();
        assert_eq!((sent.deliveries, sent.accepted, sent.given_up, sent.last_status), (200, 0, 200, None));
    }

    #[tokio::test]
    async fn a_forgery_nobody_answered_is_not_called_refused() {
        let forged = posts(Some(Forgery::NoHeader));
        let sent = deliver(&target(&nobody(), Duration::from_millis(50)), forged, || {}).await.unwrap();
        assert_eq!((sent.forgeries(), sent.refused(), sent.believed(), sent.unanswered()), (200, 0, 0, 200));
    }

    #[test]
    fn one_acknowledged_delivery_renews_the_patience_for_the_others_but_not_for_one_that_fails_alone() {
        let patience = Patience { length: Duration::from_secs(60), failing_since: Mutex::new(None) };
        let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(61));
        *patience.failing_since.lock().unwrap() = Some(now);
        assert!(patience.is_over(later, later));
        patience.acknowledged();
        assert!(!patience.is_over(later, later));
        assert!(patience.is_over(now, later));
    }
}
