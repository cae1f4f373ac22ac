//! Who acts next is a number's choice. An actor runs until he waits for the queue, which moves only when it is told to; what he
//! asks of anybody else, the ledger, he waits for meanwhile, so that nothing depends on which thread is faster.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use afluente_queue::embedded::Steps;
use tokio::sync::Notify;

/// For whom an actor waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    ForTheQueue,
    /// For a thread that answers as soon as it can.
    ForTheLedger,
}

/// What happened, and a number made of it.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<Cell<u64>>);

impl Trace {
    pub(crate) fn note(&self, happened: impl Hash) {
        let mut hasher = DefaultHasher::new();
        (self.0.get(), happened).hash(&mut hasher);
        self.0.set(hasher.finish());
    }

    pub(crate) fn hash(&self) -> u64 {
        self.0.get()
    }
}

struct Bell {
    rung: AtomicBool,
    heard: Notify,
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.rung.store(true, Ordering::SeqCst);
        self.heard.notify_one();
    }
}

pub(crate) struct Actor {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waits: Rc<Cell<Waits>>,
    bell: Arc<Bell>,
    ended: bool,
}

impl Actor {
    pub(crate) fn new(waits: Rc<Cell<Waits>>, future: impl Future<Output = ()> + 'static) -> Actor {
        // What the runtime would cut short for the sake of others would be cut at another place each time.
        let future = Box::pin(tokio::task::unconstrained(future));
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), heard: Notify::new() });
        Actor { future, waits, bell, ended: false }
    }

    /// Whether what he waited for has come.
    pub(crate) fn can_act(&self) -> bool {
        !self.ended && self.bell.rung.load(Ordering::SeqCst)
    }

    /// Forgets that he was called. What a twin does.
    pub(crate) fn oversleep(&self) {
        self.bell.rung.store(false, Ordering::SeqCst);
    }

    /// Runs until he waits for the queue, or to his end.
    pub(crate) async fn act(&mut self, steps: &Steps) {
        let waker = Waker::from(Arc::clone(&self.bell));
        loop {
            self.bell.rung.store(false, Ordering::SeqCst);
            let before = steps.waiting();
            if let Poll::Ready(()) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.ended = true;
                return;
            }
            if self.waits.get() == Waits::ForTheQueue || steps.waiting() > before {
                return;
            }
            while !self.bell.rung.load(Ordering::SeqCst) {
                self.bell.heard.notified().await;
            }
        }
    }
}
