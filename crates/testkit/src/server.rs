//! A Postgres server of the test's own, that may be killed, stopped, started again and filled up.

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::port::free_port;

/// How long a server may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server and its data; both are gone with the value.
pub struct Server {
    child: Option<Child>,
    folder: tempfile::TempDir,
    data: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl Server {
    /// Starts one.
    #[must_use]
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    /// Starts one with settings such as `max_connections=10`.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Server::make(folder, data, settings)
    }

    /// Starts one whose data is in this folder, which stays when the server is gone.
    #[must_use]
    pub fn start_in(data: &Path, settings: &[&str]) -> Server {
        Server::make(tempfile::tempdir().unwrap(), data.to_owned(), settings)
    }

    fn make(folder: tempfile::TempDir, data: PathBuf, settings: &[&str]) -> Server {
        open_to("postgres", folder.path());
        let mut initdb = unprivileged(&binaries().join("initdb"));
        initdb.arg("-D").arg(&data).args(["-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        succeed(&mut initdb);
        Server::over(folder, data, settings)
    }

    /// A standby that follows this server and has everything the moment it is committed.
    #[must_use]
    pub fn standby(&self) -> Server {
        let folder = tempfile::tempdir().unwrap();
        open_to("postgres", folder.path());
        let data = folder.path().join("data");
        let mut copy = unprivileged(&binaries().join("pg_basebackup"));
        copy.args(["-h", "127.0.0.1", "-U", "tester", "-c", "fast", "-R", "-p"]).arg(self.port.to_string());
        succeed(copy.arg("-D").arg(&data));
        let standby = Server::over(folder, data, &[]);
        self.psql("alter system set synchronous_standby_names = '*'");
        self.psql("select pg_reload_conf()");
        standby
    }

    fn over(folder: tempfile::TempDir, data: PathBuf, settings: &[&str]) -> Server {
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Server { child: None, folder, data, port: 0, settings };
        server.again();
        server
    }

    /// Starts it again, on the same port and data.
    pub fn again(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let started = Instant::now();
        loop {
            if self.port == 0 {
                self.port = free_port();
            }
            self.child = Some(self.spawn());
            if self.answers() {
                return;
            }
            // Whoever was killed holds the memory for a moment longer; a port that was taken meanwhile is given up.
            self.reap();
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "Postgres does not start: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Starts it again if it ended by itself.
    pub fn again_if_it_ended(&mut self) {
        let ended = self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
        if ended {
            self.child = None;
            self.again();
        }
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = unprivileged(&binaries().join("postgres"));
        command.arg("-D").arg(&self.data).arg("-p").arg(self.port.to_string()).arg("-k").arg(self.folder.path());
        for setting in
            ["listen_addresses=127.0.0.1", "fsync=on"].into_iter().chain(self.settings.iter().map(String::as_str))
        {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// Waits until it answers; false if it ended instead.
    fn answers(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some()) {
                return false;
            }
            let mut ready = Command::new(binaries().join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p"]).arg(self.port.to_string());
            if ready.status().unwrap().success() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends it as a power cut would.
    pub fn kill_nine(&mut self) {
        self.reap();
    }

    /// Ends it in order: sessions are told, nothing is finished.
    pub fn stop(&mut self) {
        self.signal("INT");
        if let Some(mut child) = self.child.take() {
            child.wait().unwrap();
        }
    }

    /// Sends a signal by name to the server, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id();
        succeed(Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")));
    }

    /// Its URL, for the database of that name.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://tester@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a statement in the database `postgres`; what it prints.
    pub fn psql(&self, sql: &str) -> String {
        self.psql_in("postgres", sql)
    }

    /// Runs a statement in a database; what it prints.
    pub fn psql_in(&self, database: &str, sql: &str) -> String {
        self.asked(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same of one that must fail; what is said of it.
    pub fn psql_refused(&self, database: &str, sql: &str) -> String {
        match self.asked(database, sql) {
            Ok(answer) => panic!("{sql}: {answer}"),
            Err(error) => error,
        }
    }

    fn asked(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d"]).arg(self.url(database)).arg("-c").arg(sql);
        let output = psql.output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.reap();
    }
}

/// The newest server installed.
fn binaries() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("this test needs Postgres under /usr/lib/postgresql: scripts/services up installs it")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter_map(|path| Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin"))))
        .collect();
    found.sort();
    found.pop().expect("this test needs a version of Postgres").1
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A server refuses to run as root: there it runs as the user its package made.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

/// Lets a server's user into a folder that is ours.
pub(crate) fn open_to(name: &str, folder: &Path) {
    if is_root() {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
        let user = Command::new("id").args(["-u", name]).output().unwrap();
        let user: u32 = String::from_utf8_lossy(&user.stdout).trim().parse().unwrap();
        chown(folder, Some(user), None).unwrap();
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
