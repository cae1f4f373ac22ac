//! The roles of a process: each a task that lives until it is told to stop. One that ends before that ends the process.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use metrics::{describe_gauge, gauge};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::error;

/// The roles of this process.
pub(crate) struct Roles {
    ended: mpsc::UnboundedSender<Ended>,
    endings: mpsc::UnboundedReceiver<Ended>,
    signs: Vec<Sign>,
}

/// A role that ended though nobody told it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Which.
    pub(crate) role: &'static str,
    /// What it said, or that it panicked.
    pub(crate) why: String,
}

/// Whether a role runs, for readiness.
#[derive(Clone)]
pub(crate) struct Sign {
    role: &'static str,
    running: Arc<AtomicBool>,
}

impl Sign {
    /// Its name.
    pub(crate) fn role(&self) -> &'static str {
        self.role
    }

    /// Whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    fn set(&self, running: bool) {
        self.running.store(running, Ordering::Relaxed);
        gauge!("afluente_role_running", "role" => self.role).set(f64::from(u8::from(running)));
    }
}

/// Taken down with the role, however it ends.
struct Alive(Sign);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Roles {
    pub(crate) fn new() -> Roles {
        describe_gauge!("afluente_role_running", "1 while a role runs");
        let (ended, endings) = mpsc::unbounded_channel();
        Roles { ended, endings, signs: Vec::new() }
    }

    /// Starts a role that ends when `stop` says so.
    pub(crate) fn start<F>(
        &mut self,
        name: &'static str,
        stop: &watch::Sender<bool>,
        role: impl FnOnce(Stop) -> F,
    ) -> JoinHandle<()>
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let sign = Sign { role: name, running: Arc::default() };
        sign.set(true);
        self.signs.push(sign.clone());
        let (told, ended) = (stop.subscribe(), self.ended.clone());
        let running = role(Stop(stop.subscribe()));
        tokio::spawn(async move {
            let alive = Alive(sign);
            let result = AssertUnwindSafe(running).catch_unwind().await;
            drop(alive);
            let why = match result {
                Ok(Ok(())) if *told.borrow() => return,
                Ok(Ok(())) => "it ended by itself".to_owned(),
                Ok(Err(error)) => error,
                Err(panic) => format!("it panicked: {}", said(&*panic)),
            };
            error!(role = name, error = %why, "A role ended");
            // Nobody listens any more while the process stops, and then nobody has to.
            let _ = ended.send(Ended { role: name, why });
        })
    }

    /// Which roles there are.
    pub(crate) fn signs(&self) -> Vec<Sign> {
        self.signs.clone()
    }

    /// Waits for a role that ends though nobody told it to.
    pub(crate) async fn ended(&mut self) -> Ended {
        match self.endings.recv().await {
            Some(ended) => ended,
            // Impossible while `self.ended` lives, which is as long as this.
            None => std::future::pending().await,
        }
    }
}

/// What a panic said, if it said a text.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

/// A role's order to stop. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Ends when the role is told to stop, or nobody is left who could tell it.
    pub(crate) fn told(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.0.clone();
        async move {
            // An error means that the sender is gone, which is a stop as well.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// One that nobody tells, and the end that keeps it so.
    pub(crate) fn never() -> (watch::Sender<bool>, Stop) {
        let (sender, receiver) = watch::channel(false);
        (sender, Stop(receiver))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn role_that(ends: impl Future<Output = Result<(), String>> + Send + 'static) -> (Ended, Sign) {
        let mut roles = Roles::new();
        let (stop, _) = watch::channel(false);
        let task = roles.start("worker", &stop, |_| ends);
        let ended = roles.ended().await;
        task.await.unwrap();
        (ended, roles.signs().remove(0))
    }

    #[tokio::test]
    async fn a_role_that_panics_fails_or_just_ends_is_told_of_and_shown_as_missing() {
        let (ended, sign) = role_that(async { panic!("planted") }).await;
        assert_eq!(ended, Ended { role: "worker", why: "it panicked: planted".to_owned() });
        assert!(!sign.is_running());
        let (ended, sign) = role_that(async { Err("no socket".to_owned()) }).await;
        assert_eq!((ended.why.as_str(), sign.is_running()), ("no socket", false));
        let (ended, sign) = role_that(async { Ok(()) }).await;
        assert_eq!((ended.why.as_str(), sign.is_running()), ("it ended by itself", false));
    }

    #[tokio::test]
    async fn a_role_that_was_told_to_stop_and_does_is_not_a_failure() {
        let mut roles = Roles::new();
        let (stop, _) = watch::channel(false);
        let task = roles.start("worker", &stop, |stop| async move {
            stop.told().await;
            Ok(())
        });
        assert!(roles.signs()[0].is_running());
        stop.send_replace(true);
        task.await.unwrap();
        assert!(!roles.signs()[0].is_running());
        assert!(roles.ended().now_or_never().is_none());
    }
}
