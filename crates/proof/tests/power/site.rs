//! A folder on a disk whose power goes, and how often it does.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use afluente_proof::{Counts, Disk, Plan};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

/// What is wrong on purpose, for the suite to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    None,
    /// `synchronous=NORMAL`: a commit is in the log, the log is not synced.
    SyncsNoCommit,
    /// Whoever publishes is answered once the message was handed over.
    AnswersBeforeTheCommit,
}

pub(crate) struct Site {
    folder: TempDir,
    pub(crate) disk: Arc<Disk>,
    pub(crate) rng: StdRng,
}

impl Site {
    pub(crate) fn new(seed: u64, twin: Twin) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::under(folder.path(), seed).unwrap();
        if twin == Twin::SyncsNoCommit {
            disk.be_lax();
        }
        Site { folder, disk, rng: StdRng::seed_from_u64(seed) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The next cut comes at a step the seed chooses: mostly in the midst of work, sometimes while opening. Before one of three a
    /// sync or two fail.
    pub(crate) fn plan_a_cut(&mut self) {
        let most = [8, 40, 200][self.rng.random_range(0..3)];
        let cut_after = Some(self.rng.random_range(0..most));
        let first = self.rng.random_range(0..most / 4);
        let fail_syncs = if self.rng.random_bool(0.33) { first..first + self.rng.random_range(1..3) } else { 0..0 };
        self.disk.plan(Plan { cut_after, fail_syncs });
    }
}

/// Runs a future of a queue or a ledger to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// So many cuts, in histories of `each`; the first fault fails the test, with its seed. `full` of them where
/// `AFLUENTE_TEST_FULL` is set; `AFLUENTE_SEED` starts elsewhere.
pub(crate) fn cuts(short: u64, full: u64, each: u64, history: impl Fn(u64) -> Result<Counts, String>) {
    let first: u64 = std::env::var("AFLUENTE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let (started, mut total) = (Instant::now(), Counts::default());
    for seed in first..first + afluente_testkit::at_full_size(short, full).div_ceil(each) {
        let counts = history(seed).unwrap_or_else(|fault| panic!("{fault}"));
        total.cuts += counts.cuts;
        total.steps += counts.steps;
        total.lost += counts.lost;
        total.torn += counts.torn;
        total.failed_syncs += counts.failed_syncs;
    }
    assert!(total.cuts * 2 >= short && total.lost > total.cuts, "the cuts take next to nothing: {total:?}");
    println!(
        "{} cuts and {} failed syncs in {} steps took {} sectors back and tore {}; nothing was lost; {:.1} s",
        total.cuts,
        total.failed_syncs,
        total.steps,
        total.lost,
        total.torn,
        started.elapsed().as_secs_f64()
    );
}

/// That what is wrong on purpose is found by the same histories, and by which.
pub(crate) fn noticed(wrong: &str, history: impl Fn(u64) -> Result<Counts, String>) {
    let fault = (0..20).find_map(|seed| history(seed).err());
    println!("{wrong}: {}", fault.unwrap_or_else(|| panic!("{wrong} was not noticed by 20 histories")));
}
