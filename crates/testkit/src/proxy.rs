//! A name that stays while what is behind it changes: forwards connections, cuts them, or goes silent.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Forwards,
    /// Nothing moves, nothing is closed: a network whose other end is gone.
    Silent,
}

/// A forwarder to a port of this machine; gone with the value.
pub struct Proxy {
    address: SocketAddr,
    target: Arc<Mutex<u16>>,
    mode: watch::Sender<Mode>,
    /// Counts cuts: a connection ends when it changes.
    cuts: watch::Sender<u64>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Proxy {
    /// Forwards to this port from one of its own.
    #[must_use]
    pub fn to(port: u16) -> Proxy {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = StdListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(port));
        let ((mode, modes), (cuts, cut)) = (watch::channel(Mode::Forwards), watch::channel(0));
        runtime.spawn(accept(listener, Arc::clone(&target), modes, cut));
        Proxy { address, target, mode, cuts, runtime: Some(runtime) }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whoever connects from now on reaches another port; who is connected is cut off.
    pub fn lead_to(&self, port: u16) {
        *self.target.lock().unwrap() = port;
        self.cut();
    }

    /// Closes every connection.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// From now on nothing moves and nothing is closed; who connects is accepted and hears nothing.
    pub fn go_silent(&self) {
        self.mode.send_replace(Mode::Silent);
    }

    /// Forwards again, for connections made from now on; what was silent stays so.
    pub fn speak(&self) {
        self.mode.send_replace(Mode::Forwards);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(
    listener: StdListener,
    target: Arc<Mutex<u16>>,
    mode: watch::Receiver<Mode>,
    cut: watch::Receiver<u64>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((client, _)) = listener.accept().await {
        let port = *target.lock().unwrap();
        let (mut mode, mut cut) = (mode.clone(), cut.clone());
        cut.mark_unchanged();
        tokio::spawn(async move {
            tokio::select! {
                () = forward(client, port, &mut mode) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

/// Forwards until either end closes. Once silent it stays so, holding both ends.
async fn forward(mut client: TcpStream, port: u16, mode: &mut watch::Receiver<Mode>) {
    if *mode.borrow_and_update() == Mode::Silent {
        return std::future::pending().await;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    // As the server's own port would: a small answer is not held back.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let silent = async { drop(mode.wait_for(|mode| *mode == Mode::Silent).await) };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        () = silent => {}
    }
    std::future::pending::<()>().await;
}
