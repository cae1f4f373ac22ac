//! How a ledger writes beside a legacy application.

use super::target::Targets;
use crate::switch::Switches;

/// What a ledger is beside.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Where words go.
    pub targets: Targets,
    /// Whose rows are written.
    pub switches: Switches,
    /// Whether their own `status` is written too, in their words.
    pub writes_status: bool,
}
