//! Which account of ours a row of theirs belongs to: pure.

use std::collections::BTreeMap;

use afluente_model::legacy::gateway_spelled;
use afluente_model::{AccountName, MerchantName};

use crate::account::{Account, Accounts};

/// Whose the application's sellers are: its ids of merchants or clinics, by the merchant of ours. Where none is named, everything is
/// of whoever has the one account of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sellers(pub BTreeMap<String, MerchantName>);

/// Why a row belongs to no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unplaced {
    /// Its gateway is none of ours.
    OtherGateway,
    /// No account of the gateway is configured for its merchant.
    NoAccount,
    /// Several are, and nothing says which.
    SeveralAccounts,
    /// Its merchant and clinic are none the configuration names.
    UnknownMerchant,
}

impl Unplaced {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Unplaced::OtherGateway => "other_gateway",
            Unplaced::NoAccount => "no_account",
            Unplaced::SeveralAccounts => "several_accounts",
            Unplaced::UnknownMerchant => "unknown_merchant",
        }
    }
}

/// A row's seller, as the application has it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seller<'a> {
    pub(super) merchant: Option<&'a str>,
    pub(super) clinic: Option<&'a str>,
}

/// An account with its name.
pub(super) type Place<'a> = (&'a AccountName, &'a Account);

impl Sellers {
    /// The account a payment or customer at this spelling of a gateway belongs to.
    pub(super) fn at<'a>(
        &self,
        accounts: &'a Accounts,
        spelling: &str,
        seller: Seller<'_>,
    ) -> Result<Place<'a>, Unplaced> {
        let gateway = gateway_spelled(spelling).ok_or(Unplaced::OtherGateway)?;
        one(self.of(accounts, seller)?.filter(|(_, account)| account.gateway == gateway))
    }

    /// An account of whoever sells, the same each time: for what no gateway is known to have.
    pub(super) fn any<'a>(&self, accounts: &'a Accounts, seller: Seller<'_>) -> Result<Place<'a>, Unplaced> {
        let mut merchants: Vec<&MerchantName> = accounts.0.values().map(|account| &account.merchant).collect();
        merchants.sort_unstable();
        merchants.dedup();
        if self.0.is_empty() && merchants.len() > 1 {
            return Err(Unplaced::SeveralAccounts);
        }
        self.of(accounts, seller)?.next().ok_or(Unplaced::NoAccount)
    }

    fn of<'a>(
        &self,
        accounts: &'a Accounts,
        seller: Seller<'_>,
    ) -> Result<impl Iterator<Item = Place<'a>> + use<'a>, Unplaced> {
        let named = [seller.merchant, seller.clinic].into_iter().flatten().find_map(|id| self.0.get(id)).cloned();
        if named.is_none() && !self.0.is_empty() {
            return Err(Unplaced::UnknownMerchant);
        }
        let is_theirs = move |account: &Account| named.as_ref().is_none_or(|merchant| account.merchant == *merchant);
        Ok(accounts.0.iter().filter(move |(_, account)| is_theirs(account)))
    }
}

fn one<'a>(mut accounts: impl Iterator<Item = Place<'a>>) -> Result<Place<'a>, Unplaced> {
    match (accounts.next(), accounts.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Unplaced::NoAccount),
        (Some(_), Some(_)) => Err(Unplaced::SeveralAccounts),
    }
}
