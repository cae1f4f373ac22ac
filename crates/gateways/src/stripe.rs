//! Stripe.
pub(crate) struct Stripe;
impl crate::Adapter for Stripe {
    fn profile(&self) -> &'static crate::Profile { unimplemented!() }
    fn verify(&self, _: &crate::Request<'_>, _: &crate::Keyring, _: afluente_model::Timestamp) -> Result<afluente_model::Proof, crate::Rejection> { unimplemented!() }
    fn normalise(&self, _: &crate::Envelope<'_>) -> Result<crate::Reading, crate::Malformed> { unimplemented!() }
    fn lookup(&self, _: &crate::Want) -> Result<Vec<crate::Call>, crate::Impossible> { unimplemented!() }
    fn vocabulary(&self) -> Vec<crate::vocabulary::Entry> { unimplemented!() }
}
