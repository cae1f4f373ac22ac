//! A fuzzer for stable Rust: seeded, bounded in time, and told what its targets are made of. Short in an ordinary run;
//! `AFLUENTE_FUZZ_SECONDS` lets each target run longer, `AFLUENTE_FUZZ_SEED` elsewhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Nothing a target does may take longer.
const LONGEST: Duration = Duration::from_secs(5);
/// What a target may grow by once it is warm, bytes.
const MOST_GROWTH: u64 = 64 << 20;

/// Runs a target with other chances again and again. Fails with the seed if it panics, hangs, or keeps what it was given.
pub fn fuzz(what: &str, mut one: impl FnMut(&mut StdRng)) {
    let seconds = setting("AFLUENTE_FUZZ_SECONDS", 2);
    let first = setting("AFLUENTE_FUZZ_SEED", 1);
    let (started, length) = (Instant::now(), Duration::from_secs(seconds));
    let (mut executions, mut warm) = (0_u64, None);
    while started.elapsed() < length {
        let seed = first.wrapping_mul(1_000_003).wrapping_add(executions);
        let began = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| one(&mut StdRng::seed_from_u64(seed))));
        assert!(
            ended.is_ok(),
            "{what}: it panics with seed {seed} (execution {executions} of AFLUENTE_FUZZ_SEED={first})"
        );
        assert!(began.elapsed() < LONGEST, "{what}: it takes {:?} with seed {seed}", began.elapsed());
        executions += 1;
        if warm.is_none() && started.elapsed() > length / 4 {
            warm = Some(resident());
        }
    }
    let growth = resident().saturating_sub(warm.unwrap_or(u64::MAX));
    assert!(growth < MOST_GROWTH, "{what}: it grew by {growth} bytes over {executions} executions");
    eprintln!("fuzz {what}: {executions} executions in {seconds} s, grew by {growth} bytes");
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Memory of this process, bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).map_or(0, |pages: u64| pages * 4_096)
}

/// One of these.
pub fn pick<'a, T: ?Sized>(random: &mut StdRng, of: &[&'a T]) -> &'a T {
    of[random.random_range(0..of.len())]
}

/// These bytes with one to six changes: bits, lengths, pieces twice or elsewhere, and words that mean something.
pub fn mutated(random: &mut StdRng, bytes: &[u8], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=6) {
        let at = random.random_range(0..=bytes.len());
        let to = random.random_range(at..=bytes.len().min(at + 40));
        match random.random_range(0..8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = random.random(),
            2 => drop(bytes.drain(at..to)),
            3 => bytes.truncate(at),
            4 => {
                let piece = bytes[at..to].to_vec();
                let place = random.random_range(0..=bytes.len());
                bytes.splice(place..place, piece);
            }
            5 => {
                let many = random.random_range(1..2_000);
                let byte = bytes.get(at).copied().unwrap_or(b'[');
                bytes.splice(at..at, std::iter::repeat_n(byte, many));
            }
            _ => {
                let word = pick(random, words).to_vec();
                bytes.splice(at..to.min(at + word.len()), word);
            }
        }
    }
    bytes
}
