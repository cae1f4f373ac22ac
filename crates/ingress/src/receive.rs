//! One request, from its head to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_gateways::{
    Adapter, CredentialKind, Credentials, Rejection, Request as RawRequest, Secret, adapter, adapters,
};
use afluente_model::{Delivery, DeliveryId, Gateway, chain};
use afluente_queue::{PublishError, Queue, SealKeys};
use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::{Body, Incoming};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::account::{Account, Accounts};
use crate::body::{self, BodyLimits};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::connection::Pulse;
use crate::crowd::Crowd;
use crate::head;
use crate::limits::Limits;
use crate::meter::{Held, Meter, Outcome};
use crate::proxy::{Proxies, Seen};
use crate::quiet::Quiet;
use crate::rate::Rates;
use crate::reply::{self, Answer, Refusal};
use crate::route::Route;
use crate::travel::{echo, kept_headers, traceparent};

/// One line about refused requests, one about what is no request, and one about the queue, per this interval; the metrics
/// count them all.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Where a request goes. It sees the accounts of one moment.
struct Door<'a> {
    /// The account's; of a path that names none we have, the gateway's first.
    adapter: &'static dyn Adapter,
    /// None if the path names one we do not have.
    account: Option<Arc<Account>>,
    /// What stands behind it in the path.
    rest: Option<&'a str>,
}

/// Turns requests into sealed deliveries on the queue.
pub struct Receiver {
    accounts: watch::Receiver<Arc<Accounts>>,
    queue: Queue,
    keys: SealKeys,
    limits: Limits,
    clock: Clock,
    in_flight: Semaphore,
    body_bytes: Arc<Semaphore>,
    /// Who speaks for callers.
    proxies: Proxies,
    /// Who holds how many connections, of all listeners.
    crowd: Arc<Crowd>,
    /// How much is taken on of what proves nothing.
    rates: Rates,
    /// What requests for accounts we do not have are checked with.
    decoy: Credentials,
    meter: Meter,
    refused_log: Quiet,
    hello_log: Quiet,
    queue_log: Quiet,
}

impl Receiver {
    /// A receiver for the accounts of the moment, as the watch channel has them. Its metrics go to the recorder that is
    /// installed by now.
    #[must_use]
    pub fn new(
        accounts: watch::Receiver<Arc<Accounts>>,
        queue: Queue,
        keys: SealKeys,
        limits: Limits,
        clock: Clock,
    ) -> Receiver {
        let permits = |limit: usize| Semaphore::new(limit.min(Semaphore::MAX_PERMITS));
        Receiver {
            accounts,
            queue,
            keys,
            clock,
            in_flight: permits(limits.in_flight_requests),
            body_bytes: Arc::new(permits(limits.in_flight_body_bytes)),
            proxies: Proxies::default(),
            crowd: Arc::new(Crowd::new(limits.connections_by_address, Proxies::default())),
            rates: Rates::new(&limits),
            decoy: decoy(),
            limits,
            meter: Meter::new(),
            refused_log: Quiet::new(LOG_INTERVAL),
            hello_log: Quiet::new(LOG_INTERVAL),
            queue_log: Quiet::new(LOG_INTERVAL),
        }
    }

    /// The same, behind these proxies.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Receiver {
        let crowd = Arc::new(Crowd::new(self.limits.connections_by_address, proxies.clone()));
        Receiver { proxies, crowd, ..self }
    }

    pub(crate) fn crowd(&self) -> Arc<Crowd> {
        Arc::clone(&self.crowd)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Answers one request. Always answers: what went wrong is in the answer.
    ///
    /// Dropped half-way (the connection broke, or the drain ran out) it leaves nothing behind: before the publish nothing
    /// was handed over, and once the queue has the message it stores it whether or not anybody still waits. Then nobody
    /// was told so, the gateway sends it again, and the repetition is recognised by the worker.
    pub(crate) async fn receive(&self, request: Request<Incoming>, pulse: &Pulse) -> Answer {
        let started = Instant::now();
        let (head, mut body) = request.into_parts();
        let door = self.door(head.uri.path());
        let outcome = self.accept(door.as_ref(), &head, &mut body, pulse.caller(), started).await;
        let mut answer = match outcome {
            Ok(status) => reply::accepted(status),
            Err(refusal) => self.refuse(refusal, &head, &mut body, pulse).await,
        };
        if let Some(door) = &door {
            echo(&head.headers, door.adapter.profile(), &mut answer);
        }
        self.note(door.map(|door| door.adapter.profile().gateway), outcome, started.elapsed());
        answer
    }

    /// Where a path leads, by the accounts of this moment; `None` if nowhere.
    fn door<'a>(&self, path: &'a str) -> Option<Door<'a>> {
        let accounts = self.accounts.borrow();
        match Route::of(path) {
            Route::Webhook { gateway, account, rest } => {
                let account = accounts.find(gateway, account);
                let adapter = account.as_ref().map_or_else(|| adapter(gateway), |account| account.adapter());
                fits(gateway, rest).then_some(Door { adapter, account, rest })
            }
            Route::Unknown => {
                let (account, rest) = accounts.find_alias(path)?;
                Some(Door { adapter: account.adapter(), account: Some(account), rest })
            }
        }
    }

    /// The story of one webhook; `Ok` is the gateway's success code, and the delivery is durable.
    async fn accept(
        &self,
        door: Option<&Door<'_>>,
        head: &Parts,
        body: &mut Incoming,
        caller: &Caller,
        started: Instant,
    ) -> Result<StatusCode, Refusal> {
        let door = door.ok_or(Refusal::NotFound)?;
        let profile = door.adapter.profile();
        let seen = self.proxies.seen(caller, &head.headers).map_err(|why| Refusal::Forwarding { why })?;
        let limit_bytes = profile.body_limit_bytes.min(self.limits.body_bytes);
        head::check(head, profile)?;
        if body.size_hint().lower() > limit_bytes as u64 {
            return Err(Refusal::TooLarge { limit_bytes });
        }
        // Asked before the body is read as well, so that a listener that cannot keep up says so at once.
        if self.in_flight.available_permits() == 0 {
            return Err(Refusal::Busy);
        }
        let limits = BodyLimits { bytes: limit_bytes, whole: self.limits.body_read, idle: self.limits.body_idle };
        let bytes = body::read(body, limits, &self.body_bytes).await?;
        if bytes.is_empty() && !profile.takes_empty_bodies {
            return Err(Refusal::EmptyBody);
        }
        self.meter.body_bytes.increment(bytes.len() as u64);

        // Taken only now: callers that dawdle over a body hold their connection and the bytes they sent, not a place
        // among the requests that are ready to go.
        let _place = self.in_flight.try_acquire().map_err(|_| Refusal::Busy)?;
        let _gauge = Held::one(&self.meter.in_flight);
        let delivery = self.verify(door, head, &seen, bytes);
        self.within_rates(door, seen.address, delivery.as_ref().ok())?;
        let delivery = delivery?;
        let own = door.account.as_deref().and_then(Account::success);
        let accepted = own.unwrap_or_else(|| status(profile.answers.accepted, StatusCode::OK));
        self.publish(&delivery, limit_bytes).await?;
        debug!(
            gateway = delivery.gateway.slug(),
            account.id = %delivery.account,
            delivery.id = %delivery.id,
            body_bytes = delivery.body.len(),
            duration_ms = millis(started.elapsed()),
            "Accepted delivery {}", delivery.id
        );
        Ok(accepted)
    }

    /// Without an account the same checks are made with keys nobody has, and end the same: who asks cannot tell a name
    /// that is not configured from a signature that is not ours.
    fn verify(&self, door: &Door<'_>, head: &Parts, seen: &Seen<'_>, body: bytes::Bytes) -> Result<Delivery, Refusal> {
        let received_at = (self.clock)();
        let request = RawRequest {
            method: &head.method,
            path_token: door.rest,
            peer: seen.certificates.as_deref(),
            query: head.uri.query(),
            headers: &head.headers,
            body: &body,
        };
        let profile = door.adapter.profile();
        let rejected = status(profile.answers.rejected, StatusCode::BAD_REQUEST);
        // Where accounts of one gateway are spoken to in several ways, what is wrong would tell which, and so whether there is one.
        let is_told = adapters(profile.gateway).len() == 1;
        // For whoever posts from elsewhere there is no such account.
        let known = door.account.as_deref();
        let account = known.filter(|account| account.is_posted_from(seen.address));
        let credentials = account.map_or(&self.decoy, Account::credentials);
        let verified = door.adapter.verify(&request, credentials, received_at);
        if verified == Err(Rejection::Probe) {
            // Nothing was proved and nothing is kept: who asks is only told that his gateway would be heard here.
            return Err(Refusal::Probe { status: status(profile.answers.accepted, StatusCode::OK) });
        }
        let Some(account) = account else {
            let why = verified.err().unwrap_or(Rejection::WrongPathToken);
            let is_elsewhere = known.is_some();
            return Err(Refusal::UnknownAccount { status: rejected, why, is_told, is_elsewhere });
        };
        let proof = verified.map_err(|why| match why {
            // Only who proved himself hears of it.
            Rejection::UnknownPath => Refusal::Rejected { status: StatusCode::NOT_FOUND, why, is_told: true },
            _ => Refusal::Rejected { status: rejected, why, is_told },
        })?;
        Ok(Delivery {
            id: DeliveryId(Uuid::now_v7()),
            gateway: account.gateway(),
            account: account.name().clone(),
            received_at,
            proof,
            headers: kept_headers(&request, profile),
            query: head.uri.query().filter(|_| profile.keeps_query).map(Into::into),
            traceparent: traceparent(&head.headers),
            released_by: None,
            body,
        })
    }

    /// Whether there is room for one more request like this. One that is proved has room, unless its account says otherwise.
    fn within_rates(&self, door: &Door<'_>, address: IpAddr, delivery: Option<&Delivery>) -> Result<(), Refusal> {
        let account = door.account.as_deref();
        let has_room = match delivery {
            Some(delivery) if delivery.proof.is_of_the_gateway() => account.is_none_or(Account::has_room),
            Some(_) | None => self.rates.takes_on(account.map(Account::name), address),
        };
        if has_room { Ok(()) } else { Err(Refusal::TooMany) }
    }

    /// `Ok` once the delivery is durable. On a timeout it may be stored all the same; see [`Receiver::receive`].
    async fn publish(&self, delivery: &Delivery, limit_bytes: usize) -> Result<(), Refusal> {
        let sealed = self.keys.seal(delivery);
        match timeout(self.limits.publish, self.queue.publish(sealed)).await {
            Ok(Ok(())) => {
                self.meter.of(Some(delivery.gateway)).confirmed.increment(1);
                Ok(())
            }
            Ok(Err(error)) => {
                self.complain(delivery.gateway, &error);
                Err(match error {
                    PublishError::Full { .. } | PublishError::Nacked => Refusal::QueueFull,
                    PublishError::TooLarge { .. } => Refusal::TooLarge { limit_bytes },
                    PublishError::Storage(_) | PublishError::Returned | PublishError::Lost { .. } => {
                        Refusal::QueueFailed
                    }
                    PublishError::TimedOut { .. } => Refusal::QueueSlow,
                    PublishError::Away { .. } => Refusal::QueueAway,
                    PublishError::Closed => Refusal::QueueClosed,
                })
            }
            Err(elapsed) => {
                self.complain(delivery.gateway, &elapsed);
                Err(Refusal::QueueSlow)
            }
        }
    }

    /// The answer of a refusal, and what becomes of a body that was not read to its end: if it has not all arrived the
    /// connection cannot be used again. A caller that waits for `100 Continue` is not asked for a body nobody wants.
    async fn refuse(&self, refusal: Refusal, head: &Parts, body: &mut Incoming, pulse: &Pulse) -> Answer {
        let mut answer = refusal.answer(self.limits.retry_after_seconds);
        let whole = body.is_end_stream() || (!head.headers.contains_key(EXPECT) && body::discard_arrived(body).await);
        if !whole {
            pulse.leave_unread();
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    /// Counts the request. A flood of forgeries must not fill a disk: refusals are debug lines, and one info line per
    /// interval says that there are any.
    fn note(&self, gateway: Option<Gateway>, outcome: Result<StatusCode, Refusal>, took: Duration) {
        let meter = self.meter.of(gateway);
        let Err(refusal) = outcome else {
            return meter.ended(Outcome::Accepted, took);
        };
        let outcome = refusal.outcome();
        meter.ended(outcome, took);
        let slug = gateway.map_or("none", Gateway::slug);
        let status = refusal.status().as_u16();
        debug!(gateway = slug, outcome = outcome.as_str(), status, duration_ms = millis(took), "Refused a request");
        if let Some(held_back) = self.refused_log.speak() {
            info!(
                gateway = slug,
                outcome = outcome.as_str(),
                status,
                held_back,
                "Refused a request, and {held_back} more since the last line like this"
            );
        }
    }

    /// Counts what never became a request, and says so now and then: mostly somebody in front of us is set up wrongly.
    pub(crate) fn no_request(&self, outcome: Outcome, what: &'static str) {
        self.meter.of(None).count(outcome);
        if let Some(held_back) = self.hello_log.speak() {
            info!(
                outcome = outcome.as_str(),
                held_back,
                "A connection brought no request, and {held_back} more since the last line like this: {what}"
            );
        }
    }

    fn complain(&self, gateway: Gateway, error: &dyn std::error::Error) {
        if let Some(held_back) = self.queue_log.speak() {
            warn!(
                gateway = gateway.slug(),
                error = %chain(error),
                held_back,
                "Could not queue a delivery, and {held_back} more since the last line like this; the gateway will send it again"
            );
        }
    }
}

/// Whether anything may stand behind an account of this gateway: the same for all of them, so that nobody can tell one from none.
fn fits(gateway: Gateway, rest: Option<&str>) -> bool {
    let Some(rest) = rest else { return true };
    let mut profiles = adapters(gateway).iter().map(|adapter| adapter.profile());
    profiles.any(|profile| profile.takes_paths || (profile.takes(CredentialKind::PathToken) && !rest.contains('/')))
}

/// Credentials of no account, one of each kind. What they verify is refused all the same.
fn decoy() -> Credentials {
    let secrets = Secret::new("a-secret-of-no-account").into_iter();
    let all = secrets.flat_map(|secret| CredentialKind::ALL.iter().filter_map(move |kind| kind.of(secret.clone())));
    Credentials::new(all.collect(), 300)
}

/// A status code of a profile. A number that is none would be a slip in a constant; it falls back to what every gateway
/// understands rather than lose what is already durable.
fn status(code: u16, otherwise: StatusCode) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(otherwise)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
