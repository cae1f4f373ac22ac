//! Payments posted for as long as something happens, and which of them were acknowledged.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::{Shop, Up};

/// Posts new payments from several connections until told to stop; the names of those that were acknowledged.
pub struct Load<'a> {
    shop: &'a Shop,
    addresses: Mutex<Vec<SocketAddr>>,
    stop: AtomicBool,
    next: AtomicUsize,
    acknowledged: Mutex<BTreeSet<String>>,
}

/// Stops the senders however the test goes on: otherwise one that fails would never end.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a> Load<'a> {
    /// A load for the process that listens there.
    #[must_use]
    pub fn new(shop: &'a Shop, up: &Up) -> Load<'a> {
        Load {
            shop,
            addresses: Mutex::new(vec![up.ingress]),
            stop: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            acknowledged: Mutex::new(BTreeSet::new()),
        }
    }

    /// From now on it goes there.
    pub fn go_to(&self, address: SocketAddr) {
        self.spread_over(&[address]);
    }

    /// From now on it goes to all of these in turn.
    pub fn spread_over(&self, addresses: &[SocketAddr]) {
        *self.addresses.lock().unwrap() = addresses.to_vec();
    }

    /// One sender: a payment that is not acknowledged is simply not counted, as a gateway would send it again later.
    fn send(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let name = format!("load{number}");
            let address = {
                let addresses = self.addresses.lock().unwrap();
                addresses[number % addresses.len()]
            };
            // A shop's pace and not all there is: what waits during a long outage has to be worked off afterwards.
            std::thread::park_timeout(Duration::from_millis(60));
            if self.shop.deliver(address, &Shop::paid(&name, 1_000)).is_acknowledged() {
                self.acknowledged.lock().unwrap().insert(name);
            }
        }
    }

    /// How many were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Runs senders while `during` does something to the process.
    pub fn run(&self, during: impl FnOnce()) {
        std::thread::scope(|scope| {
            let _stopped = Stopped(&self.stop);
            for _ in 0..8 {
                scope.spawn(|| self.send());
            }
            during();
        });
    }

    /// The names of those that were acknowledged.
    pub fn names(&self) -> BTreeSet<String> {
        self.acknowledged.lock().unwrap().clone()
    }
}
