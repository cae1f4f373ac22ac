//! What one listener takes on, and how long it waits.

use std::time::Duration;

/// The bounds of the webhook listener. Every one of them refuses with a status of its own; none queues without end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections of one listener. Past it nothing is accepted: callers wait in the kernel's backlog.
    pub connections: usize,
    /// Open connections of one address, at all listeners, that is no proxy of ours. Past it a new one is closed at once.
    pub connections_by_address: usize,
    /// Requests whose body is complete and which wait for the queue. Past it 503 with `Retry-After`, at once.
    pub in_flight_requests: usize,
    /// Bytes of all bodies held, counted as they arrive, not as they are announced. Past it 503 with `Retry-After`.
    pub in_flight_body_bytes: usize,
    /// Requests a second that prove nothing, of each account: hints that nobody signed, and what is refused. Past it 429 with
    /// `Retry-After`: who learns an address that ends with a token can fill neither the queue nor the ledger.
    pub unproved_per_second: u32,
    /// The same, of each address.
    pub unproved_per_second_by_address: u32,
    /// Bytes of one body; the gateway's own limit holds where it is smaller. Past it 413.
    pub body_bytes: usize,
    /// Bytes of one request line with its headers. Past it 431.
    pub header_bytes: usize,
    /// Headers of one request. Past it 431.
    pub headers: usize,
    /// From accepting a connection to the end of the first request's headers. Past it 408 if something had come, and the
    /// connection is closed.
    pub header_read: Duration,
    /// From an answer to the end of the next request's headers, the time the answer takes to leave included. Past it the
    /// connection is closed. Longer than the idle time of a load balancer in front, or that one runs into closed
    /// connections.
    pub keep_alive_idle: Duration,
    /// From the end of the headers to the end of the body. Past it 408, and the connection is closed.
    pub body_read: Duration,
    /// Between two pieces of a body. Past it 408, and the connection is closed.
    pub body_idle: Duration,
    /// How long the queue may take. Past it 503 with `Retry-After`; the delivery may be stored all the same, and the
    /// gateway's repetition of it is recognised later.
    pub publish: Duration,
    /// What `Retry-After` says, in seconds.
    pub retry_after_seconds: u32,
    /// How long a caller that was answered before its body had come is listened to, so that the answer is not lost to a
    /// connection reset.
    pub linger: Duration,
    /// From the shutdown signal until connections still busy are cut off.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 4096,
            connections_by_address: 1024,
            in_flight_requests: 1024,
            in_flight_body_bytes: 64 << 20,
            unproved_per_second: 1_000,
            unproved_per_second_by_address: 1_000,
            body_bytes: 1 << 20,
            header_bytes: 16 << 10,
            headers: 100,
            header_read: Duration::from_secs(10),
            keep_alive_idle: Duration::from_secs(75),
            body_read: Duration::from_secs(15),
            body_idle: Duration::from_secs(5),
            publish: Duration::from_secs(5),
            retry_after_seconds: 5,
            linger: Duration::from_secs(1),
            drain: Duration::from_secs(25),
        }
    }
}

/// A limit that cannot work, found before anything is served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {limit} to be {expected}, got {got}")]
pub struct BadLimit {
    /// The field of [`Limits`].
    pub limit: &'static str,
    /// What would work.
    pub expected: String,
    /// What was set.
    pub got: String,
}

/// Permits are counted in 32 bits, and so many must fit.
const MOST_PERMITS: usize = (u32::MAX >> 3) as usize;
/// The smallest buffer hyper reads into.
const LEAST_HEADER_BYTES: usize = 8 << 10;
/// Past this a head is an attack.
const MOST_HEADER_BYTES: usize = 256 << 10;

impl Limits {
    /// Whether the limits can work together: the first that cannot.
    ///
    /// Waits that contradict each other are refused rather than logged: a drain shorter than a publish would cut off
    /// requests that were about to be answered.
    pub fn check(&self) -> Result<(), BadLimit> {
        let counts = [
            ("connections", self.connections, 1, MOST_PERMITS),
            ("connections_by_address", self.connections_by_address, 1, MOST_PERMITS),
            ("in_flight_requests", self.in_flight_requests, 1, MOST_PERMITS),
            ("in_flight_body_bytes", self.in_flight_body_bytes, self.body_bytes, MOST_PERMITS),
            ("unproved_per_second", self.unproved_per_second as usize, 1, 1_000_000),
            ("unproved_per_second_by_address", self.unproved_per_second_by_address as usize, 1, 1_000_000),
            ("body_bytes", self.body_bytes, 1, MOST_PERMITS),
            ("header_bytes", self.header_bytes, LEAST_HEADER_BYTES, MOST_HEADER_BYTES),
            ("headers", self.headers, 8, 1000),
            ("retry_after_seconds", self.retry_after_seconds as usize, 1, 86_400),
        ];
        for (limit, got, least, most) in counts {
            if !(least..=most).contains(&got) {
                return Err(BadLimit { limit, expected: format!("{least} to {most}"), got: got.to_string() });
            }
        }
        let waits = [
            ("header_read", self.header_read, Duration::from_millis(1)),
            ("keep_alive_idle", self.keep_alive_idle, Duration::from_millis(1)),
            ("body_idle", self.body_idle, Duration::from_millis(1)),
            ("body_read", self.body_read, self.body_idle),
            ("publish", self.publish, Duration::from_millis(1)),
            ("drain", self.drain, self.publish),
        ];
        for (limit, got, least) in waits {
            if got < least || got > LONGEST_WAIT {
                let expected = format!("{least:?} to {LONGEST_WAIT:?}");
                return Err(BadLimit { limit, expected, got: format!("{got:?}") });
            }
        }
        Ok(())
    }
}

/// No wait is longer: a limit of years is a typing error.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work_together() {
        Limits::default().check().unwrap();
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused_by_name() {
        let refused = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            limits.check().unwrap_err().limit
        };
        assert_eq!(refused(|l| l.connections = 0), "connections");
        assert_eq!(refused(|l| l.in_flight_body_bytes = l.body_bytes - 1), "in_flight_body_bytes");
        assert_eq!(refused(|l| l.header_bytes = 100), "header_bytes");
        assert_eq!(refused(|l| l.body_read = l.body_idle / 2), "body_read");
        assert_eq!(refused(|l| l.drain = l.publish / 2), "drain");
        assert_eq!(refused(|l| l.keep_alive_idle = Duration::MAX), "keep_alive_idle");
        assert_eq!(refused(|l| l.publish = Duration::ZERO), "publish");
    }

    #[test]
    fn a_refused_limit_says_what_would_work() {
        let refused = Limits { retry_after_seconds: 0, ..Limits::default() }.check().unwrap_err();
        assert_eq!(refused.to_string(), "expected retry_after_seconds to be 1 to 86400, got 0");
    }
}
