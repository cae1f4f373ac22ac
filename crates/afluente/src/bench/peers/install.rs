//! What the others are made of, from the registries of their languages, in a folder of their own.

use std::path::Path;
use std::process::Stdio;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::process::Command;

use super::Other;
use crate::exit::Failure;

/// The version of qhook.
const QHOOK: &str = "0.6.1";
/// The files of those that are written here: what they are made of, and the program.
const FASTIFY: [(&str, &str); 2] = [
    ("package.json", include_str!("../../../../../bench/peers/fastify/package.json")),
    ("server.js", include_str!("../../../../../bench/peers/fastify/server.js")),
];
const FASTAPI: [(&str, &str); 2] = [
    ("requirements.txt", include_str!("../../../../../bench/peers/fastapi/requirements.txt")),
    ("server.py", include_str!("../../../../../bench/peers/fastapi/server.py")),
];

/// Installs them below this folder; what is there already stays.
pub(super) async fn install(others: &[Other], folder: &Path) -> Result<(), Failure> {
    for other in others {
        let progress = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} installing {msg} {elapsed}") {
            progress.set_style(style);
        }
        progress.set_message(other.name());
        progress.enable_steady_tick(std::time::Duration::from_millis(200));
        match other {
            Other::Fastify => fastify(&folder.join("fastify")).await?,
            Other::Fastapi => fastapi(&folder.join("fastapi")).await?,
            Other::Qhook => qhook(&folder.join("qhook")).await?,
        }
        progress.finish_and_clear();
    }
    Ok(())
}

async fn fastify(folder: &Path) -> Result<(), Failure> {
    write(folder, &FASTIFY)?;
    let install = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--omit=dev"];
    run(Command::new("npm").args(install).current_dir(folder)).await
}

async fn fastapi(folder: &Path) -> Result<(), Failure> {
    write(folder, &FASTAPI)?;
    run(Command::new("python3").args(["-m", "venv", "venv"]).current_dir(folder)).await?;
    let pip = folder.join("venv/bin/pip");
    run(Command::new(pip).args(["install", "--quiet", "-r", "requirements.txt"]).current_dir(folder)).await
}

async fn qhook(folder: &Path) -> Result<(), Failure> {
    let install = ["install", "qhook", "--version", QHOOK, "--locked", "--root"];
    run(Command::new("cargo").args(install).arg(folder).env_remove("RUSTFLAGS")).await
}

/// How what was installed below this folder is started.
pub(super) fn fastify_command(folder: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg("server.js").current_dir(folder.join("fastify"));
    command
}

/// How what was installed below this folder is started.
pub(super) fn fastapi_command(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("fastapi/venv/bin/python"));
    command.arg("server.py").current_dir(folder.join("fastapi"));
    command
}

/// How what was installed below this folder is started.
pub(super) fn qhook_command(folder: &Path) -> Command {
    Command::new(folder.join("qhook/bin/qhook"))
}

fn write(folder: &Path, files: &[(&str, &str)]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::unavailable(&error))?;
    for (name, text) in files {
        std::fs::write(folder.join(name), text).map_err(|error| Failure::unavailable(&error))?;
    }
    Ok(())
}

/// Runs an installer to its end. What it says is shown where it fails.
async fn run(command: &mut Command) -> Result<(), Failure> {
    let named = format!("{:?}", command.as_std());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| {
        Failure::Unavailable(format!("cannot run {named}: {error}; install it, or leave its peer out of --peers"))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Failure::Unavailable(format!("{named} ended with {}:\n{}", output.status, String::from_utf8_lossy(&said))))
}
