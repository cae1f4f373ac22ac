//! Checkout sessions: where each stands and who is in it, joined with what claims say.

use std::collections::BTreeMap;

use afluente_model::{SessionStatus, Timestamp};

use crate::backend::Tx;
use crate::cell::Moment;
use crate::claim::{ClaimRow, key_of};
use crate::error::StoreError;
use crate::people::owner::{Owner, since};
use crate::rows::rows;

rows! {
    struct SessionInput<'a> {
        key: key,
        account: text,
        tenant: text,
        provider_session_id: text,
        status_v2: text,
        status_rank: int,
        status_at: moment,
        owner_rank: int,
        owner_at: moment,
        identity: opt key,
        now: moment,
    }
    JOIN = "people/sessions_join";
}

/// A session; its status ordered as two words of it are.
#[derive(Clone, Copy)]
struct Session {
    status: (Moment, SessionStatus),
    owner: Owner,
}

impl Session {
    fn of(row: &ClaimRow<'_>) -> Session {
        let words = row.claims.iter().filter(|(kind, _)| *kind == "status").map(|(_, word)| *word);
        let status = words.map(SessionStatus::named).max();
        let at = if status.is_some() { row.at } else { None };
        Session { status: (since(at), status.unwrap_or(SessionStatus::Unknown)), owner: Owner::of(row) }
    }
}

/// The key of the session a claim speaks of.
pub(crate) fn key_of_session(row: &ClaimRow<'_>) -> Option<[u8; 16]> {
    (row.subject_kind == "checkout").then(|| key_of([row.account.as_str(), row.tenant, row.subject_id].into_iter()))
}

impl Tx {
    /// Joins what claims say of checkout sessions.
    pub(crate) async fn join_sessions(&mut self, rows: &[ClaimRow<'_>], now: Timestamp) -> Result<(), StoreError> {
        let mut joined: BTreeMap<(&str, &str, &str), Session> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.subject_kind == "checkout") {
            let new = Session::of(row);
            let one = joined.entry((row.account.as_str(), row.tenant, row.subject_id)).or_insert(new);
            one.status = one.status.max(new.status);
            one.owner = one.owner.max(new.owner);
        }
        let mut inputs: Vec<SessionInput<'_>> =
            joined.into_iter().map(|(named, session)| input(named, session, now)).collect();
        inputs.sort_unstable_by_key(|row| row.key);
        self.execute(&JOIN, &inputs).await?;
        Ok(())
    }
}

fn input<'a>((account, tenant, id): (&'a str, &'a str, &'a str), session: Session, now: Timestamp) -> SessionInput<'a> {
    let (status_at, status) = session.status;
    SessionInput {
        key: key_of([account, tenant, id].into_iter()).into(),
        account,
        tenant,
        provider_session_id: id,
        status_v2: status.as_str(),
        status_rank: status as i64,
        status_at,
        owner_rank: session.owner.rank,
        owner_at: session.owner.at,
        identity: session.owner.identity,
        now: now.into(),
    }
}
