//! A RabbitMQ of the test's own, that may be killed, stopped, alarmed and started again.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::port::free_port;
use crate::server::{is_root, open_to};
use crate::tls::Tls;

/// Where Debian's package puts its programs. Those in sbin insist on a user and on folders of the system's.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
/// The user that package made.
const USER: &str = "rabbitmq";
/// How long a broker may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A broker and its data; both are gone with the value.
pub struct Broker {
    server: Option<Child>,
    /// Erlang's directory of nodes: as a child of ours it does not outlive us.
    epmd: Child,
    folder: tempfile::TempDir,
    ports: [u16; 3],
    management: Option<u16>,
}

impl Broker {
    /// Starts one.
    #[must_use]
    pub fn start() -> Broker {
        Broker::with(tempfile::tempdir().unwrap(), "", "[].", None)
    }

    /// Starts one whose management listens.
    #[must_use]
    pub fn start_with_management() -> Broker {
        let port = free_port();
        let settings = format!("management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n");
        Broker::with(tempfile::tempdir().unwrap(), &settings, "[rabbitmq_management].", Some(port))
    }

    /// Starts one that speaks TLS as well, and proves to be `localhost` by an authority of its own.
    #[must_use]
    pub fn start_with_tls() -> (Broker, Tls) {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let tls = Tls::new(folder.path(), port);
        (Broker::with(folder, &tls.settings(), "[].", None), tls)
    }

    fn with(folder: tempfile::TempDir, settings: &str, plugins: &str, management: Option<u16>) -> Broker {
        open_to(USER, folder.path());
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/rabbitmq/advanced.config");
        std::fs::copy(shipped, folder.path().join("advanced.config")).unwrap();
        std::fs::write(folder.path().join("plugins"), plugins).unwrap();
        let bounds =
            "vm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\nlog.console = false\n";
        std::fs::write(folder.path().join("rabbitmq.conf"), format!("{bounds}{settings}\n")).unwrap();
        let ports = [free_port(), free_port(), free_port()];
        let mut epmd = unprivileged(folder.path(), ports, Path::new("epmd"));
        epmd.arg("-port").arg(ports[2].to_string()).args(["-address", "127.0.0.1"]);
        let epmd = epmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let epmd = epmd.expect("this test needs RabbitMQ: scripts/services up installs it");
        let mut broker = Broker { server: None, epmd, folder, ports, management };
        broker.again();
        broker
    }

    /// Starts it again, on the same port and data.
    pub fn again(&mut self) {
        self.begin();
        let started = Instant::now();
        while !self.answers() {
            let ended = self.server.as_mut().is_none_or(|server| server.try_wait().unwrap().is_some());
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(!ended && started.elapsed() < PATIENCE, "RabbitMQ does not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Starts it again without waiting until it answers.
    pub fn begin(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let _ = std::fs::remove_file(self.pid_file());
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut server = self.program("rabbitmq-server");
        let server = server.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        self.server = Some(server.expect("this test needs RabbitMQ: scripts/services up installs it"));
    }

    /// Whether its port is open, and it is ours that opened it: ours wrote its number down first.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.pid().is_some() && TcpStream::connect(("127.0.0.1", self.port())).is_ok()
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// The broker itself; what was started is a script that waits for it.
    fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()
    }

    fn program(&self, name: &str) -> Command {
        unprivileged(self.folder.path(), self.ports, &Path::new(PROGRAMS).join(name))
    }

    /// Ends it as a power cut would.
    pub fn kill_nine(&mut self) {
        self.end("KILL");
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        self.end("TERM");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut server) = self.server.take() else { return };
        // One that has not said its number yet cannot be told anything, and has nothing.
        let started = Instant::now();
        while self.pid().is_none() && server.try_wait().unwrap().is_none() && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.pid().is_some() {
            self.signal(signal);
        }
        server.wait().unwrap();
    }

    /// Sends a signal by name to the broker, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().unwrap();
        // It may have ended by itself.
        let _ = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
    }

    /// Runs `rabbitmqctl` with these arguments; what it prints.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        let mut ctl = self.program("rabbitmqctl");
        let output = ctl.arg("-q").args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// Where its management listens.
    #[must_use]
    pub fn management_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.management.expect("started with management"))
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.port())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.signal_if_there("CONT");
        self.kill_nine();
        let _ = self.epmd.kill();
        let _ = self.epmd.wait();
    }
}

impl Broker {
    fn signal_if_there(&self, name: &str) {
        if self.pid().is_some() {
            self.signal(name);
        }
    }
}

/// A program of the broker's, told where everything is that it would look for elsewhere.
fn unprivileged(folder: &Path, [port, dist, epmd]: [u16; 3], program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={USER}")).arg(format!("--regid={USER}")).arg("--clear-groups").arg(program);
        command
    } else {
        Command::new(program)
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(folder).env_clear().env("PATH", path).env("LANG", "C.UTF-8").env("HOME", folder);
    let in_folder = [
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_LOG_BASE", "logs"),
        ("RABBITMQ_PID_FILE", "pid"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
    ];
    command.envs(in_folder.map(|(name, file)| (name, folder.join(file))));
    command
        .env("RABBITMQ_NODENAME", format!("afluente-{port}@localhost"))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", dist.to_string())
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-start_epmd false")
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1");
    command
}
