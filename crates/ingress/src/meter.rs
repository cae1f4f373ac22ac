//! What is counted. All series exist from the start and their labels are closed: a gateway with an adapter or `none`, and
//! an [`Outcome`].

use std::time::Duration;

use afluente_gateways::Rejection;
use afluente_model::Gateway;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

/// Declares [`Outcome`] with its words in one place.
macro_rules! outcomes {
    ($($variant:ident => $word:literal,)+) => {
        /// How a request ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Outcome { $($variant,)+ }

        impl Outcome {
            const ALL: &'static [Outcome] = &[$(Outcome::$variant,)+];

            /// The word in metrics, logs and the `error` field of an answer.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Outcome::$variant => $word,)+ }
            }
        }
    };
}

outcomes! {
    Accepted => "accepted",
    NotFound => "not_found",
    UnknownAccount => "unknown_account",
    StrangeAddress => "strange_address",
    MethodNotAllowed => "method_not_allowed",
    UnsupportedEncoding => "unsupported_encoding",
    UnsupportedType => "unsupported_type",
    MalformedHead => "malformed_head",
    HeadTooLarge => "head_too_large",
    ProxyProtocol => "proxy_protocol",
    TlsHello => "tls_hello",
    NoTls => "no_tls",
    TooManyConnections => "too_many_connections",
    Http2 => "http2",
    SlowHead => "slow_head",
    TooLarge => "too_large",
    SlowBody => "slow_body",
    BrokenBody => "broken_body",
    EmptyBody => "empty_body",
    NoSignature => "no_signature",
    UnusableSignature => "unusable_signature",
    RewrittenHeader => "rewritten_header",
    RepeatedHeader => "repeated_header",
    MalformedSignature => "malformed_signature",
    WrongSignature => "wrong_signature",
    MalformedQuery => "malformed_query",
    RewrittenRequestId => "rewritten_request_id",
    WrongPathToken => "wrong_path_token",
    WrongLogin => "wrong_login",
    NothingToCheckWith => "nothing_to_check_with",
    NoCertificate => "no_certificate",
    UntrustedCertificate => "untrusted_certificate",
    UnknownPath => "unknown_path",
    Probe => "probe",
    NotProved => "not_proved",
    TooOld => "too_old",
    FromFuture => "from_future",
    Busy => "busy",
    TooMany => "too_many",
    ForwardedFromOutside => "forwarded_from_outside",
    ForwardedTwice => "forwarded_twice",
    MalformedForwarding => "malformed_forwarding",
    QueueFull => "queue_full",
    QueueFailed => "queue_failed",
    QueueClosed => "queue_closed",
    QueueSlow => "queue_slow",
    QueueAway => "queue_away",
}

impl From<Rejection> for Outcome {
    fn from(rejection: Rejection) -> Outcome {
        match rejection {
            Rejection::NoSignature => Outcome::NoSignature,
            Rejection::UnusableSignature { .. } => Outcome::UnusableSignature,
            Rejection::RewrittenHeader => Outcome::RewrittenHeader,
            Rejection::RepeatedHeader => Outcome::RepeatedHeader,
            Rejection::MalformedSignature { .. } => Outcome::MalformedSignature,
            Rejection::WrongSignature { .. } => Outcome::WrongSignature,
            Rejection::MalformedQuery { .. } => Outcome::MalformedQuery,
            Rejection::RewrittenRequestId => Outcome::RewrittenRequestId,
            Rejection::WrongPathToken => Outcome::WrongPathToken,
            Rejection::WrongLogin => Outcome::WrongLogin,
            Rejection::NothingToCheckWith { .. } => Outcome::NothingToCheckWith,
            Rejection::TooOld { .. } => Outcome::TooOld,
            Rejection::FromFuture { .. } => Outcome::FromFuture,
            Rejection::EmptyBody => Outcome::EmptyBody,
            Rejection::NoCertificate => Outcome::NoCertificate,
            Rejection::UntrustedCertificate { .. } => Outcome::UntrustedCertificate,
            Rejection::UnknownPath => Outcome::UnknownPath,
            Rejection::Probe => Outcome::Probe,
        }
    }
}

/// The series of one listener, resolved once: counting a request looks nothing up and allocates nothing.
pub(crate) struct Meter {
    gateways: Vec<(Gateway, GatewayMeter)>,
    none: GatewayMeter,
    /// Open connections.
    pub(crate) connections: Gauge,
    /// Requests that wait for the queue.
    pub(crate) in_flight: Gauge,
    /// Bytes of bodies read.
    pub(crate) body_bytes: Counter,
}

/// The series of one gateway.
pub(crate) struct GatewayMeter {
    outcomes: Vec<Counter>,
    seconds: Histogram,
    /// Deliveries the queue confirmed. It differs from the outcome `accepted` only while an answer is being made; a lasting
    /// difference means that a success code was answered without a confirm, and is an alarm.
    pub(crate) confirmed: Counter,
}

impl Meter {
    /// Registers every series with the recorder installed by now.
    pub(crate) fn new() -> Meter {
        describe();
        Meter {
            gateways: Gateway::ALL
                .iter()
                .copied()
                .map(|gateway| (gateway, GatewayMeter::new(gateway.slug())))
                .collect(),
            none: GatewayMeter::new("none"),
            connections: gauge!("afluente_ingress_connections"),
            in_flight: gauge!("afluente_ingress_in_flight"),
            body_bytes: counter!("afluente_ingress_body_bytes_total"),
        }
    }

    /// The series of a gateway; `none` where the path named no gateway we have an adapter for.
    pub(crate) fn of(&self, gateway: Option<Gateway>) -> &GatewayMeter {
        let known = self.gateways.iter().find(|(known, _)| Some(*known) == gateway);
        known.map_or(&self.none, |(_, meter)| meter)
    }
}

impl GatewayMeter {
    fn new(gateway: &'static str) -> GatewayMeter {
        let requests = |outcome: &Outcome| counter!("afluente_ingress_requests_total", "gateway" => gateway, "outcome" => outcome.as_str());
        GatewayMeter {
            outcomes: Outcome::ALL.iter().map(requests).collect(),
            seconds: histogram!("afluente_ingress_request_seconds", "gateway" => gateway),
            confirmed: counter!("afluente_ingress_confirmed_total", "gateway" => gateway),
        }
    }

    /// Counts a request that ended.
    pub(crate) fn ended(&self, outcome: Outcome, took: Duration) {
        self.count(outcome);
        self.seconds.record(took);
    }

    /// Counts what never became a request.
    pub(crate) fn count(&self, outcome: Outcome) {
        if let Some(counter) = self.outcomes.get(outcome as usize) {
            counter.increment(1);
        }
    }
}

fn describe() {
    describe_counter!("afluente_ingress_requests_total", "Requests by gateway and how they ended");
    describe_counter!("afluente_ingress_confirmed_total", "Deliveries the queue confirmed to be durable");
    describe_counter!("afluente_ingress_body_bytes_total", "Bytes of request bodies read");
    describe_histogram!("afluente_ingress_request_seconds", "From a request's headers to its answer");
    describe_gauge!("afluente_ingress_in_flight", "Requests with a whole body that wait for the queue");
    describe_gauge!("afluente_ingress_connections", "Open connections");
}

/// Holds a gauge up by one for as long as it lives.
pub(crate) struct Held(Gauge);

impl Held {
    pub(crate) fn one(gauge: &Gauge) -> Held {
        gauge.increment(1.0);
        Held(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_is_counted_under_its_own_word() {
        for rejection in [
            Rejection::NoSignature,
            Rejection::UnusableSignature { expected: "v1" },
            Rejection::RewrittenHeader,
            Rejection::RepeatedHeader,
            Rejection::MalformedSignature { expected: "t" },
            Rejection::WrongSignature { secrets: 1 },
            Rejection::TooOld { age_seconds: 1, limit_seconds: 1 },
            Rejection::FromFuture { ahead_seconds: 1, limit_seconds: 1 },
            Rejection::EmptyBody,
        ] {
            assert_eq!(Outcome::from(rejection).as_str(), rejection.word());
        }
    }

    #[test]
    fn every_outcome_has_its_own_word_and_place() {
        for (place, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
            assert_eq!(Outcome::ALL.iter().filter(|other| other.as_str() == outcome.as_str()).count(), 1);
        }
    }
}
