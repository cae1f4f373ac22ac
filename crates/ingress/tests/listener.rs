//! The listener as its callers meet it: a real socket, a real queue in a folder of its own, bytes in and bytes out.

#[path = "listener/accepting.rs"]
mod accepting;
#[path = "listener/admin.rs"]
mod admin;
#[path = "listener/client.rs"]
mod client;
#[path = "listener/fuzz.rs"]
mod fuzz;
#[path = "listener/hostile.rs"]
mod hostile;
#[path = "listener/overload.rs"]
mod overload;
#[path = "listener/refusing.rs"]
mod refusing;
#[path = "listener/secure.rs"]
#[allow(clippy::unwrap_used, reason = "what it makes of certificates cannot fail")]
mod secure;
#[path = "listener/shutdown.rs"]
mod shutdown;
#[path = "listener/site.rs"]
mod site;
