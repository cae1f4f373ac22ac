//! Who is at the other end of a connection.

use std::net::IpAddr;

use afluente_gateways::Certificates;

/// What is known of a caller before anything was asked.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Where the connection comes from: a proxy, if there is one in front.
    pub(crate) address: IpAddr,
    /// The certificates it showed, with the key of the first.
    pub(crate) certificates: Option<Certificates>,
}
