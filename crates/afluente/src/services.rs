//! A private broker and database of one run, from the project's own script.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::exit::Failure;

/// Where both servers are started from.
const SERVICES: &str = "scripts/services";

/// A private broker and database, started by the project's own script.
pub(crate) struct Services {
    state: PathBuf,
    /// The URL of the database.
    pub(crate) ledger: String,
    /// The URL of the broker.
    pub(crate) queue: String,
}

impl Services {
    /// Starts both, with all they write in this folder. To be called from a checkout of the project.
    pub(crate) async fn start(folder: &Path) -> Result<Services, Failure> {
        if !Path::new(SERVICES).is_file() {
            return Err(Failure::Usage(format!("expected {SERVICES} here: run this from a checkout of the project")));
        }
        let mut services = Services { state: folder.join("services"), ledger: String::new(), queue: String::new() };
        services.tell(&["up"]).await?;
        for line in services.tell(&["env"]).await?.lines() {
            match line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
                Some(("AFLUENTE_TEST_POSTGRES", url)) => url.clone_into(&mut services.ledger),
                Some(("AFLUENTE_TEST_RABBITMQ", url)) => url.clone_into(&mut services.queue),
                Some(_) | None => {}
            }
        }
        Ok(services)
    }

    /// Runs the script with these arguments; what it prints.
    pub(crate) async fn tell(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(SERVICES);
        command.args(arguments).env("AFLUENTE_SERVICES", &self.state).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.map_err(|error| Failure::unavailable(&error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failure::Unavailable(format!(
            "{SERVICES} {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        )))
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // However this ends, the servers do too.
        let mut down = std::process::Command::new(SERVICES);
        let _ = down.arg("down").env("AFLUENTE_SERVICES", &self.state).stdin(Stdio::null()).status();
    }
}
