//! The binary under test, run as anybody would run it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;

use crate::{PATIENCE, exchange, wait_until};

/// The binary, built beside this test.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let binary = folder.join("afluente");
    assert!(binary.is_file(), "expected {} to be built: run `cargo build --workspace` first", binary.display());
    binary
}

/// A command that ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

impl Finished {
    /// What it printed, as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("expected JSON ({error}), got {self:#?}"))
    }

    /// Itself, if it ended with this code.
    pub fn expect(self, code: i32) -> Finished {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// A command line to run.
pub struct Command(std::process::Command);

/// The binary with these arguments, without anything of this environment that could change what it does.
pub fn afluente<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = std::process::Command::new(binary());
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars()
        .filter(|(name, _)| name.starts_with("AFLUENTE_") || name == "DATABASE_URL" || name == "AMQP_URL")
    {
        command.env_remove(name);
    }
    Command(command)
}

impl Command {
    /// The same with a variable set.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Command {
        self.0.env(name, value);
        self
    }

    /// The same in another folder.
    #[must_use]
    pub fn at(mut self, folder: &Path) -> Command {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Finished {
        let output = self.0.output().unwrap();
        finished(output.status, &output.stdout, &output.stderr)
    }

    /// Runs it to its end with this on standard input.
    pub fn run_with_input(mut self, input: &[u8]) -> Finished {
        let mut child = self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let output = child.wait_with_output().unwrap();
        // A command that stops reading early breaks the pipe, which is its right.
        let _ = writer.join().unwrap();
        finished(output.status, &output.stdout, &output.stderr)
    }

    /// Starts it without waiting.
    pub fn spawn(mut self) -> Child {
        self.0.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn finished(status: std::process::ExitStatus, out: &[u8], err: &[u8]) -> Finished {
    Finished {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(out).into_owned(),
        err: String::from_utf8_lossy(err).into_owned(),
    }
}

/// A running `afluente up`, or one of its roles alone; killed when dropped.
pub struct Up {
    child: Child,
    /// Where webhooks are posted; port 0 where none are.
    pub ingress: SocketAddr,
    /// Where health and metrics are read.
    pub admin: SocketAddr,
    log: std::thread::JoinHandle<String>,
}

impl Up {
    /// Starts it on this folder and waits until it is ready.
    #[must_use]
    pub fn start(folder: &Path) -> Up {
        Up::start_role("up", folder)
    }

    /// Starts one of `up`, `ingress` and `worker` on this folder and waits until it is ready.
    #[must_use]
    pub fn start_role(role: &str, folder: &Path) -> Up {
        Up::start_with::<&str>(role, folder, &[])
    }

    /// Starts it with these variables set.
    #[must_use]
    pub fn start_with<S: AsRef<str>>(role: &str, folder: &Path, variables: &[(&str, S)]) -> Up {
        let command = afluente([OsStr::new(role), OsStr::new("--data"), folder.as_os_str()]);
        Up::from(variables.iter().fold(command, |command, (name, value)| command.env(name, value.as_ref())))
    }

    /// Starts it with no file larger than so many blocks of 512 bytes: a disk that fills up.
    #[must_use]
    pub fn start_on_a_small_disk(folder: &Path, blocks: u32) -> Up {
        // The signal is ignored, so that a write past the limit fails as it would on a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" up --data \"$1\"");
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(script).arg(binary()).arg(folder).stdin(Stdio::null());
        Up::from(Command(command))
    }

    fn from(command: Command) -> Up {
        let mut child = command.spawn();
        let log = drain(child.stderr.take().unwrap());
        let (sender, addresses) = mpsc::channel();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            let mut ingress = SocketAddr::from(([127, 0, 0, 1], 0));
            for line in lines.by_ref().map_while(Result::ok) {
                let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()?.trim().parse().ok());
                match address {
                    Some(address) if line.starts_with("webhooks") => ingress = address,
                    // The receiver goes away once it has both; the rest is read so that the pipe never fills.
                    Some(admin) => drop(sender.send((ingress, admin))),
                    None => {}
                }
            }
        });
        let Ok((ingress, admin)) = addresses.recv_timeout(PATIENCE) else {
            // Ended already is as good.
            let _ = child.kill();
            panic!("up did not say where it listens: {}", log.join().unwrap());
        };
        let up = Up { child, ingress, admin, log };
        wait_until("up is ready", || up.get("/readyz").starts_with("HTTP/1.1 200"));
        up
    }

    /// A page of the admin listener, head and body.
    #[must_use]
    pub fn get(&self, path: &str) -> String {
        exchange(self.admin, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
            .text
    }

    /// The metrics page, on which every family says what it is.
    #[must_use]
    pub fn metrics(&self) -> String {
        let page = self.get("/metrics");
        for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().unwrap();
            assert!(page.contains(&format!("# HELP {name} ")), "{name} does not say what it is");
        }
        page
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGKILL and waits until it is gone.
    pub fn kill_nine(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent =
            std::process::Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.pid())).status().unwrap();
        assert!(sent.success(), "cannot signal {}", self.pid());
    }

    /// Ends it with SIGTERM; its exit code and its log.
    #[must_use]
    pub fn terminate(mut self) -> (i32, String) {
        self.signal("TERM");
        let code = self.wait();
        (code, std::mem::replace(&mut self.log, std::thread::spawn(String::new)).join().unwrap())
    }

    /// Waits for its end and gives the exit code.
    pub fn wait(&mut self) -> i32 {
        let mut code = None;
        wait_until("up has ended", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.and_then(|status| status.code()).unwrap_or(-1)
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = from.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}
