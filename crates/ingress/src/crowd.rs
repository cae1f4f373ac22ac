//! Who holds how many connections: nobody from one address takes all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::proxy::Proxies;

/// The connections of every address that is no proxy of ours.
pub(crate) struct Crowd {
    most: usize,
    proxies: Proxies,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; free again when dropped.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    /// None for a proxy, whose connections are many callers'.
    address: Option<IpAddr>,
}

impl Crowd {
    pub(crate) fn new(most: usize, proxies: Proxies) -> Crowd {
        Crowd { most, proxies, held: Mutex::default() }
    }

    /// A place for one more connection of this address, if it may have one more.
    pub(crate) fn enter(self: &Arc<Crowd>, address: IpAddr) -> Option<Place> {
        if self.proxies.is_trusted(address) {
            return Some(Place { crowd: Arc::clone(self), address: None });
        }
        let mut held = self.held();
        let count = held.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: Arc::clone(self), address: Some(address) })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut held = self.crowd.held();
        if let Some(count) = held.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_a_proxy_as_many_as_there_are_and_nothing_is_left_behind() {
        let proxies = Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        let crowd = Arc::new(Crowd::new(2, proxies));
        let (one, two) = (IpAddr::from([203, 0, 113, 1]), IpAddr::from([203, 0, 113, 2]));
        let mut places = vec![crowd.enter(one).unwrap(), crowd.enter(one).unwrap()];
        assert!(crowd.enter(one).is_none() && crowd.enter(two).is_some());
        places.pop();
        assert!(crowd.enter(one).is_some());
        let many: Vec<Place> = (0..9).filter_map(|_| crowd.enter(IpAddr::from([10, 0, 0, 1]))).collect();
        assert_eq!(many.len(), 9);
        drop((places, many));
        assert!(crowd.held().is_empty());
    }
}
