//! The file system of SQLite's that asks the [`Disk`] before it does what the system's own does.
//!
//! Files of no disk are the system's own altogether. A file of a disk is ours, with the system's behind it in the same piece of
//! memory: locks, shared memory and reads pass through, writes and syncs only while the disk says so. Nothing is really synced:
//! what would be lost is what the disk remembers.
#![allow(unsafe_code, reason = "a file system of SQLite's is made of C functions")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, OnceLock};

use rusqlite::ffi;

use crate::disk::{Disk, Refused, SECTOR_BYTES};

const NAME: &CStr = c"afluente-proof";

/// A file of a disk. The system's own file follows it in memory.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    opened: *mut Opened,
}

struct Opened {
    disk: Arc<Disk>,
    life: u64,
    path: PathBuf,
    /// The next sync syncs the folder too, as SQLite does it: the first of a journal or log that it may have made.
    folder: AtomicBool,
}

/// The system's file system.
struct Real(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's file systems are made to be called from every thread, and this one is never taken away.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

/// Makes it SQLite's default for the whole process. Twice is once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the system's file system is found before ours is the default; what is registered is never freed.
        let registered = unsafe {
            let real = ffi::sqlite3_vfs_find(null());
            assert!(!real.is_null(), "SQLite has no file system");
            let vfs = ffi::sqlite3_vfs {
                iVersion: 1,
                szOsFile: (*real).szOsFile + c_int::try_from(size_of::<File>()).unwrap_or(c_int::MAX),
                pNext: null_mut(),
                zName: NAME.as_ptr(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                ..*real
            };
            let _ = REAL.set(Real(real));
            ffi::sqlite3_auto_extension(Some(connected));
            ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1)
        };
        assert_eq!(registered, ffi::SQLITE_OK, "cannot register the file system");
    });
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Calls a method of the system's file behind ours. All of them are there: it is a file of the system that is open.
macro_rules! real {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let real = behind($file);
        match (*(*real).pMethods).$method {
            Some(method) => method(real $(, $argument)*),
            None => ffi::SQLITE_INTERNAL,
        }
    }};
}

/// The system's file behind ours.
unsafe fn behind(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite gives every file the memory that `szOsFile` asks for: ours, then the system's.
    unsafe { file.cast::<File>().add(1).cast() }
}

unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Opened {
    // SAFETY: set when the file was opened with our methods, freed when it is closed; SQLite calls nothing after that.
    unsafe { &*(*file.cast::<File>()).opened }
}

fn real_vfs() -> *mut ffi::sqlite3_vfs {
    REAL.get().map_or(null_mut(), |real| real.0)
}

/// The path in a name that SQLite hands over; none for files without one.
unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: a name of SQLite's is null or ends with a zero, and lives as long as the call.
    let name = unsafe { name.as_ref().map(|name| CStr::from_ptr(name)) }?;
    Some(Path::new(OsStr::from_bytes(name.to_bytes())))
}

/// What SQLite is told of an operation that the disk refused.
fn code(refused: Refused, failed: c_int) -> c_int {
    match refused {
        Refused::Dark => ffi::SQLITE_IOERR,
        Refused::Failed => failed,
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: as SQLite calls it; a file that is nobody's is the system's in the whole of its memory.
    unsafe {
        let (vfs, Some(open)) = (real_vfs(), (*real_vfs()).xOpen) else { return ffi::SQLITE_INTERNAL };
        let Some((path, disk)) = path(name).and_then(|path| Some((path.to_owned(), Disk::of(path)?))) else {
            return open(vfs, name, file, flags, out);
        };
        (*file).pMethods = null();
        let life = match disk.opened() {
            Ok(life) => life,
            Err(refused) => return code(refused, ffi::SQLITE_CANTOPEN),
        };
        let real = behind(file);
        (*real).pMethods = null();
        let answer = open(vfs, name, real, flags, out);
        if answer == ffi::SQLITE_OK {
            let log = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
            let folder = AtomicBool::new(flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & log != 0);
            (*file.cast::<File>()).opened = Box::into_raw(Box::new(Opened { disk, life, path, folder }));
            (*file).pMethods = &raw const METHODS;
        } else {
            disk.closed(life);
        }
        answer
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let (vfs, Some(delete)) = (real_vfs(), (*real_vfs()).xDelete) else { return ffi::SQLITE_INTERNAL };
        let refused = path(name).and_then(|path| Disk::of(path)?.before_delete(path, sync_folder != 0).err());
        match refused {
            Some(refused) => code(refused, ffi::SQLITE_IOERR_DELETE),
            None => delete(vfs, name, 0),
        }
    }
}

unsafe extern "C" fn access(_: *mut ffi::sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let (vfs, Some(access)) = (real_vfs(), (*real_vfs()).xAccess) else { return ffi::SQLITE_INTERNAL };
        match path(name).and_then(Disk::of) {
            Some(disk) if !disk.is_on() => ffi::SQLITE_IOERR_ACCESS,
            Some(_) | None => access(vfs, name, flags, out),
        }
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the last call of an open file; its memory is freed once.
    unsafe {
        let answer = real!(file, xClose);
        let opened = Box::from_raw((*file.cast::<File>()).opened);
        opened.disk.closed(opened.life);
        answer
    }
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, out: *mut c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let Opened { disk, life, .. } = opened(file);
        match disk.readable(*life) {
            Ok(()) => real!(file, xRead, out, length, offset),
            Err(refused) => code(refused, ffi::SQLITE_IOERR_READ),
        }
    }
}

/// A sector as it is in the file, zeros where that ends.
unsafe fn sector(file: *mut ffi::sqlite3_file, number: u64) -> Vec<u8> {
    let mut held = vec![0; usize::try_from(SECTOR_BYTES).unwrap_or(512)];
    let length = c_int::try_from(SECTOR_BYTES).unwrap_or(512);
    let offset = i64::try_from(number * SECTOR_BYTES).unwrap_or(i64::MAX);
    // SAFETY: the file is open and the memory as long as it says. A short read fills up with zeros.
    unsafe { real!(file, xRead, held.as_mut_ptr().cast(), length, offset) };
    held
}

unsafe fn bytes(file: *mut ffi::sqlite3_file) -> u64 {
    let mut size = 0;
    // SAFETY: the file is open.
    unsafe { real!(file, xFileSize, &raw mut size) };
    u64::try_from(size).unwrap_or(0)
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, data: *const c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let Opened { disk, life, path, .. } = opened(file);
        let part = (u64::try_from(offset).unwrap_or(0), u64::try_from(length).unwrap_or(0));
        match disk.before_write((path, *life), part, bytes(file), |number| sector(file, number)) {
            Ok(()) => {
                let answer = real!(file, xWrite, data, length, offset);
                disk.after_write(path);
                answer
            }
            Err(refused) => code(refused, ffi::SQLITE_IOERR_WRITE),
        }
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let Opened { disk, life, path, .. } = opened(file);
        let length = u64::try_from(size).unwrap_or(0);
        match disk.before_truncate((path, *life), length, bytes(file), |number| sector(file, number)) {
            Ok(()) => {
                let answer = real!(file, xTruncate, size);
                disk.after_write(path);
                answer
            }
            Err(refused) => code(refused, ffi::SQLITE_IOERR_TRUNCATE),
        }
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let Opened { disk, life, path, folder } = opened(file);
        let folder = folder.swap(false, Ordering::Relaxed);
        disk.sync(path, *life, bytes(file), folder)
            .map_or_else(|refused| code(refused, ffi::SQLITE_IOERR_FSYNC), |()| ffi::SQLITE_OK)
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        let Opened { disk, life, .. } = opened(file);
        match disk.readable(*life) {
            Ok(()) => real!(file, xFileSize, out),
            Err(refused) => code(refused, ffi::SQLITE_IOERR_FSTAT),
        }
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe {
        // Whoever closes a file of an earlier life must not delete the log of a later one.
        let Opened { disk, life, .. } = opened(file);
        match disk.readable(*life) {
            Ok(()) => real!(file, xLock, level),
            Err(refused) => code(refused, ffi::SQLITE_IOERR_LOCK),
        }
    }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xUnlock, level) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xCheckReservedLock, out) }
}

/// Of a lax disk, `synchronous` stays what [`connected`] made it.
unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: as SQLite calls it; the argument of a pragma is an array: where the answer goes, its name, its value.
    unsafe {
        let is = |at: usize, word: &str| {
            let text: *const c_char = *argument.cast::<*const c_char>().add(at);
            !text.is_null() && CStr::from_ptr(text).to_bytes().eq_ignore_ascii_case(word.as_bytes())
        };
        if what == ffi::SQLITE_FCNTL_PRAGMA && opened(file).disk.is_lax() && is(1, "synchronous") && is(2, "full") {
            // Answered with a text, which SQLite frees: an answer without one is a column without a name.
            *argument.cast::<*mut c_char>() = ffi::sqlite3_mprintf(c"normal".as_ptr());
            return ffi::SQLITE_OK;
        }
        real!(file, xFileControl, what, argument)
    }
}

/// A connection was opened. Of a lax disk it syncs no commit.
unsafe extern "C" fn connected(
    connection: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: the connection is open; its file's name lives as long as it does.
    unsafe {
        let name = ffi::sqlite3_db_filename(connection, c"main".as_ptr());
        match path(name).and_then(Disk::of) {
            Some(disk) if disk.is_lax() => {
                let pragma = c"pragma synchronous = normal";
                ffi::sqlite3_exec(connection, pragma.as_ptr(), None, null_mut(), null_mut())
            }
            Some(_) | None => ffi::SQLITE_OK,
        }
    }
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xSectorSize) }
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xDeviceCharacteristics) }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xShmMap, region, size, extend, out) }
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xShmLock, offset, count, flags) }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as SQLite calls it.
    unsafe {
        let real = behind(file);
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { real!(file, xShmUnmap, delete) }
}
