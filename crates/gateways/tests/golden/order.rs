//! Orders in which deliveries may come.

/// Up to this many deliveries every order is tried.
const ALL_UP_TO: usize = 5;
/// Past it, this many.
const SOME: usize = 2_000;

/// Every order of `count` deliveries, or many seeded ones; the first is the order they were sent in.
pub(crate) fn all_or_some(count: usize) -> Vec<Vec<usize>> {
    let sent: Vec<usize> = (0..count).collect();
    if count <= ALL_UP_TO {
        let mut orders = vec![Vec::new()];
        for next in sent {
            orders = orders.iter().flat_map(|order| inserted(order, next)).collect();
        }
        orders.sort();
        return orders;
    }
    let mut seed = 0x5eed;
    let mut orders = vec![sent.clone()];
    orders.extend((1..SOME).map(|_| shuffled(&sent, &mut seed)));
    orders
}

fn inserted(order: &[usize], next: usize) -> Vec<Vec<usize>> {
    let at = |place| {
        let mut order = order.to_vec();
        order.insert(place, next);
        order
    };
    (0..=order.len()).map(at).collect()
}

fn shuffled(sent: &[usize], seed: &mut u64) -> Vec<usize> {
    let mut order = sent.to_vec();
    for last in (1..order.len()).rev() {
        let place = usize::try_from(next(seed) % (last as u64 + 1)).unwrap();
        order.swap(last, place);
    }
    order
}

/// Splitmix64: the same orders on every machine.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Each delivery comes twice in a row.
pub(crate) fn twice_each(order: &[usize]) -> Vec<usize> {
    order.iter().flat_map(|index| [*index, *index]).collect()
}

/// The whole series comes again, backwards.
pub(crate) fn again(order: &[usize]) -> Vec<usize> {
    order.iter().chain(order.iter().rev()).copied().collect()
}
