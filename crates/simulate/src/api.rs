//! A gateway's API: a small HTTP server that shows objects as far as they have come, and not always well.

mod answer;
mod conditions;
mod tally;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use afluente_gateways::Secret;
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use conditions::Weather;
pub use conditions::{Conditions, Phase};
pub use tally::Tally;

use crate::openfinance;
use crate::plan::{Told, chance};

/// What the API shows: for each path the states its object goes through.
pub type Objects = HashMap<Arc<str>, Vec<Bytes>>;

/// Whether everybody may ask for it: public keys.
pub(crate) fn is_open(path: &str) -> bool {
    path.starts_with("/.well-known/") || path == openfinance::KEYS_PATH
}

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Key {
    /// Whoever has this token.
    Token(Secret),
    /// Whoever has this key as the user of HTTP Basic.
    Basic(Secret),
    /// Whoever has this token in the query.
    Query {
        /// The name of the parameter.
        name: &'static str,
        /// The token.
        token: Secret,
    },
    /// Whoever has the token that is given out at `path` for these.
    Client {
        /// Its id.
        id: Box<str>,
        /// Its secret.
        secret: Secret,
        /// Where tokens are given out.
        path: &'static str,
        /// Whether they come as a form, and not as JSON.
        is_form: bool,
    },
    /// Whoever signs for a token, at a bank that signs what it answers.
    Signer {
        /// The client's id.
        client_id: Box<str>,
        /// The address of the tokens, which the client's text is for.
        endpoint: Box<str>,
        /// Who answers.
        issuer: Box<str>,
        /// Whom.
        audience: Box<str>,
    },
}

/// The running server. Dropped, it is gone.
pub struct Api {
    state: Arc<State>,
    over: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// For each path: from when on which state is shown.
type Shown = HashMap<Arc<str>, Vec<(Instant, usize)>>;

struct State {
    objects: Objects,
    key: Key,
    lag: Duration,
    began: Instant,
    keys_away: Duration,
    weather: Mutex<Weather>,
    shown: Mutex<Shown>,
    tally: Mutex<Tally>,
    asked_at: Mutex<Instant>,
}

impl Api {
    /// Listens at this address. What is asked there is nobody's before something tells of it.
    pub async fn serve(address: SocketAddr, objects: Objects, key: Key, conditions: Conditions) -> io::Result<Api> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            objects,
            key,
            lag: conditions.lag,
            began: Instant::now(),
            keys_away: conditions.keys_away,
            weather: Mutex::new(Weather::new(conditions)),
            shown: Mutex::default(),
            tally: Mutex::default(),
            asked_at: Mutex::new(Instant::now()),
        });
        let (over, ended) = watch::channel(false);
        let server = tokio::spawn(run(Arc::clone(&state), address, listener, ended));
        Ok(Api { state, over, server })
    }

    /// The objects have come this far: shown a moment later, since an API lags behind its own notices.
    pub(crate) fn tell(&self, told: &[Told]) {
        let mut shown = locked(&self.state.shown);
        for told in told {
            let lag = self.state.lag * u32::try_from(chance(&told.path) % 1_000).unwrap_or(0) / 1_000;
            shown.entry(Arc::clone(&told.path)).or_default().push((Instant::now() + lag, told.state));
        }
    }

    /// Shows the first public keys, and waits until they were asked for, no longer than this.
    pub async fn shows_keys(&self, patience: Duration) {
        let paths = self.state.objects.keys().filter(|path| is_open(path));
        let told: Vec<Told> = paths.map(|path| Told { path: Arc::clone(path), state: 0 }).collect();
        for told in &told {
            locked(&self.state.shown).entry(Arc::clone(&told.path)).or_default().push((Instant::now(), told.state));
        }
        let began = Instant::now();
        let is_asked = || told.iter().all(|told| locked(&self.state.tally).was_shown(&told.path));
        while !is_asked() && began.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What was asked so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        locked(&self.state.tally).clone()
    }

    /// Waits until nobody has asked for this long.
    pub async fn quiet(&self, length: Duration) {
        loop {
            let since = locked(&self.state.asked_at).elapsed();
            match length.checked_sub(since) {
                Some(rest) if !rest.is_zero() => tokio::time::sleep(rest).await,
                Some(_) | None => return,
            }
        }
    }

    /// Stops; the address is free afterwards.
    pub async fn stop(self) -> Tally {
        let _ = self.over.send(true);
        let _ = self.server.await;
        locked(&self.state.tally).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens, except while the API is down: then nobody is there at all.
async fn run(state: Arc<State>, address: SocketAddr, listener: TcpListener, mut ended: watch::Receiver<bool>) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    let over = async move {
        let _ = ended.wait_for(|ended| *ended).await;
    };
    tokio::pin!(over);
    loop {
        let down = locked(&state.weather).down();
        if let Some(down) = down {
            listener = None;
            connections.abort_all();
            tokio::select! {
                () = &mut over => return,
                () = tokio::time::sleep(down) => locked(&state.weather).up(),
            }
        }
        if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let Some(here) = &listener else {
            // Somebody else took the address meanwhile; it is tried again.
            tokio::select! {
                () = &mut over => return,
                () = tokio::time::sleep(Duration::from_millis(100)) => continue,
            }
        };
        tokio::select! {
            () = &mut over => return,
            Some(_) = connections.join_next() => {}
            accepted = here.accept() => if let Ok((stream, _)) = accepted {
                let state = Arc::clone(&state);
                let answer = service_fn(move |request| answer::to(Arc::clone(&state), request));
                let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
                connections.spawn(async move {
                    let _ = connection.await;
                });
            },
        }
    }
}

impl State {
    /// The object of a path as far as it has come; none if there is no such thing yet.
    fn object(&self, path: &str) -> Option<Bytes> {
        let is_away = is_open(path) && self.began.elapsed() < self.keys_away;
        if is_away {
            return None;
        }
        let (now, shown) = (Instant::now(), locked(&self.shown));
        let come = shown.get(path)?.iter().filter(|(from, _)| *from <= now).map(|(_, state)| *state).max()?;
        self.objects.get(path)?.get(come).cloned()
    }

    /// Counts an answer; what the caller does with it is another matter.
    fn count(&self, path: &str, what: &'static str) {
        *locked(&self.asked_at) = Instant::now();
        locked(&self.tally).count(path, what);
    }
}
