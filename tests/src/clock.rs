//! A system clock that a test may set while a process runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// Stands before the C library's own: the real clock moved by as many seconds as a file says; other clocks stay.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int file = -2;
    if (file == -2) file = open(getenv("TEST_CLOCK"), O_RDONLY | O_CLOEXEC);
    int result = syscall(SYS_clock_gettime, clock, now);
    char text[32] = {0};
    if (clock == CLOCK_REALTIME && pread(file, text, sizeof text - 1, 0) > 0) now->tv_sec += atol(text);
    return result;
}
"#;

/// The clock of whoever is started with its variables.
pub struct Clock {
    folder: TempDir,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl Clock {
    /// One that is right.
    #[must_use]
    pub fn new() -> Clock {
        let clock = Clock { folder: tempfile::tempdir().unwrap() };
        clock.is_off_by(0);
        fs::write(clock.path("shim.c"), SHIM).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(clock.path("shim.so")).arg(clock.path("shim.c"));
        assert!(compiler.status().unwrap().success(), "the clock's shim does not compile");
        clock
    }

    /// From now on it is off by this many seconds. Always as many bytes, so that nobody reads half of it.
    pub fn is_off_by(&self, seconds: i64) {
        let text = format!("{seconds:+020}\n");
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(self.path("offset")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, text.as_bytes(), 0).unwrap();
    }

    /// What a process is to be started with.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let text = |name: &str| self.path(name).display().to_string();
        [("LD_PRELOAD", text("shim.so")), ("TEST_CLOCK", text("offset"))]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
