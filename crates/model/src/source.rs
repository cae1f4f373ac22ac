//! Where facts come from.

use crate::word::word_enum;

word_enum! {
    /// Where a fact was read. At one moment the fuller reading wins: the later here beats the earlier.
    pub enum Source {
        /// Back-filled from a legacy row.
        Legacy => "legacy",
        /// A signed webhook body.
        Webhook => "webhook",
        /// A list page of the gateway's API.
        List => "list",
        /// One object read with our credentials.
        Fetch => "fetch",
        /// A person's correction.
        Operator => "operator",
    }
}
