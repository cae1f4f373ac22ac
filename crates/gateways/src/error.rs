//! Whose fault it is: [`Rejection`] is the sender's, [`Malformed`] the body's.

/// Why a request was refused before anything was kept. Never carries a header, a body or a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no signature header.
    #[error("expected a signature header, got none: something in front may have dropped it")]
    NoSignature,
    /// The signature header holds no signature of a scheme that counts.
    #[error("expected {expected} in the signature header, got none")]
    UnusableSignature {
        /// What a usable signature looks like.
        expected: &'static str,
    },
    /// The signature header has blanks where the gateway writes none.
    #[error(
        "the signature header has blanks after its commas: something in front rewrote it, and has to pass it on as it came"
    )]
    RewrittenHeader,
    /// The signature header came more than once, so which one counts is anybody's guess.
    #[error("expected one signature header, got several")]
    RepeatedHeader,
    /// The signature header cannot be read.
    #[error("signature header is malformed: expected {expected}")]
    MalformedSignature {
        /// What a well-formed header has here.
        expected: &'static str,
    },
    /// No configured secret gives this signature over these bytes.
    #[error("signature matches none of the {secrets} configured secrets")]
    WrongSignature {
        /// How many secrets were tried.
        secrets: usize,
    },
    /// The signed time is outside the window. A replay, or a clock that is wrong on either side.
    #[error("signed {age_seconds}s ago, at most {limit_seconds}s allowed")]
    TooOld {
        /// Age of the stamp.
        age_seconds: i64,
        /// The window.
        limit_seconds: i64,
    },
    /// The signed time lies ahead of our clock by more than the window.
    #[error("signed {ahead_seconds}s in the future, at most {limit_seconds}s allowed")]
    FromFuture {
        /// How far ahead.
        ahead_seconds: i64,
        /// The window.
        limit_seconds: i64,
    },
    /// The query is not one this gateway sends, or says one thing twice.
    #[error("expected {expected} in the query")]
    MalformedQuery {
        /// What a well-formed query has.
        expected: &'static str,
    },
    /// The signature covers a request id, and the one that came is not the gateway's.
    #[error(
        "the request id is not the one that was signed: something in front sets it anew or drops it, and has to pass x-request-id on as it came"
    )]
    RewrittenRequestId,
    /// What is not signed must come to a path that ends with a token of ours.
    #[error("expected a path that ends with the account's token")]
    WrongPathToken,
    /// The user and password of HTTP Basic are not those of the account, or did not come.
    #[error("expected the account's user and password in Authorization: Basic")]
    WrongLogin,
    /// The account has nothing that requests of this kind are checked with.
    #[error("expected a request this account has something to check with, got one that needs {needs}")]
    NothingToCheckWith {
        /// The key of the configuration that would name it.
        needs: &'static str,
    },
    /// No client certificate came, in the connection or from a proxy that may forward one.
    #[error("expected a client certificate, got none")]
    NoCertificate,
    /// A client certificate came that proves nothing.
    #[error("expected a client certificate of one of the account's authorities, got one that {why}")]
    UntrustedCertificate {
        /// What is wrong with it, to end the sentence "a certificate that …".
        why: &'static str,
    },
    /// Nothing is posted to this path of the account.
    #[error("expected a path this gateway posts to")]
    UnknownPath,
    /// The body is empty.
    #[error("expected a body, got none")]
    EmptyBody,
    /// The gateway asks whether the address answers, before it sends anything. There is nothing to keep, and the answer is success.
    #[error("nothing was posted: a question whether anybody is here")]
    Probe,
}

impl Rejection {
    /// A word for metrics and logs, from a closed set.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Rejection::NoSignature => "no_signature",
            Rejection::UnusableSignature { .. } => "unusable_signature",
            Rejection::RewrittenHeader => "rewritten_header",
            Rejection::RepeatedHeader => "repeated_header",
            Rejection::MalformedSignature { .. } => "malformed_signature",
            Rejection::WrongSignature { .. } => "wrong_signature",
            Rejection::TooOld { .. } => "too_old",
            Rejection::FromFuture { .. } => "from_future",
            Rejection::MalformedQuery { .. } => "malformed_query",
            Rejection::RewrittenRequestId => "rewritten_request_id",
            Rejection::WrongPathToken => "wrong_path_token",
            Rejection::WrongLogin => "wrong_login",
            Rejection::NothingToCheckWith { .. } => "nothing_to_check_with",
            Rejection::NoCertificate => "no_certificate",
            Rejection::UntrustedCertificate { .. } => "untrusted_certificate",
            Rejection::UnknownPath => "unknown_path",
            Rejection::EmptyBody => "empty_body",
            Rejection::Probe => "probe",
        }
    }
}

/// Why a proved body cannot be read. Poison: no retry helps, the delivery goes to the dead letters with this reason.
/// Carries field names and our own expectations, never a value from the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not JSON, not UTF-8, cut off, or nested too deep.
    #[error("body is not JSON: {category} at line {line} column {column}")]
    NotJson {
        /// `syntax`, `truncated`, `depth` or `encoding`.
        category: &'static str,
        /// One-based.
        line: usize,
        /// One-based.
        column: usize,
    },
    /// JSON of another shape: a list, a text, an object without what every envelope has.
    #[error("expected {expected} in {field}")]
    Shape {
        /// Path of the field, `.` for the whole body.
        field: &'static str,
        /// What would have been right.
        expected: &'static str,
    },
    /// A key that decides something appears twice in one object.
    #[error("key {field} appears twice")]
    DuplicateKey {
        /// The key.
        field: &'static str,
    },
    /// A number is negative, fractional or past 63 bits where an amount of minor units belongs.
    #[error("expected an amount of 0 to {} minor units in {field}", i64::MAX)]
    Amount {
        /// Path of the field.
        field: &'static str,
    },
    /// A time outside the years 1970 to 9999.
    #[error("expected a time between the years 1970 and 9999 in {field}")]
    Time {
        /// Path of the field.
        field: &'static str,
    },
    /// An id that is empty, too long or holds characters no gateway sends.
    #[error("expected a gateway id in {field}")]
    Id {
        /// Path of the field.
        field: &'static str,
    },
    /// A text with half a surrogate pair, as senders leave that cut through an emoji. It is read with U+FFFD in its place,
    /// so this is only ever a note.
    #[error("expected Unicode, got half a surrogate pair, read as U+FFFD")]
    HalfPair,
    /// A part that nobody signed contradicts one that was.
    #[error("expected {expected} in {field}, got another")]
    Contradiction {
        /// Path of the field.
        field: &'static str,
        /// What would have been right.
        expected: &'static str,
    },
    /// An answer is about something else than what was asked.
    #[error("expected an answer about what was asked, got one about something else")]
    NotAsked,
    /// The adapter asserted facts without proof: a bug here, and nothing is believed.
    #[error("the adapter read facts from an unproved body")]
    UnprovedFacts,
}

impl Malformed {
    /// A word for metrics and dead letters, from a closed set.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Malformed::NotJson { .. } => "not_json",
            Malformed::Shape { .. } => "shape",
            Malformed::DuplicateKey { .. } => "duplicate_key",
            Malformed::Amount { .. } => "amount",
            Malformed::Time { .. } => "time",
            Malformed::Id { .. } => "id",
            Malformed::HalfPair => "half_pair",
            Malformed::Contradiction { .. } => "contradiction",
            Malformed::NotAsked => "not_asked",
            Malformed::UnprovedFacts => "unproved_facts",
        }
    }

    /// The field it is about, from a closed set: safe as a metric label.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Malformed::Shape { field, .. }
            | Malformed::Contradiction { field, .. }
            | Malformed::DuplicateKey { field }
            | Malformed::Amount { field }
            | Malformed::Time { field }
            | Malformed::Id { field } => field,
            Malformed::NotJson { .. } | Malformed::HalfPair | Malformed::NotAsked | Malformed::UnprovedFacts => ".",
        }
    }
}
