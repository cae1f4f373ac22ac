//! A server in a process of its own, so that what it uses of the machine can be told from what the load generator uses.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};

use super::serve::What;
use crate::exit::Failure;

/// How long a server may take until it says where it listens: a broker's new queues are left alone for some seconds.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// What `/proc` counts core time in, a second. Linux has told programs 100 on every machine for decades.
const TICKS: u64 = 100;

/// The process.
pub(super) struct Apart {
    child: Child,
    /// It serves until this is closed; one of nobody's input is sent a signal.
    open: Option<ChildStdin>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

/// What a process has used since it began. Zero where the system does not tell.
#[derive(Clone, Copy, Default)]
pub(super) struct Used {
    /// Core time of all its threads.
    pub(super) core: Duration,
    /// Bytes it caused to be written to a disk.
    pub(super) written: u64,
    /// The most memory it ever held, in MB.
    pub(super) peak_rss_mb: u64,
}

impl Used {
    /// What was used since then.
    pub(super) fn since(self, before: Used) -> Used {
        let core = self.core.saturating_sub(before.core);
        Used { core, written: self.written.saturating_sub(before.written), ..self }
    }
}

impl Apart {
    /// Starts one of ours and waits until it listens. `url` and `prefix` are of a broker, where there is one.
    pub(super) async fn start(what: What, folder: &Path, broker: Option<(&str, &str)>) -> Result<Apart, Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::unavailable(&error))?;
        let mut command = Command::new(program);
        let what = what.to_possible_value().map(|what| what.get_name().to_owned()).unwrap_or_default();
        command.args(["bench", "serve", &what]).arg(folder);
        if let Some((url, prefix)) = broker {
            command.args(["--prefix", prefix]).env("AMQP_URL", url);
        }
        Apart::run(command, &what).await
    }

    /// Starts a program that prints where it listens and ends once its input does, and waits until it listens.
    pub(super) async fn run(mut command: Command, what: &str) -> Result<Apart, Failure> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| Failure::unavailable(&error))?;
        let (open, said) = (child.stdin.take(), child.stdout.take());
        let (Some(open), Some(said)) = (open, said) else {
            return Err(Failure::Unavailable("a server of the bench has no pipes".to_owned()));
        };
        let mut line = String::new();
        let read = tokio::time::timeout(READY_WITHIN, BufReader::new(said).read_line(&mut line)).await;
        match (read, line.trim_end().parse()) {
            (Ok(Ok(_)), Ok(address)) => Ok(Apart { child, open: Some(open), address }),
            (Ok(_), _) => Err(Failure::Unavailable(format!("the bench's {what} server did not start"))),
            (Err(_), _) => Err(late(what)),
        }
    }

    /// Starts a program that listens at this address until it is told to end, and waits until it listens.
    pub(super) async fn run_at(address: SocketAddr, mut command: Command, what: &str) -> Result<Apart, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().map_err(|error| Failure::unavailable(&error))?;
        let mut apart = Apart { child, open: None, address };
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if let Ok(Some(status)) = apart.child.try_wait() {
                return Err(Failure::Unavailable(format!("the bench's {what} server ended with {status}")));
            }
            if started.elapsed() > READY_WITHIN {
                return Err(late(what));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(apart)
    }

    /// What it has used until now.
    pub(super) fn used(&self) -> Used {
        let Some(id) = self.child.id() else { return Used::default() };
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
        Used {
            core: core(&read("stat")),
            written: field(&read("io"), "write_bytes:"),
            peak_rss_mb: field(&read("status"), "VmHWM:") / 1024,
        }
    }

    /// Lets it end in order.
    pub(super) async fn end(self) -> Result<(), Failure> {
        let Apart { mut child, open, address: _ } = self;
        if open.is_none()
            && let Some(process) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?))
        {
            // One that is gone has ended.
            let _ = kill_process(process, Signal::TERM);
        }
        drop(open);
        match tokio::time::timeout(ENDS_WITHIN, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(Failure::Unavailable(format!("a server of the bench ended with {status}"))),
            Ok(Err(error)) => Err(Failure::unavailable(&error)),
            Err(_) => Err(Failure::Unavailable("a server of the bench did not end in time".to_owned())),
        }
    }

    /// Ends it without asking.
    pub(super) async fn kill(mut self) {
        // One that ended by itself is as dead.
        let _ = self.child.kill().await;
    }
}

fn late(what: &str) -> Failure {
    Failure::Unavailable(format!("the bench's {what} server did not listen in time"))
}

/// A number from lines of `NAME NUMBER`.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// User and system time from `/proc/PID/stat`; the name in parentheses before them may hold anything.
fn core(stat: &str) -> Duration {
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_used_is_read_from_what_linux_says() {
        let stat = "77 (a (b) c) S 1 77 77 0 -1 4194560 900 0 0 0 250 31 0 0 20 0 3 0 100 1000 50";
        assert_eq!(core(stat), Duration::from_millis(2_810));
        assert_eq!(core(""), Duration::ZERO);
        assert_eq!(field("Name:\tx\nVmHWM:\t   20480 kB\n", "VmHWM:"), 20_480);
        assert_eq!(field("wchar: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 9\n", "write_bytes:"), 4_096);
        assert_eq!(field("", "write_bytes:"), 0);
    }
}
