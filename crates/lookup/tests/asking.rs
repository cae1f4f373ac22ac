//! Look-ups against a real HTTP server that answers as gateways do, well and badly, and a real ledger.

#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod suite {
    mod answers;
    mod budget;
    mod failures;
    mod gateway;
    mod holder;
    mod keys;
    mod site;
    mod token;
}
