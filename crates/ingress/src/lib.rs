//! The webhook listener: bytes in, the gateway's own answer out.
//!
//! ```text
//! accept (permit) → head (hyper, limits) → route → account → body (limits, deadlines)
//!   → adapter.verify over the raw request → Delivery → seal → queue.publish → the gateway's success code
//! ```
//!
//! **Invariants.** A success code is written only after [`Queue::publish`](afluente_queue::Queue::publish) answered `Ok`,
//! and nothing that can fail stands between the two. The body reaches the queue byte for byte. Nothing is stored here,
//! nothing is parsed here: what a body says is the worker's business. Every wait has a deadline, every resource a permit.
//! No answer, log line or metric carries a body, a header value, a secret or an id from outside.

mod account;
mod admin;
mod body;
mod caller;
mod clock;
mod connection;
mod crowd;
mod head;
mod hello;
mod limits;
mod meter;
mod muted;
mod proxy;
mod quiet;
mod rate;
mod receive;
mod reply;
mod route;
mod server;
mod stream;
mod tls;
mod travel;

pub use account::{Account, Accounts};
pub use admin::{AdminPages, Check, Readiness, run_admin};
pub use clock::{Clock, system_clock};
pub use limits::{BadLimit, Limits};
pub use proxy::Proxies;
pub use receive::Receiver;
pub use server::{Drained, Listener, RunError, run};
pub use tls::{BadTls, Clients, Identity, server_config};
