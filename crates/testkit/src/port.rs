//! Ports for servers that need seconds to open theirs.

use std::fs::File;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::Mutex;

use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};

/// Below those the system hands out by itself (from 32768): between choosing a port and its server listening there, other tests
/// open many of those, and whoever connected would talk to the wrong server.
const PORTS: Range<u16> = 12_000..32_000;

/// The locks of this process's ports, held until it ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port nobody listens at and no other test has chosen.
pub(crate) fn free_port() -> u16 {
    let locks = std::env::temp_dir().join("afluente-test-ports");
    std::fs::create_dir_all(&locks).unwrap();
    let mut random = StdRng::try_from_rng(&mut SysRng).unwrap();
    for _ in 0..1_000 {
        let port = random.random_range(PORTS);
        // A lock file that belongs to another user is a port that is taken.
        let Ok(lock) = File::options().create(true).truncate(false).write(true).open(locks.join(port.to_string()))
        else {
            continue;
        };
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            HELD.lock().unwrap().push(lock);
            return port;
        }
    }
    panic!("no free port in {PORTS:?}");
}
