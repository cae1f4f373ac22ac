//! Ways to forge a request.

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forgery {
    /// Signed with another secret.
    WrongSecret,
    /// One byte of what is signed is another.
    ChangedByte,
    /// The end of the body is missing.
    CutBody,
    /// Signed too long ago.
    StaleStamp,
    /// Signed in the future.
    FutureStamp,
    /// The right signature under the name of another scheme.
    FakeScheme,
    /// No signature at all.
    NoHeader,
    /// Two stamps, one of them right.
    TwoStamps,
    /// Two signatures, one of them right.
    TwoSignatures,
    /// The signature of another id.
    OtherId,
    /// Two ids in the query, the signed one first.
    TwoIds,
    /// One id that holds the signed id and the request id, which is then left out.
    JoinedParts,
    /// A request id that was not signed.
    OtherRequestId,
    /// The right signature, the request id left out.
    NoRequestId,
    /// A stamp that is the same number in other digits.
    PaddedStamp,
    /// No token at the end of the path.
    NoToken,
    /// Another token at the end of the path.
    WrongToken,
    /// What is rightly proved, about a payment of another seller.
    Stranger,
}

impl Forgery {
    /// What it is called in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Forgery::WrongSecret => "wrong secret",
            Forgery::ChangedByte => "changed byte",
            Forgery::CutBody => "cut body",
            Forgery::StaleStamp => "stale stamp",
            Forgery::FutureStamp => "future stamp",
            Forgery::FakeScheme => "fake scheme",
            Forgery::NoHeader => "no header",
            Forgery::TwoStamps => "two stamps",
            Forgery::TwoSignatures => "two signatures",
            Forgery::OtherId => "other id",
            Forgery::TwoIds => "two ids",
            Forgery::JoinedParts => "joined parts",
            Forgery::OtherRequestId => "other request id",
            Forgery::NoRequestId => "no request id",
            Forgery::PaddedStamp => "padded stamp",
            Forgery::NoToken => "no token",
            Forgery::WrongToken => "wrong token",
            Forgery::Stranger => "stranger's payment",
        }
    }

    /// Whether a request forged this way must be refused. What is rightly proved is taken, and must change no row.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        !matches!(self, Forgery::Stranger)
    }
}
