//! One want: the adapter's calls, page by page, and what is written of their answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use afluente_gateways::{Absent, Call, Want};
use afluente_model::{AccountName, Answer, Asked, Timestamp, chain};
use afluente_store::{Class, Settled, Store, StoreError, TakenWant};
use afluente_worker::answer::{Answered, Calls, record};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::HeaderValue;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::access::{Access, Auth, LookupAccount};
use crate::client::{Client, Fetched};
use crate::gate::Gate;
use crate::measure;
use crate::outcome::Outcome;
use crate::signed::Check;
use crate::token::{Tokens, authorized};

/// Pages of one list at most: five thousand refunds of a payment.
const MOST_PAGES: usize = 50;

/// Everything one account is asked with. Replaced when the account's access changes.
pub(crate) struct Desk {
    pub(crate) name: AccountName,
    pub(crate) account: LookupAccount,
    pub(crate) gate: Arc<Gate>,
    tokens: Arc<Tokens>,
    client: Client,
    /// What its answers are checked with, where the gateway signs them.
    check: Option<Arc<Check>>,
    /// Calls under way, so that equal ones are made once.
    under_way: Mutex<HashMap<Key, Underway>>,
}

/// What makes two calls of one account equal.
type Key = (Option<Box<str>>, Box<str>);
type Underway = Shared<BoxFuture<'static, Result<Fetched, Outcome>>>;

/// What came of a want before it is written.
#[derive(Debug)]
struct Found {
    answers: Vec<Answered>,
    outcome: Outcome,
    /// Whether the question is answered.
    is_over: bool,
    retry_after: Option<Duration>,
    calls: u32,
}

impl Desk {
    pub(crate) fn new(name: AccountName, account: LookupAccount, client: &Client) -> Desk {
        let gate = Arc::new(Gate::new(account.access.budget));
        let client = account.access.tls.as_ref().map_or_else(|| client.clone(), |tls| client.with_tls(tls));
        let signed = account.keys.clone().zip(account.access.signed.as_ref());
        let check = signed.map(|(keys, signed)| Arc::new(Check::new(keys, signed.expected.clone())));
        Desk { name, account, gate, tokens: Arc::default(), client, check, under_way: Mutex::default() }
    }

    /// The same desk for an account that asks as before but reads otherwise.
    pub(crate) fn with(&self, account: LookupAccount) -> Desk {
        let (gate, tokens) = (Arc::clone(&self.gate), Arc::clone(&self.tokens));
        Desk {
            name: self.name.clone(),
            account,
            gate,
            tokens,
            client: self.client.clone(),
            check: self.check.clone(),
            under_way: Mutex::default(),
        }
    }

    /// Asks a want and writes what came of it. The want was taken for longer than this may take.
    pub(crate) async fn answer(self: Arc<Desk>, store: Store, want: TakenWant) {
        let began = afluente_worker::now();
        let found = self.ask(&want).await;
        let gateway = self.account.account.gateway;
        self.gate.ended(found.outcome, found.retry_after, Instant::now());
        measure::asked(gateway, found.outcome);
        debug!(
            gateway = gateway.slug(),
            account.id = %self.name,
            want.kind = want.kind.as_str(),
            outcome = found.outcome.as_str(),
            calls = found.calls,
            attempt = want.attempts,
            "Asked a gateway"
        );
        if let Err(error) = self.write(&store, &want, &found, began).await {
            measure::not_recorded(gateway);
            warn!(account.id = %self.name, error = %chain(&error), "Could not record an answer; it is asked for again");
            // The ledger that takes no answers mostly takes no settlement either; then the want comes back by its time.
            if error.class() != Class::Away {
                let nothing = Found { answers: Vec::new(), outcome: Outcome::NotRecorded, is_over: false, ..found };
                let _ = self.write(&store, &want, &nothing, began).await;
            }
        }
    }

    async fn write(&self, store: &Store, want: &TakenWant, found: &Found, began: Timestamp) -> Result<(), StoreError> {
        let now = afluente_worker::now();
        let rest = found.outcome.wait(want.attempts, want.absences).max(found.retry_after.unwrap_or_default());
        let settled = Settled {
            id: want.id,
            answers: found.is_over.then_some(want.raised),
            began,
            outcome: found.outcome.as_str(),
            held_until: now.shifted(i64::try_from(rest.as_micros()).unwrap_or(i64::MAX)),
        };
        let cost = Calls { month: &month(now), calls: found.calls };
        record(store, &self.name, &found.answers, &settled, &cost).await
    }

    /// Makes the calls of a want, one after the other; the first that is not answered ends it.
    async fn ask(self: &Arc<Desk>, want: &TakenWant) -> Found {
        let question = Want {
            kind: want.kind,
            id: want.reference.clone(),
            tenant: want.tenant.clone(),
            context: want.context.clone(),
            reason: want.reason,
        };
        let mut found =
            Found { answers: Vec::new(), outcome: Outcome::Answered, is_over: true, retry_after: None, calls: 0 };
        let Ok(calls) = self.account.account.adapter.lookup(&question, self.account.access.api) else {
            return Found { outcome: Outcome::Impossible, is_over: false, ..found };
        };
        for call in calls {
            if let Err(outcome) = self.pages(&call, &mut found).await {
                let is_over = outcome == Outcome::Absent && call.absent == Absent::Never;
                return Found { outcome, is_over, ..found };
            }
        }
        found
    }

    /// One call with the pages behind it.
    async fn pages(self: &Arc<Desk>, call: &Call, found: &mut Found) -> Result<(), Outcome> {
        let mut path = call.asked.path.clone();
        for _ in 0..MOST_PAGES {
            let asked = Asked { path, ..call.asked.clone() };
            found.calls += 1;
            let fetched = self.joined(&asked).await?;
            found.retry_after = fetched.retry_after;
            refused(fetched.status)?;
            let is_absent = fetched.status == 404;
            let answered = self.read(asked, fetched)?;
            let next = answered.next_page().map(Into::into);
            found.answers.push(answered);
            if is_absent {
                return Err(Outcome::Absent);
            }
            match next {
                Some(next) => path = next,
                None => return Ok(()),
            }
        }
        Err(Outcome::TooLarge)
    }

    fn read(&self, asked: Asked, fetched: Fetched) -> Result<Answered, Outcome> {
        let answer = Answer {
            gateway: self.account.account.gateway,
            account: self.name.clone(),
            asked,
            status: fetched.status,
            received_at: afluente_worker::now(),
            headers: fetched.headers,
            body: fetched.body,
        };
        Answered::read(answer, &self.account.account).map_err(|error| {
            debug!(account.id = %self.name, error = %chain(&error), "An answer cannot be used");
            Outcome::Unusable
        })
    }

    /// The answer to a call; where an equal one is under way, its answer.
    async fn joined(self: &Arc<Desk>, asked: &Asked) -> Result<Fetched, Outcome> {
        let key: Key = (asked.tenant.as_ref().map(|tenant| tenant.as_str().into()), asked.path.clone());
        let call = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::clone(self).fetched(asked.clone()).boxed().shared();
            under_way.entry(key.clone()).or_insert_with(new).clone()
        };
        let fetched = call.await;
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        fetched
    }

    /// Makes the call; once more with a new token if the one that was used is not taken any more.
    async fn fetched(self: Arc<Desk>, asked: Asked) -> Result<Fetched, Outcome> {
        let access = &self.account.access;
        let first = self.tokens.header(access, &self.client).await?;
        let fetched = self.once(&asked, first.as_ref()).await?;
        if fetched.status != 401 {
            return self.proved(fetched);
        }
        let Some(first) = first else { return Ok(fetched) };
        self.tokens.forget(&first);
        let second = self.tokens.header(access, &self.client).await?;
        if second.as_ref() == Some(&first) {
            return Ok(fetched);
        }
        self.once(&asked, second.as_ref()).await.and_then(|fetched| self.proved(fetched))
    }

    /// The answer, if it is signed as it has to be. One that is not is told to people: its gateway, or somebody in between, is at
    /// fault.
    fn proved(&self, fetched: Fetched) -> Result<Fetched, Outcome> {
        let Some(check) = &self.check else { return Ok(fetched) };
        match check.check(&fetched, afluente_worker::now()) {
            Ok(()) => Ok(fetched),
            Err(error) => {
                warn!(
                    gateway = self.account.account.gateway.slug(),
                    account.id = %self.name,
                    error = %chain(&error),
                    "An answer is not signed as it must be; it is not believed and asked for again"
                );
                Err(Outcome::Unproved)
            }
        }
    }

    async fn once(&self, asked: &Asked, token: Option<&HeaderValue>) -> Result<Fetched, Outcome> {
        let Access { api, base, auth, .. } = &self.account.access;
        let mut headers = authorized(token);
        for (name, value) in api.headers {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let context = api.context_header.zip(asked.context.as_ref());
        let named = context.or_else(|| api.tenant_header.zip(asked.tenant.as_ref()));
        if let Some((name, id)) = named {
            headers.insert(name, HeaderValue::from_str(id.as_str()).map_err(|_| Outcome::Impossible)?);
        }
        if let Some(name) = api.interaction_header {
            let id = HeaderValue::from_str(&Uuid::new_v4().to_string()).map_err(|_| Outcome::Impossible)?;
            headers.insert(name, id);
        }
        // A token in the query goes no further than this address, which is never shown.
        let uri = match auth {
            Auth::Query { name, token } => base.with_secret(&asked.path, name, token),
            Auth::Bearer(_) | Auth::Key(_) | Auth::Client { .. } | Auth::Assertion(_) => base.with(&asked.path),
        };
        let uri = uri.ok_or(Outcome::Impossible)?;
        self.gate.turn().await;
        let started = Instant::now();
        let fetched = self.client.get(uri, headers).await;
        measure::called(
            self.account.account.gateway,
            fetched.as_ref().ok().map(|fetched| fetched.status),
            started.elapsed(),
        );
        fetched
    }
}

/// What a status says, where it is no answer.
fn refused(status: u16) -> Result<(), Outcome> {
    match status {
        200 | 404 => Ok(()),
        401 => Err(Outcome::Unauthorized),
        403 => Err(Outcome::Forbidden),
        429 => Err(Outcome::Limited),
        300..400 => Err(Outcome::Redirected),
        400..500 => Err(Outcome::Refused),
        _ => Err(Outcome::Failed),
    }
}

/// The month of a moment in UTC, as `YYYY-MM`.
pub(crate) fn month(now: Timestamp) -> String {
    now.to_string().chars().take(7).collect()
}
