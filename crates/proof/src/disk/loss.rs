//! What is on the disk and what is not yet, and what a cut makes of it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Counts, Plan, Refused, SECTOR_BYTES};

pub(super) struct State {
    rng: StdRng,
    pub(super) plan: Plan,
    /// How often the power came on. Files opened in an earlier life stay dead.
    pub(super) life: u64,
    pub(super) on: bool,
    /// Databases are written with `synchronous=NORMAL`, whatever their program asks for.
    pub(super) lax: bool,
    pub(super) open: usize,
    files: BTreeMap<PathBuf, Unsynced>,
    /// Files whose deletion the folder was not synced after, as they were.
    deleted: BTreeMap<PathBuf, (Vec<u8>, Option<Unsynced>)>,
    pub(super) counts: Counts,
}

/// What the disk holds for sure of a file that was written since.
struct Unsynced {
    bytes: u64,
    sectors: BTreeMap<u64, Sector>,
    /// When SQLite last wrote it.
    modified: Option<SystemTime>,
}

struct Sector {
    held: Vec<u8>,
    /// A sync failed since it was written: no later one writes it.
    forgotten: bool,
}

impl Unsynced {
    fn is_written_past(&self, path: &Path) -> bool {
        self.modified.is_some() && self.modified != modified(path)
    }
}

impl State {
    /// A disk with the power on and nothing lost.
    pub(super) fn new(seed: u64) -> State {
        State {
            rng: StdRng::seed_from_u64(seed),
            plan: Plan::default(),
            life: 0,
            on: true,
            lax: false,
            open: 0,
            files: BTreeMap::new(),
            deleted: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn living(&self, life: u64) -> Result<(), Refused> {
        if self.on && self.life == life { Ok(()) } else { Err(Refused::Dark) }
    }

    pub(super) fn step(&mut self, life: u64) -> Result<(), Refused> {
        self.living(life)?;
        match &mut self.plan.cut_after {
            Some(0) => {
                self.cut();
                return Err(Refused::Dark);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.counts.steps += 1;
        Ok(())
    }

    pub(super) fn cut(&mut self) {
        if self.on {
            self.on = false;
            self.counts.cuts += 1;
        }
    }

    pub(super) fn remember(
        &mut self,
        path: &Path,
        bytes: u64,
        sectors: Range<u64>,
        mut read: impl FnMut(u64) -> Vec<u8>,
    ) {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), Unsynced { bytes, sectors: BTreeMap::new(), modified: None });
        }
        let Some(file) = self.files.get_mut(path) else { return };
        for number in sectors {
            let sector = file.sectors.entry(number);
            sector.or_insert_with(|| Sector { held: read(number), forgotten: false }).forgotten = false;
        }
    }

    pub(super) fn sync(&mut self, path: &Path, bytes: u64) -> Result<(), Refused> {
        self.counts.syncs += 1;
        let Range { start, end } = &mut self.plan.fail_syncs;
        let fails = *start == 0 && *end > 0;
        (*start, *end) = (start.saturating_sub(1), end.saturating_sub(1));
        if fails {
            self.counts.failed_syncs += 1;
            let sectors = self.files.get_mut(path).into_iter().flat_map(|file| file.sectors.values_mut());
            sectors.for_each(|sector| sector.forgotten = true);
            return Err(Refused::Failed);
        }
        if let Some(file) = self.files.get_mut(path) {
            file.sectors.retain(|_, sector| sector.forgotten);
            file.bytes = bytes;
            if file.sectors.is_empty() {
                self.files.remove(path);
            }
        }
        Ok(())
    }

    /// The folder was synced: what was deleted stays so.
    pub(super) fn sync_folder(&mut self) {
        self.deleted.clear();
    }

    /// After a write or a cut: what the file's time is, so that it shows who wrote it later.
    pub(super) fn written(&mut self, path: &Path) {
        if let Some(file) = self.files.get_mut(path) {
            file.modified = modified(path);
        }
    }

    /// Before a file is deleted; `synced` if its folder is synced with it.
    pub(super) fn delete(&mut self, path: &Path, synced: bool) {
        let unsynced = self.files.remove(path);
        if !synced && let Ok(content) = std::fs::read(path) {
            self.deleted.insert(path.to_owned(), (content, unsynced));
        }
    }

    /// What a failed sync forgot is remembered again where the program wrote the file itself since; it syncs what it writes.
    pub(super) fn written_past(&mut self, path: &Path) {
        if self.files.get(path).is_some_and(|file| file.is_written_past(path)) {
            self.files.remove(path);
        }
    }

    /// Makes the files what is left of them.
    pub(super) fn lose(&mut self) -> io::Result<()> {
        for (path, (content, unsynced)) in std::mem::take(&mut self.deleted) {
            if !path.exists() && self.rng.random_bool(0.5) {
                std::fs::write(&path, content)?;
                self.files.extend(unsynced.map(|unsynced| (path, Unsynced { modified: None, ..unsynced })));
            }
        }
        for (path, file) in std::mem::take(&mut self.files) {
            if file.is_written_past(&path) {
                continue;
            }
            match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(real) => self.lose_of(&real, &file)?,
                // Moved or deleted past SQLite: whoever does so syncs the folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn lose_of(&mut self, real: &File, file: &Unsynced) -> io::Result<()> {
        let kept = [0.0, 0.2, 0.5, 0.8, 1.0][self.rng.random_range(0..5)];
        let bytes = real.metadata()?.len();
        let left = self.length(file.bytes, bytes);
        // What was cut off is there again where the cut was lost.
        real.set_len(left.max(bytes))?;
        let torn = self.rng.random_bool(0.5).then(|| self.rng.random_range(0..file.sectors.len().max(1)));
        for (index, (number, sector)) in file.sectors.iter().enumerate() {
            // What was cut off was not written: it is there as it was.
            let cut_off = number * SECTOR_BYTES >= bytes;
            if torn == Some(index) && !cut_off {
                let at = self.rng.random_range(1..SECTOR_BYTES);
                write_sector(
                    real,
                    *number,
                    &sector.held,
                    if self.rng.random_bool(0.5) { 0..at } else { at..SECTOR_BYTES },
                )?;
                self.counts.torn += 1;
            } else if sector.forgotten || cut_off || !self.rng.random_bool(kept) {
                write_sector(real, *number, &sector.held, 0..SECTOR_BYTES)?;
                self.counts.lost += 1;
            }
        }
        real.set_len(left)
    }

    /// How long a file is whose length was changed and not synced. It grows bit by bit and is cut at once, or not at all.
    fn length(&mut self, synced: u64, now: u64) -> u64 {
        match self.rng.random_range(0..3) {
            0 => synced,
            2 if synced < now => self.rng.random_range(synced..=now),
            _ => now,
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}

/// Puts back a part of what a sector held, zeros where the file did not reach.
fn write_sector(real: &File, number: u64, held: &[u8], part: Range<u64>) -> io::Result<()> {
    let mut sector = held.to_vec();
    sector.resize(usize::try_from(SECTOR_BYTES).unwrap_or(512), 0);
    let range = usize::try_from(part.start).unwrap_or(0)..usize::try_from(part.end).unwrap_or(512);
    real.write_all_at(&sector[range], number * SECTOR_BYTES + part.start)
}
