//! What a caller sends that is no request: mostly something in front of us that is set up for another port.

use http::StatusCode;

use crate::meter::Outcome;

/// What came in place of a head, as far as its first bytes and hyper's verdict tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) outcome: Outcome,
    pub(crate) status: StatusCode,
    /// What was expected, and what to look at.
    pub(crate) message: &'static str,
}

const PROXY: Hello = Hello {
    outcome: Outcome::ProxyProtocol,
    status: StatusCode::BAD_REQUEST,
    message: "expected an HTTP/1.1 request, got a PROXY protocol line: the balancer in front has to speak plain HTTP to this port",
};
const TLS: Hello = Hello {
    outcome: Outcome::TlsHello,
    status: StatusCode::BAD_REQUEST,
    message: "expected an HTTP/1.1 request, got a TLS hello: this port is plain HTTP, TLS ends in front of it",
};
const HTTP2: Hello = Hello {
    outcome: Outcome::Http2,
    status: StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    message: "expected an HTTP/1.1 request, got HTTP/2: whatever is in front has to speak HTTP/1.1 to this port",
};
const TOO_LARGE: Hello = Hello {
    outcome: Outcome::HeadTooLarge,
    status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    message: "expected a request line and headers within ingress.max_header_bytes and ingress.max_headers, got more",
};
const MALFORMED: Hello = Hello {
    outcome: Outcome::MalformedHead,
    status: StatusCode::BAD_REQUEST,
    message: "expected an HTTP/1.1 request line and headers, got something else",
};

/// The beginning of the binary form of the PROXY protocol, behind the empty lines that hyper passes over.
const PROXY_BINARY: &[u8] = b"\0\r\nQUIT\n";

impl Hello {
    /// What it is, by its first bytes; `status` is what hyper would have answered, if it would have.
    pub(crate) fn of(first: &[u8], status: Option<StatusCode>) -> Hello {
        match (first, status) {
            (first, _) if first.starts_with(b"PROXY ") || first.starts_with(PROXY_BINARY) => PROXY,
            // A handshake record of any version.
            ([0x16, 3, ..], _) => TLS,
            (first, _) if first.starts_with(b"PRI * HTTP/2") => HTTP2,
            (_, Some(status @ (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE | StatusCode::URI_TOO_LONG))) => {
                Hello { status, ..TOO_LARGE }
            }
            (_, status) => Hello { status: status.unwrap_or(MALFORMED.status), ..MALFORMED },
        }
    }
}
