//! How much is taken on a second of what proves nothing, of each account and of each address. What a gateway proved is never counted
//! here: no flood of strangers makes us refuse it.

use std::net::IpAddr;
use std::num::NonZeroU32;

use afluente_model::AccountName;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::limits::Limits;

/// How many addresses are remembered before those that were quiet for a second are forgotten.
const MOST_ADDRESSES: usize = 10_000;

pub(crate) struct Rates {
    by_account: DefaultKeyedRateLimiter<AccountName>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Rates {
        Rates {
            by_account: RateLimiter::keyed(quota(limits.unproved_per_second)),
            by_address: RateLimiter::keyed(quota(limits.unproved_per_second_by_address)),
        }
    }

    /// Whether one more request that proves nothing may be dealt with; a request of no account counts for its address alone.
    pub(crate) fn takes_on(&self, account: Option<&AccountName>, address: IpAddr) -> bool {
        if self.by_address.len() > MOST_ADDRESSES {
            self.by_address.retain_recent();
        }
        self.by_address.check_key(&address).is_ok()
            && account.is_none_or(|account| self.by_account.check_key(account).is_ok())
    }
}

pub(crate) fn quota(per_second: u32) -> Quota {
    Quota::per_second(NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_and_an_address_have_each_their_share_and_a_flood_of_addresses_is_forgotten() {
        let limits = Limits { unproved_per_second: 3, unproved_per_second_by_address: 2, ..Limits::default() };
        let rates = Rates::new(&limits);
        let account = |name: &str| AccountName::parse(name).unwrap();
        let address = |last| IpAddr::from([203, 0, 113, last]);
        let takes = |name: &str, last| rates.takes_on(Some(&account(name)), address(last));
        assert_eq!([takes("a", 1), takes("a", 1), takes("a", 1)], [true, true, false], "of one address");
        assert_eq!([takes("a", 2), takes("a", 3), takes("b", 3)], [true, false, true], "of one account");
        assert!(rates.takes_on(None, address(9)));
        for n in 0..u16::try_from(MOST_ADDRESSES).unwrap() {
            rates.takes_on(None, IpAddr::from([10, 9, n.to_be_bytes()[0], n.to_be_bytes()[1]]));
        }
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        rates.takes_on(None, address(10));
        assert!(rates.by_address.len() < 100, "{}", rates.by_address.len());
    }
}
