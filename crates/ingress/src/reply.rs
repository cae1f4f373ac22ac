//! What a caller is told.

use std::borrow::Cow;

use afluente_gateways::Rejection;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::meter::Outcome;
use crate::proxy::BadForwarding;

/// An answer: small, whole, written at once.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Why a request was not accepted. Carries our own expectations and numbers, nothing the caller sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such path, or no gateway we know.
    NotFound,
    /// No such account, or none that is posted to from there. Told as an account's wrong signature is, so that nobody can list our
    /// accounts.
    UnknownAccount { status: StatusCode, why: Rejection, is_told: bool, is_elsewhere: bool },
    /// Anything but POST.
    MethodNotAllowed,
    /// A compressed body: the signature is over bytes we would not see.
    UnsupportedEncoding,
    /// A content type the gateway never sends, or none.
    UnsupportedType { expected: &'static [&'static str] },
    /// The body is, or says it will be, larger than allowed.
    TooLarge { limit_bytes: usize },
    /// The body did not come in time.
    SlowBody,
    /// The body ended early or its framing is broken.
    BrokenBody,
    /// There is no body.
    EmptyBody,
    /// The adapter says no, with the gateway's own status; whether the caller is told why.
    Rejected { status: StatusCode, why: Rejection, is_told: bool },
    /// Nothing was posted: the gateway asks whether anybody is here, and hears that somebody is.
    Probe { status: StatusCode },
    /// As many requests or bytes are held as may be.
    Busy,
    /// More came than may come in a second.
    TooMany,
    /// What somebody forwarded cannot be used.
    Forwarding { why: BadForwarding },
    /// The queue holds as much as it may.
    QueueFull,
    /// The queue could not write.
    QueueFailed,
    /// We are going down.
    QueueClosed,
    /// The queue did not confirm in time.
    QueueSlow,
    /// There is no queue to hand it to.
    QueueAway,
}

impl Refusal {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Refusal::NotFound => Outcome::NotFound,
            Refusal::UnknownAccount { is_elsewhere: true, .. } => Outcome::StrangeAddress,
            Refusal::UnknownAccount { .. } => Outcome::UnknownAccount,
            Refusal::MethodNotAllowed => Outcome::MethodNotAllowed,
            Refusal::UnsupportedEncoding => Outcome::UnsupportedEncoding,
            Refusal::UnsupportedType { .. } => Outcome::UnsupportedType,
            Refusal::TooLarge { .. } => Outcome::TooLarge,
            Refusal::SlowBody => Outcome::SlowBody,
            Refusal::BrokenBody => Outcome::BrokenBody,
            Refusal::EmptyBody => Outcome::EmptyBody,
            Refusal::Rejected { why, .. } => why.into(),
            Refusal::Probe { .. } => Outcome::Probe,
            Refusal::Busy => Outcome::Busy,
            Refusal::TooMany => Outcome::TooMany,
            Refusal::Forwarding { why: BadForwarding::FromOutside } => Outcome::ForwardedFromOutside,
            Refusal::Forwarding { why: BadForwarding::Twice } => Outcome::ForwardedTwice,
            Refusal::Forwarding { why: BadForwarding::Malformed } => Outcome::MalformedForwarding,
            Refusal::QueueFull => Outcome::QueueFull,
            Refusal::QueueFailed => Outcome::QueueFailed,
            Refusal::QueueClosed => Outcome::QueueClosed,
            Refusal::QueueSlow => Outcome::QueueSlow,
            Refusal::QueueAway => Outcome::QueueAway,
        }
    }

    /// The outcome as the caller is told it.
    fn told(self) -> Outcome {
        match self {
            Refusal::UnknownAccount { is_told: false, .. } | Refusal::Rejected { is_told: false, .. } => {
                Outcome::NotProved
            }
            Refusal::UnknownAccount { why, .. } => why.into(),
            other => other.outcome(),
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::UnsupportedEncoding | Refusal::UnsupportedType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Forwarding { why: BadForwarding::FromOutside } => StatusCode::UNAUTHORIZED,
            Refusal::Forwarding { .. } => StatusCode::BAD_REQUEST,
            Refusal::BrokenBody | Refusal::EmptyBody => StatusCode::BAD_REQUEST,
            Refusal::Rejected { status, .. } | Refusal::UnknownAccount { status, .. } | Refusal::Probe { status } => {
                status
            }
            Refusal::Busy
            | Refusal::QueueFull
            | Refusal::QueueFailed
            | Refusal::QueueClosed
            | Refusal::QueueSlow
            | Refusal::QueueAway => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn message(self) -> Cow<'static, str> {
        let fixed = match self {
            Refusal::NotFound => "expected POST /webhooks/{gateway}/{account}",
            Refusal::MethodNotAllowed => "expected POST",
            Refusal::UnsupportedEncoding => "expected an unencoded body, got a Content-Encoding",
            Refusal::UnsupportedType { expected } => {
                return format!("expected one Content-Type header of {}", expected.join(" or ")).into();
            }
            Refusal::TooLarge { limit_bytes } => {
                return format!("expected a body of at most {limit_bytes} bytes").into();
            }
            Refusal::SlowBody => "expected the whole body sooner",
            Refusal::BrokenBody => "expected a whole body, got one that is cut off or wrongly framed",
            Refusal::EmptyBody => "expected a body, got none",
            Refusal::Rejected { is_told: false, .. } | Refusal::UnknownAccount { is_told: false, .. } => {
                "expected a request that is proved as its account says; the log and the metrics say what was wrong"
            }
            // How many secrets an account has is nobody's business.
            Refusal::Rejected { why: Rejection::WrongSignature { .. }, .. }
            | Refusal::UnknownAccount { why: Rejection::WrongSignature { .. }, .. } => {
                "expected a signature of a configured account, got one that matches none of its secrets"
            }
            Refusal::Rejected { why, .. } | Refusal::UnknownAccount { why, .. } => return why.to_string().into(),
            Refusal::Probe { .. } => "here",
            Refusal::TooMany => "as many requests came as may come in a second, try again",
            Refusal::Forwarding { why: BadForwarding::FromOutside } => {
                "expected a client certificate in the connection, got one in a header, which only a trusted proxy may send"
            }
            Refusal::Forwarding { why: BadForwarding::Twice } => "expected a forwarded header once, got it twice",
            Refusal::Forwarding { why: BadForwarding::Malformed } => {
                "expected a forwarded address or certificate, got something else"
            }
            Refusal::Busy => "as many requests are being worked on as can be, try again",
            Refusal::QueueFull => "the queue is full, try again",
            Refusal::QueueFailed => "the delivery could not be stored, try again",
            Refusal::QueueClosed => "shutting down, try again",
            Refusal::QueueSlow => "the delivery was not confirmed in time, try again",
            Refusal::QueueAway => "the queue is away, try again",
        };
        fixed.into()
    }

    /// The answer: one line of JSON.
    pub(crate) fn answer(self, retry_after_seconds: u32) -> Answer {
        if let Refusal::Probe { status } = self {
            return accepted(status);
        }
        let line = serde_json::json!({ "error": self.told().as_str(), "message": self.message() });
        let mut answer = Response::new(Full::new(Bytes::from(line.to_string())));
        *answer.status_mut() = self.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if matches!(self.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(RETRY_AFTER, retry_after_seconds.into());
        }
        if self == Refusal::MethodNotAllowed {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        answer
    }
}

/// The gateway's success code with an empty body.
pub(crate) fn accepted(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}
