//! The folders and processes of each role that is tortured.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::exit::Failure;
use crate::services::Services;

/// The account that is played.
pub(super) const ACCOUNT: &str = "shop";
/// What its webhooks are signed with; nothing outside of this run knows it.
pub(super) const SECRET: &str = "whsec_of_a_run_that_is_thrown_away";
/// A process of ours that may be killed and started again, on the same folder and ports.
pub(super) struct Role {
    /// `ingress` or `worker`.
    command: &'static str,
    folder: PathBuf,
    /// Where webhooks are posted, if they are.
    pub(super) ingress: SocketAddr,
    /// Where readiness is read.
    pub(super) admin: SocketAddr,
    child: Option<Child>,
}

impl Role {
    /// Makes its folder. It is started by [`Role::start`].
    pub(super) fn new(command: &'static str, folder: PathBuf, services: &Services) -> Result<Role, Failure> {
        let cannot =
            |error: std::io::Error| Failure::Unavailable(format!("cannot write {}: {error}", folder.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(folder.join("secrets")).map_err(cannot)?;
        let (ingress, admin) = (free_address().map_err(cannot)?, free_address().map_err(cannot)?);
        let configuration = format!(
            "[ingress]\nlisten = \"{ingress}\"\n[admin]\nlisten = \"{admin}\"\n[queue]\nurl = {{ file = \"queue.url\" }}\n\
             [ledger]\nurl = \"{}\"\n[log]\nlevel = \"info\"\n[accounts.{ACCOUNT}]\ngateway = \"stripe\"\nmode = \"test\"\n\
             secrets = [{{ file = \"secrets/{ACCOUNT}\" }}]\n",
            services.ledger
        );
        let texts = [
            ("afluente.toml", configuration.as_str()),
            ("queue.url", &services.queue),
            ("seal.key", &"7".repeat(64)),
            ("secrets/shop", SECRET),
        ];
        for (name, text) in texts {
            private(&folder.join(name), text).map_err(cannot)?;
        }
        Ok(Role { command, folder, ingress, admin, child: None })
    }

    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::unavailable(&error))?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(|error| Failure::unavailable(&error))?;
        let mut command = Command::new(program);
        command
            .arg(self.command)
            .arg("--data")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // Nothing of this environment says otherwise than its folder.
        for name in ["AFLUENTE_INGRESS_LISTEN", "AFLUENTE_ADMIN_LISTEN", "AFLUENTE_LOG", "DATABASE_URL", "AMQP_URL"] {
            command.env_remove(name);
        }
        self.child = Some(command.kill_on_drop(true).spawn().map_err(|error| Failure::unavailable(&error))?);
        Ok(())
    }

    /// Ends it as a power cut would.
    pub(super) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that ended by itself is as dead.
            let _ = child.kill().await;
        }
    }

    /// Whether it ended though nobody killed it, which a supervisor would answer with a new start.
    pub(super) fn ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// Its process, if it lives.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.as_ref()?.id()
    }

    /// Where it writes what it does.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn private(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}
