//! What this process has used of the machine.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Core time of all threads since the start.
pub(super) fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
