//! Beside a legacy application: its rows show what ours say, and lose nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use afluente_gateways::adapter;
use afluente_model::{AccountName, Delivery, Gateway, Mode, Timestamp};
use afluente_store::legacy::{Adoption, Beside, Catalogue, Roles, Targets};
use afluente_store::report::GapFilter;
use afluente_store::{GapTarget, Location, Server, Switch, Switches};
use afluente_testkit::legacy::{Shape, build};
use afluente_worker::{Account, repair_gaps};

use crate::suite::bench::{Bench, NOW, account, accounts, delivery, event};

/// A bench whose ledger is beside an application without any row.
async fn adopted(shape: Shape, switch: Switch, writes_status: bool) -> Bench {
    let mut bench = Bench::new().await;
    build(&bench.ledger.database, shape, 0).await;
    let mut all = accounts(&["shop"], Mode::Test);
    let of = |gateway| Account { gateway, adapter: adapter(gateway), ..account(Mode::Test) };
    all.0.insert(AccountName::parse("loja").unwrap(), of(Gateway::Pagarme));
    let mut tx = bench.store.begin().await.unwrap();
    tx.save_accounts(&all.rows(), Timestamp::EPOCH).await.unwrap();
    tx.commit().await.unwrap();
    bench.accounts = Arc::new(all);
    adopt(&mut bench, switch, writes_status).await;
    bench
}

pub(crate) fn server(bench: &Bench) -> Server {
    match bench.ledger.location() {
        Location::Server(server) => server,
        Location::Folder(_) => panic!("a file"),
    }
}

/// As `adopt` does: by what is there now.
pub(crate) async fn adopt(bench: &mut Bench, switch: Switch, writes_status: bool) {
    let server = server(bench);
    let catalogue = Catalogue::read(&server, "public").await.unwrap();
    let targets = Targets::of(&catalogue).unwrap();
    let roles = Roles::of(&server, &server).await.unwrap();
    let adoption = Adoption::of(&catalogue, &targets, &roles, writes_status).unwrap();
    adoption.apply(&server, &server).await.unwrap();
    bench.store = bench.store.clone().beside(Beside { targets, switches: Switches::all(switch), writes_status });
}

pub(crate) async fn undo(bench: &Bench) {
    let server = server(bench);
    let catalogue = Catalogue::read(&server, "public").await.unwrap();
    let roles = Roles::of(&server, &server).await.unwrap();
    let adoption = Adoption::of(&catalogue, &Targets::of(&catalogue).unwrap(), &roles, false).unwrap();
    adoption.undo(&server, &server).await.unwrap();
}

/// A row of theirs.
async fn row(bench: &Bench, id: &str, provider: &str, order: Option<&str>, charge: Option<&str>) {
    let text = |text: Option<&str>| text.map_or_else(|| "null".to_owned(), |text| format!("'{text}'"));
    bench
        .ledger
        .run(&format!(
            "insert into public.payment_transactions (id, provider, provider_order_id, provider_charge_id, updated_at) \
             values ('{id}', '{provider}', {}, {}, '2025-05-01')",
            text(order),
            text(charge)
        ))
        .await;
}

/// `provider_v2 status_v2 status` of every row of theirs.
pub(crate) async fn theirs(bench: &Bench) -> BTreeMap<String, String> {
    let rows = bench
        .ledger
        .text(
            "select coalesce(string_agg(id || '=' || coalesce(provider_v2::text, '-') || ' ' || coalesce(status_v2::text, '-') || ' ' || status, '|'), '') \
             from public.payment_transactions",
        )
        .await;
    rows.split('|').filter_map(|row| row.split_once('=')).map(|(id, said)| (id.to_owned(), said.to_owned())).collect()
}

pub(crate) fn charge(id: &str, order: &str, status: &str, second: i64) -> Delivery {
    let at = Timestamp::from_seconds(NOW - second).unwrap();
    let paid = if status == "paid" { 500 } else { 0 };
    let body = format!(
        r#"{{"id":"hook_{id}_{status}_{second}","account":{{"id":"acc_1"}},"type":"charge.{status}","created_at":"{at}","data":{{"id":"{id}","amount":500,"paid_amount":{paid},"status":"{status}","currency":"BRL","payment_method":"credit_card","created_at":"{at}","updated_at":"{at}","order":{{"id":"{order}"}}}}}}"#
    );
    Delivery { gateway: Gateway::Pagarme, ..delivery("loja", &body) }
}

pub(crate) fn intent(id: &str, status: &str, second: i64) -> Delivery {
    let received = if status == "succeeded" { 500 } else { 0 };
    let object = format!(
        r#"{{"id":"{id}","object":"payment_intent","amount":500,"amount_received":{received},"currency":"brl","status":"{status}","latest_charge":"ch_{id}"}}"#
    );
    delivery("shop", &event(&format!("{id}_{status}_{second}"), "payment_intent.updated", NOW - second, &object))
}

pub(crate) async fn hand_over(bench: &Bench, deliveries: &[Delivery]) {
    bench.handle(deliveries.iter().map(|one| bench.keys.seal(one)).collect(), true).await;
}

async fn gaps(bench: &Bench) -> Vec<(String, String)> {
    let filter = GapFilter { target: Some(GapTarget::Legacy), limit: 100, ..GapFilter::default() };
    bench.store.gaps(&filter).await.unwrap().into_iter().map(|gap| (gap.subject_id, gap.reason)).collect()
}

#[tokio::test]
async fn every_row_of_a_payment_shows_it_in_their_words_and_nothing_else_changes() {
    for shape in Shape::BOTH {
        let bench = adopted(shape, Switch::On, false).await;
        row(&bench, "a", "krxpay", Some("or_1"), None).await;
        row(&bench, "b", "pagarme", Some("or_1"), Some("ch_1")).await;
        row(&bench, "wh_ch_1_5", "krxpay", Some("ch_1"), None).await;
        row(&bench, "c", "stripe", Some("pi_1"), None).await;
        row(&bench, "pi_2", "stripe", None, None).await;
        row(&bench, "stranger", "adyen", Some("or_1"), None).await;
        let before = bench.ledger.text(
            "select string_agg((to_jsonb(t) - 'status_v2' - 'provider_v2')::text, ',' order by id) from public.payment_transactions t",
        );
        let before = before.await;
        hand_over(
            &bench,
            &[
                charge("ch_1", "or_1", "paid", 50),
                intent("pi_1", "requires_capture", 50),
                intent("pi_2", "succeeded", 40),
            ],
        )
        .await;
        let theirs = theirs(&bench).await;
        for (row, said) in [
            ("a", "PAGARME SUCCEEDED processing"),
            ("b", "PAGARME SUCCEEDED processing"),
            ("wh_ch_1_5", "PAGARME SUCCEEDED processing"),
            ("c", "STRIPE PROCESSING processing"),
            ("pi_2", "STRIPE SUCCEEDED processing"),
            ("stranger", "- - processing"),
        ] {
            assert_eq!(theirs[row], said, "{row} in {shape:?}");
        }
        let after = bench.ledger.text(
            "select string_agg((to_jsonb(t) - 'status_v2' - 'provider_v2')::text, ',' order by id) from public.payment_transactions t",
        );
        assert_eq!(after.await, before, "no date and no word of their own");
        assert_eq!(gaps(&bench).await, []);
    }
}

#[tokio::test]
async fn an_order_with_a_declined_and_a_paid_charge_shows_that_it_was_paid_whichever_comes_last() {
    for turned in [false, true] {
        let bench = adopted(Shape::Scripts, Switch::On, true).await;
        row(&bench, "a", "pagarme", Some("or_1"), Some("ch_2")).await;
        let mut all = [charge("ch_1", "or_1", "paid", 50), charge("ch_2", "or_1", "failed", 40)];
        if turned {
            all.reverse();
        }
        for one in &all {
            hand_over(&bench, std::slice::from_ref(one)).await;
        }
        assert_eq!(theirs(&bench).await["a"], "PAGARME SUCCEEDED paid", "and their revenue counts `paid` alone");
    }
}

#[tokio::test]
async fn what_has_no_word_there_leaves_the_row_as_it_is_until_another_word_is_said() {
    let bench = adopted(Shape::Prisma, Switch::On, false).await;
    bench.ledger.run("alter type public.\"PaymentStatus\" rename value 'SUCCEEDED' to 'DONE'").await;
    let mut bench = bench;
    adopt(&mut bench, Switch::On, false).await;
    row(&bench, "a", "stripe", Some("pi_1"), None).await;
    hand_over(&bench, &[intent("pi_1", "succeeded", 50)]).await;
    assert_eq!(theirs(&bench).await["a"], "- - processing");
    assert_eq!(gaps(&bench).await, [("pi_1".to_owned(), "no_label".to_owned())]);
    assert_eq!(bench.rows().await.len(), 1, "ours is committed");
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 0, "nothing of ours can mend it");
    assert_eq!(gaps(&bench).await.len(), 1);
    bench.ledger.run("alter type public.\"PaymentStatus\" rename value 'DONE' to 'SUCCEEDED'").await;
    adopt(&mut bench, Switch::On, false).await;
    let refund = r#"{"id":"re_1","object":"refund","amount":100,"currency":"brl","status":"succeeded","payment_intent":"pi_1","charge":"ch_pi_1","created":1789999990}"#;
    hand_over(&bench, &[delivery("shop", &event("refunded", "refund.created", NOW - 5, refund))]).await;
    assert_eq!(theirs(&bench).await["a"], "STRIPE PARTIALLY_REFUNDED processing");
    assert_eq!(gaps(&bench).await, []);
}

/// So much later.
async fn pass(bench: &Bench, minutes: u32) {
    let later = format!(
        "update dual_write_gaps set first_seen_at = first_seen_at - interval '{minutes} minutes', \
         last_seen_at = last_seen_at - interval '{minutes} minutes'"
    );
    bench.ledger.run(&later).await;
}

#[tokio::test]
async fn a_row_that_is_made_after_its_payment_is_written_and_one_that_never_comes_is_waited_for_no_longer() {
    let bench = adopted(Shape::Scripts, Switch::On, false).await;
    hand_over(&bench, &[intent("pi_1", "succeeded", 50), intent("pi_2", "succeeded", 50)]).await;
    let waiting = |id: &str| (id.to_owned(), "no_row".to_owned());
    assert_eq!(gaps(&bench).await, [waiting("pi_1"), waiting("pi_2")]);
    let open = bench.store.open_gaps(GapTarget::Legacy).await.unwrap();
    assert_eq!((open.open, open.oldest, open.waiting), (0, None, 2), "nobody is called for it");
    row(&bench, "a", "stripe", Some("pi_1"), None).await;
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 0, "it is not looked for at once");
    pass(&bench, 1).await;
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 1);
    assert_eq!(theirs(&bench).await["a"], "STRIPE SUCCEEDED processing");
    assert_eq!(gaps(&bench).await, [waiting("pi_2")]);
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 0, "it was looked for a moment ago");
    pass(&bench, 40).await;
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 1, "it is given up");
    assert_eq!(gaps(&bench).await, []);
    // Whatever is said of it later looks again.
    row(&bench, "b", "stripe", Some("pi_2"), None).await;
    hand_over(&bench, &[intent("pi_2", "canceled", 40)]).await;
    assert!(theirs(&bench).await["b"].starts_with("STRIPE "));
    assert_eq!(gaps(&bench).await, []);
}

#[tokio::test]
async fn a_shadow_compares_and_writes_nothing_of_theirs() {
    let bench = adopted(Shape::Scripts, Switch::Shadow, true).await;
    row(&bench, "a", "stripe", Some("pi_1"), None).await;
    hand_over(&bench, &[intent("pi_1", "succeeded", 50)]).await;
    assert_eq!(theirs(&bench).await["a"], "- - processing");
    let differs = bench.ledger.text("select differs from afluente.legacy_rows where written_at is null").await;
    assert_eq!(
        differs,
        "provider_v2 is empty, ours is STRIPE; status_v2 is empty, ours is SUCCEEDED; status is processing, ours is paid"
    );
}

#[tokio::test]
async fn their_lock_their_migration_and_their_handler_cost_nothing_of_ours_and_are_healed() {
    let mut bench = adopted(Shape::Scripts, Switch::On, false).await;
    for n in 1..=3 {
        row(&bench, &format!("row_{n}"), "stripe", Some(&format!("pi_{n}")), None).await;
    }
    // Their transaction holds the row.
    let pool = bench.ledger.database.beside().await;
    let mut holding = pool.begin().await.unwrap();
    sqlx::query("select 1 from public.payment_transactions where id = 'row_1' for update")
        .execute(&mut *holding)
        .await
        .unwrap();
    hand_over(&bench, &[intent("pi_1", "succeeded", 50)]).await;
    assert_eq!(bench.rows().await.len(), 1);
    assert_eq!(gaps(&bench).await, [("pi_1".to_owned(), "contended".to_owned())]);
    holding.rollback().await.unwrap();
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 1);
    assert_eq!(theirs(&bench).await["row_1"], "STRIPE SUCCEEDED processing");

    // Their migration takes the column away under load; it passes, and ours goes on.
    bench.ledger.run("alter table public.payment_transactions rename column status_v2 to status_v3").await;
    hand_over(&bench, &[intent("pi_2", "succeeded", 50)]).await;
    assert_eq!((bench.rows().await.len(), gaps(&bench).await.len()), (2, 1));
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 0);
    bench.ledger.run("alter table public.payment_transactions rename column status_v3 to status_v2").await;
    adopt(&mut bench, Switch::On, false).await;
    assert_eq!(repair_gaps(&bench.store).await.unwrap(), 1);
    assert_eq!(theirs(&bench).await["row_2"], "STRIPE SUCCEEDED processing");

    // Their handler writes after us.
    hand_over(&bench, &[intent("pi_3", "succeeded", 50)]).await;
    bench.ledger.run("update public.payment_transactions set status_v2 = 'PROCESSING' where id = 'row_3'").await;
    let refund = r#"{"id":"re_3","object":"refund","amount":500,"currency":"brl","status":"succeeded","payment_intent":"pi_3","charge":"ch_pi_3","created":1789999990}"#;
    hand_over(&bench, &[delivery("shop", &event("refunded", "refund.created", NOW - 5, refund))]).await;
    assert_eq!(theirs(&bench).await["row_3"], "STRIPE REFUNDED processing");
    let told = "select string_agg(entity, ',') from inconsistencies where kind = 'legacy_overwritten'";
    assert_eq!(bench.ledger.text(told).await, "payment pi_3");
}

#[tokio::test]
async fn adoption_is_taken_away_without_a_trace() {
    let bench = adopted(Shape::Scripts, Switch::On, false).await;
    let traces = "select (select count(*) from pg_roles where rolname like 'afluente_legacy_%' || current_database())::text || ' ' || \
                  (select count(*) from pg_proc where proname like 'legacy%')::text || ' ' || \
                  (select count(*) from pg_class where relname like 'legacy%' and relkind = 'r')::text";
    assert_eq!(bench.ledger.text(traces).await, "1 7 2");
    row(&bench, "a", "stripe", Some("pi_1"), None).await;
    row(&bench, "b", "stripe", Some("pi_2"), None).await;
    bench.ledger.run("update public.payment_transactions set status_v2 = 'PENDING' where id = 'b'").await;
    let before = theirs(&bench).await;
    hand_over(&bench, &[intent("pi_1", "succeeded", 50), intent("pi_2", "succeeded", 50)]).await;
    assert_ne!(theirs(&bench).await, before);
    undo(&bench).await;
    assert_eq!(theirs(&bench).await, before, "every word of ours gave way to what stood there");
    assert_eq!(bench.ledger.text(traces).await, "0 0 0");
    undo(&bench).await;
}

#[tokio::test]
async fn a_trigger_that_would_move_their_pages_keeps_every_word_aside() {
    let mut bench = adopted(Shape::Scripts, Switch::Off, false).await;
    bench
        .ledger
        .run(
            "create function public.stamp() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$; \
             create trigger stamp before update on public.payment_transactions for each row execute function public.stamp()",
        )
        .await;
    adopt(&mut bench, Switch::On, true).await;
    row(&bench, "a", "stripe", Some("pi_1"), None).await;
    hand_over(&bench, &[intent("pi_1", "requires_capture", 50)]).await;
    hand_over(&bench, &[intent("pi_1", "succeeded", 40)]).await;
    assert_eq!(theirs(&bench).await["a"], "- - processing");
    let updated = "select cast(cast(updated_at as date) as text) from public.payment_transactions";
    assert_eq!(bench.ledger.text(updated).await, "2025-05-01");
    let aside = "select provider_label || ' ' || status_label from afluente.legacy_rows where written_at is null";
    assert_eq!(bench.ledger.text(aside).await, "STRIPE SUCCEEDED");
    assert_eq!(gaps(&bench).await, []);
    let told = "select cast(count(*) as text) from inconsistencies where kind = 'legacy_overwritten'";
    assert_eq!(bench.ledger.text(told).await, "0");
}
