//! What a disk holds once the power was cut.
//!
//! SQLite writes to the real files, which stand for the page cache: whoever reads sees what was written. Of every sector written
//! since its file was last synced, what the disk holds for sure is remembered. A cut takes a part of those back, chosen by a
//! seed, tears one, and leaves each file as long as it was or as it is; one that grew, at any length in between.

mod loss;

use std::fs::OpenOptions;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use loss::State;

/// What a disk writes whole, or not at all, or tears once.
pub const SECTOR_BYTES: u64 = 512;
/// How long whoever had files open may take to close them after a cut.
const CLOSED_WITHIN: Duration = Duration::from_secs(30);

/// Every disk there is; files of other folders are nobody's business.
static DISKS: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

/// The disk under a folder.
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
    closed: Condvar,
}

/// What goes wrong, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The power goes before this many more writes, cuts of a file, syncs and deletions.
    pub cut_after: Option<u64>,
    /// Of the syncs to come, these fail, counted from zero: what they should have written can be read and is on no disk.
    pub fail_syncs: Range<u64>,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes, cuts of a file, syncs and deletions.
    pub steps: u64,
    /// Syncs among them.
    pub syncs: u64,
    /// Syncs that failed.
    pub failed_syncs: u64,
    /// Times the power was cut.
    pub cuts: u64,
    /// Sectors that a cut took back.
    pub lost: u64,
    /// Sectors that a cut tore.
    pub torn: u64,
}

/// Why the disk does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The power is off, or was since the file was opened.
    Dark,
    /// The sync failed.
    Failed,
}

impl Disk {
    /// The disk under this folder, on, with all that is there durable. What it loses at a cut is a function of the seed and of
    /// what was done.
    pub fn under(folder: &Path, seed: u64) -> io::Result<Arc<Disk>> {
        crate::vfs::register();
        let disk = Arc::new(Disk {
            folder: folder.canonicalize()?,
            state: Mutex::new(State::new(seed)),
            closed: Condvar::new(),
        });
        let mut disks = lock(&DISKS);
        disks.retain(|disk| disk.strong_count() > 0);
        disks.push(Arc::downgrade(&disk));
        Ok(disk)
    }

    pub(crate) fn of(path: &Path) -> Option<Arc<Disk>> {
        let disks = lock(&DISKS);
        disks.iter().filter_map(Weak::upgrade).find(|disk| path.starts_with(&disk.folder))
    }

    /// What goes wrong from now on.
    pub fn plan(&self, plan: Plan) {
        self.state().plan = plan;
    }

    /// From now on databases are opened with `synchronous=NORMAL`, whatever their program asks for: what a suite must notice.
    pub fn be_lax(&self) {
        self.state().lax = true;
    }

    pub(crate) fn is_lax(&self) -> bool {
        self.state().lax
    }

    /// Whether the power is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.state().on
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Cuts the power now, unless it is off.
    pub fn cut(&self) {
        self.state().cut();
    }

    /// Ends whoever has files open, as a kill does: what they wrote is there, synced or not. Whether they close them or never do,
    /// the files are others from now on, as they are for another process.
    pub fn kill(&self) -> io::Result<()> {
        let mut state = self.state();
        state.life += 1;
        state.open = 0;
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-shm") {
                std::fs::remove_file(&path)?;
            } else if path.is_file() {
                let (copy, written) = (path.with_extension("copy"), path.metadata()?.modified()?);
                std::fs::copy(&path, &copy)?;
                OpenOptions::new().write(true).open(&copy)?.set_modified(written)?;
                std::fs::rename(&copy, &path)?;
            }
        }
        Ok(())
    }

    /// Waits until nobody has a file open any more, takes back what the cut took, and goes on. Cuts first if nobody did.
    ///
    /// # Panics
    /// If files stay open for half a minute.
    pub fn power_on(&self) -> io::Result<()> {
        let mut state = self.state();
        state.cut();
        let mut state = self.all_closed(state);
        state.lose()?;
        state.life += 1;
        state.plan = Plan::default();
        state.on = true;
        Ok(())
    }

    /// Waits until nobody has a file open any more.
    ///
    /// # Panics
    /// If files stay open for half a minute.
    pub fn closed_by_all(&self) {
        drop(self.all_closed(self.state()));
    }

    fn all_closed<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let closed = self.closed.wait_timeout_while(state, CLOSED_WITHIN, |state| state.open > 0);
        let (state, waited) = closed.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "{} files are still open", state.open);
        state
    }

    pub(crate) fn opened(&self) -> Result<u64, Refused> {
        let mut state = self.state();
        if !state.on {
            return Err(Refused::Dark);
        }
        state.open += 1;
        Ok(state.life)
    }

    pub(crate) fn closed(&self, life: u64) {
        let mut state = self.state();
        if state.life == life {
            state.open -= 1;
            self.closed.notify_all();
        }
    }

    /// Whether a file of that life may be read or locked.
    pub(crate) fn readable(&self, life: u64) -> Result<(), Refused> {
        self.state().living(life)
    }

    /// Before a write: what the sectors hold is remembered. `read` reads one of the file as it is.
    pub(crate) fn before_write(
        &self,
        (path, life): (&Path, u64),
        (offset, length): (u64, u64),
        bytes: u64,
        read: impl FnMut(u64) -> Vec<u8>,
    ) -> Result<(), Refused> {
        let mut state = self.state();
        state.step(life)?;
        state.written_past(path);
        state.remember(path, bytes, offset / SECTOR_BYTES..(offset + length).div_ceil(SECTOR_BYTES), read);
        Ok(())
    }

    /// After a write or a cut: what the file's time is, so that it shows who wrote it later.
    pub(crate) fn after_write(&self, path: &Path) {
        self.state().written(path);
    }

    /// Before the file is cut to this length.
    pub(crate) fn before_truncate(
        &self,
        (path, life): (&Path, u64),
        length: u64,
        bytes: u64,
        read: impl FnMut(u64) -> Vec<u8>,
    ) -> Result<(), Refused> {
        let mut state = self.state();
        state.step(life)?;
        state.written_past(path);
        state.remember(path, bytes, length / SECTOR_BYTES..bytes.div_ceil(SECTOR_BYTES), read);
        Ok(())
    }

    /// What was written is on the disk when this returns, or never; `folder` if the folder is synced as well.
    pub(crate) fn sync(&self, path: &Path, life: u64, bytes: u64, folder: bool) -> Result<(), Refused> {
        let mut state = self.state();
        state.step(life)?;
        state.written_past(path);
        state.sync(path, bytes)?;
        if folder {
            state.sync_folder();
        }
        Ok(())
    }

    /// Before a file is deleted; `synced` if its folder is synced with it.
    pub(crate) fn before_delete(&self, path: &Path, synced: bool) -> Result<(), Refused> {
        let mut state = self.state();
        let life = state.life;
        state.step(life)?;
        state.delete(path, synced);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A test that panics with the lock held fails anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
