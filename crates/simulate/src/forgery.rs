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
    /// The signature of another sender, under the name of the right key.
    OtherKey,
    /// Signed with a key nobody knows: it proves nothing, and is read back.
    UnknownKey,
    /// No signature, under the algorithm that needs none.
    NoAlgorithm,
    /// An HMAC keyed with the public key.
    PublicKeyHmac,
    /// No user and password.
    NoLogin,
    /// Another password.
    WrongLogin,
    /// No token, from an address that somebody says is ours.
    Forwarded,
    /// What is rightly proved, about a payment of another seller.
    Stranger,
    /// No client certificate.
    NoCertificate,
    /// A client certificate that was good once.
    ExpiredCertificate,
    /// A certificate that is for servers.
    ServersCertificate,
    /// A client certificate of an authority of the forger's own.
    SelfMadeChain,
    /// A certificate forwarded twice.
    TwoCertificates,
    /// The good certificate of another bank: it is taken, and nobody is asked.
    OtherBank,
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
            Forgery::OtherKey => "other key",
            Forgery::UnknownKey => "unknown key",
            Forgery::NoAlgorithm => "no algorithm",
            Forgery::PublicKeyHmac => "public key as HMAC key",
            Forgery::NoLogin => "no login",
            Forgery::WrongLogin => "wrong login",
            Forgery::Forwarded => "forwarded address",
            Forgery::Stranger => "stranger's payment",
            Forgery::NoCertificate => "no certificate",
            Forgery::ExpiredCertificate => "expired certificate",
            Forgery::ServersCertificate => "server's certificate",
            Forgery::SelfMadeChain => "self-made chain",
            Forgery::TwoCertificates => "two certificates",
            Forgery::OtherBank => "other bank's certificate",
        }
    }

    /// Whether a request forged this way must be refused. What is rightly proved is taken, and must change no row.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        !matches!(self, Forgery::Stranger | Forgery::UnknownKey | Forgery::OtherBank)
    }
}
