//! Every page of a ledger's file, read beside whoever writes it. Changes nothing.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqlitePool;

use super::Log;
use crate::backend::Location;
use crate::error::StoreError;

/// Something wrong in a ledger's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The file.
    pub file: PathBuf,
    /// The table and the row in it; none if it is about no single one.
    pub row: Option<String>,
    /// What.
    pub what: String,
}

impl Flaw {
    /// Reads the log, the structure of the file and what its rows refer to. Says nothing of a server's files, which it checks
    /// itself, nor of what rows say: that is for a rebuild.
    pub async fn find(location: &Location) -> Result<Vec<Flaw>, StoreError> {
        let Location::Folder(folder) = location else { return Ok(Vec::new()) };
        let path = super::existing(folder)?;
        let mut flaws = Vec::new();
        match Log::of(&path, 0).look().await {
            Ok(()) => {}
            Err(StoreError::DamagedLog { log, offset, commits }) => {
                let what = format!("damaged at byte {offset}, and with it {commits} commits from there on");
                flaws.push(Flaw { file: log.into(), row: None, what });
            }
            Err(error) => return Err(error),
        }
        let pool = super::readers(&path).await?;
        let read = structure(&pool, &path, &mut flaws).await;
        pool.close().await;
        match read {
            Ok(()) => {}
            // Where reading ends because of damage, the rest was not examined.
            Err(sqlx::Error::Database(error)) => {
                flaws.push(Flaw { file: path, row: None, what: error.message().to_owned() });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(flaws)
    }
}

async fn structure(pool: &SqlitePool, path: &Path, flaws: &mut Vec<Flaw>) -> sqlx::Result<()> {
    let lines: Vec<(String,)> = sqlx::query_as("pragma integrity_check").fetch_all(pool).await?;
    let wrong = lines.into_iter().filter(|(line,)| line != "ok");
    flaws.extend(wrong.map(|(what,)| Flaw { file: path.to_owned(), row: None, what: what.replace('\n', " ") }));
    let lost: Vec<(String, Option<i64>, String)> =
        sqlx::query_as("select \"table\", rowid, parent from pragma_foreign_key_check").fetch_all(pool).await?;
    flaws.extend(lost.into_iter().map(|(table, row, parent)| Flaw {
        file: path.to_owned(),
        row: Some(row.map_or_else(|| table.clone(), |row| format!("{table} {row}"))),
        what: format!("refers to a row of {parent} that is not there"),
    }));
    Ok(())
}
