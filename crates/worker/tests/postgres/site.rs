//! A ledger in a database of its own for every test.

use afluente_store::Location;
use afluente_testkit::Database;

/// A ledger, gone with the value.
pub(crate) struct Ledger {
    pub(crate) database: Database,
}

impl Ledger {
    pub(crate) async fn new() -> Ledger {
        Ledger { database: Database::create().await }
    }

    /// Where it is.
    pub(crate) fn location(&self) -> Location {
        Location::Server(self.database.url().parse().unwrap())
    }

    /// Runs statements on it, as another program would.
    pub(crate) async fn run(&self, sql: &str) {
        self.database.run(sql).await;
    }

    /// A text it answers a query with.
    pub(crate) async fn text(&self, sql: &str) -> String {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&self.database.beside().await).await.unwrap()
    }

    /// From now on it refuses whatever comes with this event.
    pub(crate) async fn refuse(&self, event: &str) {
        self.run(&format!(
            "create function refused() returns trigger language plpgsql as \
             $$ begin raise exception 'refused by a trigger' using errcode = '23514'; end $$; \
             create trigger planted before insert on webhook_receipts for each row \
             when (new.event_id like '%{event}%') execute function refused()"
        ))
        .await;
    }
}
