//! Who takes webhooks here, and how each is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use afluente_store::{Scratch, Server};
use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use super::install;
use crate::bench::apart::Apart;
use crate::bench::body::{BenchAccount, SECRET};
use crate::bench::serve::{What, listen};
use crate::bench::sweep::sweep;
use crate::exit::Failure;
use crate::services::Services;

/// Who takes webhooks and answers once they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Hyper, an HMAC and a broker's confirm.
    Confirm,
    /// Ours on RabbitMQ.
    Rabbit,
    Fastify,
    Fastapi,
    /// Hyper, an HMAC and a synced append.
    Append,
    /// Ours on its own queue.
    Embedded,
    QhookSqlite,
    QhookPostgres,
}

/// What keeps for a program, and is killed under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    Broker,
    Database,
    /// The program keeps by itself.
    Itself,
}

impl Peer {
    /// What it is called in a table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Peer::Confirm => "hyper + HMAC + confirm",
            Peer::Rabbit => "afluente, RabbitMQ",
            Peer::Fastify => "fastify, RabbitMQ",
            Peer::Fastapi => "fastapi, RabbitMQ",
            Peer::Append => "hyper + HMAC + fsync",
            Peer::Embedded => "afluente, embedded",
            Peer::QhookSqlite => "qhook, SQLite",
            Peer::QhookPostgres => "qhook, Postgres",
        }
    }

    /// Whether it is held to what this project promises.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Peer::Rabbit | Peer::Embedded)
    }

    /// Where it takes webhooks of Stripe.
    pub(super) fn path(self) -> &'static str {
        match self {
            Peer::QhookSqlite | Peer::QhookPostgres => "/webhooks/stripe",
            _ => "/webhooks/stripe/bench",
        }
    }

    pub(super) fn keeper(self) -> Keeper {
        match self {
            Peer::Confirm | Peer::Rabbit | Peer::Fastify | Peer::Fastapi => Keeper::Broker,
            Peer::Append | Peer::Embedded | Peer::QhookSqlite => Keeper::Itself,
            Peer::QhookPostgres => Keeper::Database,
        }
    }
}

impl Keeper {
    /// What the script that starts servers calls it, if it is one.
    pub(super) fn service(self) -> Option<&'static str> {
        match self {
            Keeper::Broker => Some("rabbitmq"),
            Keeper::Database => Some("postgres"),
            Keeper::Itself => None,
        }
    }
}

/// What all of them share.
pub(super) struct Site {
    pub(super) services: Services,
    pub(super) account: BenchAccount,
    /// Where the others are installed.
    pub(super) installed: PathBuf,
}

/// One of them, with a folder, a queue and a database of its own.
pub(super) struct Stand<'a> {
    pub(super) peer: Peer,
    site: &'a Site,
    folder: TempDir,
    /// What its names on the broker begin with.
    pub(super) prefix: String,
    database: Option<Scratch>,
    /// Where one listens that does not choose itself.
    address: SocketAddr,
}

impl<'a> Stand<'a> {
    pub(super) async fn new(site: &'a Site, peer: Peer) -> Result<Stand<'a>, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
        let database = match peer {
            Peer::QhookPostgres => {
                let server: Server = site.services.ledger.parse().map_err(Failure::Unavailable)?;
                Some(Scratch::make(&server).await?)
            }
            _ => None,
        };
        let prefix = format!("afluente-bench-{}", Uuid::now_v7().simple());
        let address = listen().await?.local_addr().map_err(|error| Failure::unavailable(&error))?;
        Ok(Stand { peer, site, folder, prefix, database, address })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The queue on the broker of those that publish to one.
    pub(super) fn queue(&self) -> String {
        format!("{}.plain", self.prefix)
    }

    /// Starts it, on what it kept before.
    pub(super) async fn start(&self) -> Result<Apart, Failure> {
        let broker = Some((self.site.services.queue.as_str(), self.prefix.as_str()));
        match self.peer {
            Peer::Confirm => Apart::start(What::Confirm, self.folder(), broker).await,
            Peer::Rabbit => Apart::start(What::Rabbit, self.folder(), broker).await,
            Peer::Append => Apart::start(What::Append, self.folder(), None).await,
            Peer::Embedded => Apart::start(What::Embedded, self.folder(), None).await,
            Peer::Fastify => {
                Apart::run(self.published(install::fastify_command(&self.site.installed)), "fastify").await
            }
            Peer::Fastapi => {
                Apart::run(self.published(install::fastapi_command(&self.site.installed)), "fastapi").await
            }
            Peer::QhookSqlite | Peer::QhookPostgres => self.qhook().await,
        }
    }

    fn published(&self, mut command: Command) -> Command {
        command.env("AMQP_URL", &self.site.services.queue).env("QUEUE", self.queue()).env("SECRET", SECRET);
        command
    }

    /// What its documents show, but for the limit of requests at a time, which is below what is measured here.
    async fn qhook(&self) -> Result<Apart, Failure> {
        let database = match &self.database {
            None => "{ driver: sqlite }".to_owned(),
            Some(database) => {
                let (server, _) = self.site.services.ledger.rsplit_once('/').unwrap_or_default();
                format!("{{ driver: postgres, url: \"{server}/{}\" }}", database.name())
            }
        };
        let configuration = format!(
            "database: {database}\nserver: {{ port: {port}, max_inbound: 2000 }}\n\
             sources: {{ stripe: {{ type: webhook, verify: stripe, secret: {SECRET} }} }}\n\
             queues: {{ kept: {{ source: stripe }} }}\n",
            port = self.address.port(),
        );
        let file = self.folder().join("qhook.yaml");
        std::fs::write(&file, configuration).map_err(|error| Failure::unavailable(&error))?;
        let mut command = install::qhook_command(&self.site.installed);
        // Its log at its usual level would be half of what it does.
        command.args(["start", "--config"]).arg(file).current_dir(self.folder()).env("RUST_LOG", "error");
        Apart::run_at(self.address, command, "qhook").await
    }

    /// Removes what it left on servers.
    pub(super) async fn clear(self) -> Result<(), Failure> {
        if self.peer.keeper() == Keeper::Broker {
            sweep(&self.site.services.queue, &self.prefix).await?;
        }
        match self.database {
            Some(database) => Ok(database.remove().await?),
            None => Ok(()),
        }
    }
}
