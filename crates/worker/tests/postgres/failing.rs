//! Writes beside the facts made to fail while deliveries come: everything else is right, and what was missed is made good.

use std::collections::BTreeMap;
use std::time::Duration;

use afluente_model::Delivery;
use afluente_store::{GapTarget, Switch};
use afluente_testkit::legacy::Shape;
use afluente_worker::repair_gaps;
use rand::{SeedableRng, rngs::StdRng};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::backfill::beside_with;
use super::legacy::{adopt, theirs};
use crate::suite::bench::Bench;
use crate::suite::people::{agrees_with_the_law, everything_said, people};

/// What goes wrong, and what ends it.
enum Wrong {
    /// Statements run before and after.
    Changed(&'static str, &'static str),
    /// Another transaction that holds something meanwhile.
    Held(&'static str),
    /// The server ends whoever is in a transaction, again and again.
    Ended,
}

/// One of each in each part; the first word is the part it is in.
const WRONGS: [(&str, Wrong); 7] = [
    (
        "customers: a constraint",
        Wrong::Changed(
            "alter table afluente.customers add constraint planted check (email is null) not valid",
            "alter table afluente.customers drop constraint planted",
        ),
    ),
    (
        "customers: a table that is away",
        Wrong::Changed(
            "alter table afluente.customer_providers rename to away",
            "alter table afluente.away rename to customer_providers",
        ),
    ),
    ("customers: a lock", Wrong::Held("lock table afluente.customer_providers in access exclusive mode")),
    (
        "legacy: a constraint",
        Wrong::Changed(
            "alter table public.payment_transactions add constraint planted check (status_v2 is null) not valid",
            "alter table public.payment_transactions drop constraint planted",
        ),
    ),
    (
        "legacy: a column that is away",
        Wrong::Changed(
            "alter table public.payment_transactions rename column status_v2 to away",
            "alter table public.payment_transactions rename column away to status_v2",
        ),
    ),
    ("legacy: a lock", Wrong::Held("select id from public.payment_transactions for update")),
    ("both: the server", Wrong::Ended),
];

/// An application with a row for every payment there will be.
async fn with_rows() -> Bench {
    let mut bench = beside_with(Shape::Scripts, 0, Duration::from_millis(150)).await;
    bench
        .ledger
        .run(
            "insert into public.payment_transactions (id, provider, provider_order_id, updated_at) \
             select 'pi' || n, 'stripe', 'pi_' || n, timestamp '2025-05-01' from generate_series(0, 80) n \
             union all select 'ch' || n, 'pagarme', 'ch_' || n, timestamp '2025-05-01' from generate_series(0, 80) n",
        )
        .await;
    adopt(&mut bench, Switch::On, false).await;
    bench
}

/// The same while something is wrong.
async fn insist_while(bench: &Bench, deliveries: &[Delivery], wrong: &Wrong) {
    let mut other = PgConnection::connect(&bench.ledger.database.url()).await.unwrap();
    match wrong {
        Wrong::Changed(before, after) => {
            sqlx::raw_sql(AssertSqlSafe(*before)).execute(&mut other).await.unwrap();
            bench.insist(deliveries).await;
            sqlx::raw_sql(AssertSqlSafe(*after)).execute(&mut other).await.unwrap();
        }
        Wrong::Held(what) => {
            let mut held = other.begin().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(*what)).execute(&mut *held).await.unwrap();
            bench.insist(deliveries).await;
            held.rollback().await.unwrap();
        }
        Wrong::Ended => {
            let ending = tokio::spawn(async move {
                let whoever = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() \
                               and pid <> pg_backend_pid() and xact_start is not null";
                let mut ended: i64 = 0;
                for _ in 0..12 {
                    ended += sqlx::query_scalar::<_, i64>(whoever).fetch_one(&mut other).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(23)).await;
                }
                ended
            });
            bench.insist(deliveries).await;
            assert!(ending.await.unwrap() > 0, "nobody was in a transaction");
        }
    }
}

/// What must be the same: payments, people, rows of theirs.
async fn state(bench: &Bench) -> (BTreeMap<String, String>, Vec<String>, BTreeMap<String, String>) {
    (bench.rows().await, people(bench).await.into_iter().collect(), theirs(bench).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_beside_the_facts_costs_no_fact_and_is_made_good() {
    let history = everything_said(&mut StdRng::seed_from_u64(3));
    let well = with_rows().await;
    well.insist(&history).await;
    let expected = state(&well).await;
    for (name, wrong) in &WRONGS {
        let ill = with_rows().await;
        let (before, rest) = history.split_at(14);
        let (during, after) = rest.split_at(35);
        ill.insist(before).await;
        insist_while(&ill, during, wrong).await;
        let mut open = 0;
        for target in GapTarget::ALL {
            open += ill.store.open_gaps(target).await.unwrap().open;
        }
        assert!(open > 0 || matches!(wrong, Wrong::Ended), "{name}: a gap was noted");
        ill.insist(after).await;
        assert!(ill.rows().await == expected.0, "{name}: payments are as if nothing had failed");
        while repair_gaps(&ill.store).await.unwrap() > 0 {}
        agrees_with_the_law(&ill).await;
        assert!(state(&ill).await == expected, "{name}: what was missed is made good");
        for target in GapTarget::ALL {
            assert_eq!(ill.store.open_gaps(target).await.unwrap().open, 0, "{name}");
        }
    }
}
