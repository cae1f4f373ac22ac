//! How a ledger writes beside a legacy application.

use std::collections::BTreeMap;

use afluente_model::MerchantName;

use super::target::Targets;

/// Whether theirs is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// It is not looked at.
    #[default]
    Off,
    /// It is looked at and compared, and nothing of theirs is written.
    Shadow,
    /// It is written.
    On,
}

/// What a ledger is beside.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Where words go.
    pub targets: Targets,
    /// For every merchant that is not named.
    pub switch: Switch,
    /// For those that are.
    pub merchants: BTreeMap<MerchantName, Switch>,
    /// Whether their own `status` is written too, in their words.
    pub writes_status: bool,
}

impl Beside {
    /// Whether a merchant's rows are written.
    #[must_use]
    pub fn switch_of(&self, merchant: &MerchantName) -> Switch {
        self.merchants.get(merchant).copied().unwrap_or(self.switch)
    }
}
