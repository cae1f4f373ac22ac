//! Which letters a command is about.

use afluente_model::Timestamp;
use afluente_store::DeadReason;
use afluente_store::report::DeadFilter;
use clap::Args;

use crate::moment::since;

#[derive(Args, Clone)]
pub(super) struct Which {
    /// Only this reason, for example malformed
    #[arg(long, value_name = "REASON")]
    reason: Option<DeadReason>,
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this gateway
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// Only what came here since: a time such as 2026-11-26T03:00:00Z, or how long ago, such as 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(super) limit: u32,
}

impl Which {
    /// The same as a question to the ledger.
    pub(super) fn filter(&self, settled: bool) -> DeadFilter {
        DeadFilter {
            id: None,
            reason: self.reason,
            account: self.account.clone(),
            gateway: self.gateway.clone(),
            since: self.since,
            settled,
            limit: self.limit,
        }
    }
}
