//! The words of the ledger: what a payment or a subscription *is*, in one vocabulary for every gateway.

use crate::word::word_enum;

word_enum! {
    /// `status_v2`: what we believe about a payment. Derived by [`crate::project()`], never written by hand.
    pub enum PaymentStatus {
        /// The gateway knows the payment; nothing has been tried, or a payment is scheduled.
        Pending => "PENDING",
        /// The gateway or a bank is working. Nobody here can do anything but wait.
        Processing => "PROCESSING",
        /// The payer has to act: 3-D Secure, a Pix code, a boleto.
        RequiresAction => "REQUIRES_ACTION",
        /// Antifraud or a person holds it; somebody has to decide.
        InReview => "IN_REVIEW",
        /// Money is held, not taken.
        Authorized => "AUTHORIZED",
        /// Money was taken and none of it went back.
        Succeeded => "SUCCEEDED",
        /// Part of the money went back by refund.
        PartiallyRefunded => "PARTIALLY_REFUNDED",
        /// All of the money went back by refund.
        Refunded => "REFUNDED",
        /// The newest try was declined. Not final: a later try may succeed.
        Failed => "FAILED",
        /// Called off before money was taken.
        Canceled => "CANCELED",
        /// A hold, a Pix code or a boleto ran out.
        Expired => "EXPIRED",
        /// The payer's bank asks the money back; undecided.
        Disputed => "DISPUTED",
        /// A dispute was lost or accepted.
        ChargedBack => "CHARGED_BACK",
        /// The gateway said only words we do not know. Never guessed into anything else.
        Unknown => "UNKNOWN",
    }
}

word_enum! {
    /// How much of what was asked for has been captured.
    pub enum CaptureState {
        /// Nothing.
        None => "NONE",
        /// Less than asked for.
        Partial => "PARTIAL",
        /// All, or the amount asked for is unknown.
        Full => "FULL",
        /// More than asked for.
        Over => "OVER",
    }
}

word_enum! {
    /// Whether the payer paid what was asked, in the gateway's words (a Pix typed by hand may differ).
    pub enum FundingState {
        /// No word says otherwise.
        Exact => "EXACT",
        /// Paid less.
        Under => "UNDER",
        /// Paid more.
        Over => "OVER",
    }
}

word_enum! {
    /// The worst dispute of a payment. An inquiry takes no money, so it does not make the payment DISPUTED.
    pub enum DisputeState {
        /// No dispute, or a whole-object reading without one closed it.
        None => "NONE",
        /// Withdrawn, prevented or closed without a decision.
        Withdrawn => "WITHDRAWN",
        /// Decided for the merchant.
        Won => "WON",
        /// The bank asks; no money has moved.
        Inquiry => "INQUIRY",
        /// Opened or under review.
        Open => "OPEN",
        /// The merchant accepted it.
        Accepted => "ACCEPTED",
        /// Decided for the payer.
        Lost => "LOST",
    }
}

word_enum! {
    /// What antifraud says.
    pub enum RiskState {
        /// Nothing.
        None => "NONE",
        /// Cleared.
        Approved => "APPROVED",
        /// Refused; explains a FAILED.
        Rejected => "REJECTED",
        /// Undecided.
        Review => "REVIEW",
    }
}

word_enum! {
    /// Whether the money reached the merchant's bank.
    pub enum SettlementState {
        /// Nothing is known.
        None => "NONE",
        /// On its way.
        Pending => "PENDING",
        /// There.
        Settled => "SETTLED",
    }
}

word_enum! {
    /// Why a payment that took no money ended.
    pub enum ClosedReason {
        /// The issuer or the gateway declined.
        Declined => "DECLINED",
        /// Antifraud refused.
        Risk => "RISK",
        /// The payer left.
        PayerLeft => "PAYER_LEFT",
        /// The merchant called it off.
        Merchant => "MERCHANT",
        /// The gateway failed.
        GatewayError => "GATEWAY_ERROR",
        /// Time ran out.
        Deadline => "DEADLINE",
    }
}

word_enum! {
    /// The strongest source among the facts that decided the row.
    pub enum Evidence {
        /// Back-filled from a legacy row.
        Legacy => "LEGACY",
        /// Signed webhook bodies.
        Verified => "VERIFIED",
        /// Read at the gateway with our credentials.
        Fetched => "FETCHED",
        /// An operator's correction.
        Operator => "OPERATOR",
    }
}

impl Evidence {
    /// What a fact of this source is worth to a reader.
    #[must_use]
    pub const fn of(source: crate::source::Source) -> Evidence {
        use crate::source::Source;
        match source {
            Source::Legacy => Evidence::Legacy,
            Source::Webhook => Evidence::Verified,
            Source::List | Source::Fetch => Evidence::Fetched,
            Source::Operator => Evidence::Operator,
        }
    }
}

word_enum! {
    /// The stored state of a subscription, before `now` is taken into account.
    pub enum SubscriptionBase {
        /// The first payment has not succeeded.
        Incomplete => "INCOMPLETE",
        /// Starts in the future.
        Pending => "PENDING",
        /// In its trial.
        Trialing => "TRIALING",
        /// Paid.
        Active => "ACTIVE",
        /// The newest invoice is unpaid, the gateway still tries.
        PastDue => "PAST_DUE",
        /// Service is paused.
        Paused => "PAUSED",
        /// Stopped for non-payment, a chargeback, risk or by an operator.
        Suspended => "SUSPENDED",
        /// Ended by decision.
        Canceled => "CANCELED",
        /// Ended by never starting, or by completing its term.
        Expired => "EXPIRED",
        /// The gateway said only words we do not know.
        Unknown => "UNKNOWN",
    }
}

word_enum! {
    /// The word a subscription shows at a given moment: the base state, dates and `now`.
    pub enum SubscriptionStatus {
        /// The first payment has not succeeded.
        Incomplete => "INCOMPLETE",
        /// Starts in the future.
        Pending => "PENDING",
        /// In its trial.
        Trialing => "TRIALING",
        /// Paid.
        Active => "ACTIVE",
        /// Unpaid past any grace.
        PastDue => "PAST_DUE",
        /// Unpaid, but within its grace period.
        Grace => "GRACE",
        /// Paused: service, or collection only (`pause_kind` tells).
        Paused => "PAUSED",
        /// Stopped for non-payment, a chargeback, risk or by an operator.
        Suspended => "SUSPENDED",
        /// Active or trialing with its end already decided.
        CancelScheduled => "CANCEL_SCHEDULED",
        /// Ended by decision.
        Canceled => "CANCELED",
        /// Ended by never starting, or by completing its term.
        Expired => "EXPIRED",
        /// The gateway said only words we do not know.
        Unknown => "UNKNOWN",
    }
}

word_enum! {
    /// What a pause stops.
    pub enum PauseKind {
        /// Invoices are not collected; the service goes on.
        Collection => "COLLECTION",
        /// The service stops.
        Service => "SERVICE",
    }
}

word_enum! {
    /// Why a subscription is suspended, canceled or expired.
    pub enum SubscriptionReason {
        /// Invoices stayed unpaid.
        Nonpayment => "NONPAYMENT",
        /// A chargeback.
        Chargeback => "CHARGEBACK",
        /// Antifraud.
        Risk => "RISK",
        /// An operator of ours.
        Operator => "OPERATOR",
        /// The payer revoked the consent.
        RevokedByPayer => "REVOKED_BY_PAYER",
        /// The customer asked for it.
        Requested => "REQUESTED",
        /// The gateway's own policy.
        Gateway => "GATEWAY",
        /// The first payment never came.
        NeverActivated => "NEVER_ACTIVATED",
        /// The agreed term ended.
        Completed => "COMPLETED",
    }
}
