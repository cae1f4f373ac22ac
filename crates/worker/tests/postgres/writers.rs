//! Their own writers beside us: checkout, handlers and jobs as the application has them, while deliveries of every gateway come.
//! What they read is what it would be without us, and taken away again nothing of us is left in theirs.

use afluente_gateways::adapters;
use afluente_model::{AccountName, Answer, Asked, Delivery, Gateway, ProviderId, Timestamp, WantKind};
use afluente_store::{Settled, Switch};
use afluente_testkit::at_full_size;
use afluente_testkit::legacy::Shape;
use afluente_worker::answer::{Answered, Calls, record};
use afluente_worker::repair_gaps;
use uuid::Uuid;

use super::backfill::{beside, take_all};
use super::legacy::{adopt, charge, hand_over, intent, undo};
use super::reader::read;
use crate::suite::bench::{Bench, NOW, delivery};

/// The statements of their code for the `i`th buyer, each at a time of its own. Whoever checks out makes a row in processing; the
/// handler of each gateway finds it in its own way and writes the newest word, in `status` by a rule, in `status_v2` without one.
fn steps(i: usize) -> Vec<String> {
    let table = "public.payment_transactions";
    let at = |second: usize| format!("timestamp '2025-11-20 12:00:00' + interval '{} seconds'", i * 60 + second);
    let checkout = |id: String, provider: &str, order: String, more: &str, words: &str| {
        format!(
            "insert into {table} (id, provider, provider_order_id, clinic_id, amount_cents, status, created_at, updated_at{more}) \
             values ('{id}', '{provider}', '{order}', 'clinic_1', 500, 'processing', {}, {}{words})",
            at(0),
            at(0)
        )
    };
    let told = |found: String, status: &str, word: &str, second: usize| {
        format!(
            "update {table} set status = '{status}', status_v2 = '{word}', paid_at = {}, updated_at = {} where {found}",
            at(second),
            at(second)
        )
    };
    let by_order =
        |provider: &str, order: String| format!("provider in ({provider}) and provider_order_id = '{order}'");
    vec![
        // Pagar.me: a row as krxpay, and the renewal job's own.
        checkout(format!("w-pagarme-{i}"), "krxpay", format!("or_w{i}"), "", ""),
        checkout(format!("tx_pagarme_or_r{i}"), "pagarme", format!("or_r{i}"), ", currency", ", 'brl'"),
        told(by_order("'pagarme', 'krxpay'", format!("or_w{i}")), "paid", "PROCESSING", 5),
        told(by_order("'pagarme', 'krxpay'", format!("or_w{i}")), "paid", "SUCCEEDED", 9),
        // Stripe: the row has no merchant, so that one of two handlers never finds it; the other writes its own word.
        checkout(format!("w-stripe-{i}"), "stripe", format!("pi_w{i}"), "", ""),
        format!(
            "{} and merchant_id = 'merchant_1'",
            told(by_order("'stripe'", format!("pi_w{i}")), "captured", "SUCCEEDED", 6)
        ),
        format!(
            "update {table} set status = 'succeeded', raw_payload = '{{\"object\": \"event\"}}', updated_at = {} \
             where provider = 'stripe' and provider_order_id = 'pi_w{i}'",
            at(11)
        ),
        // Appmax: with merchant and word from the start, and a chargeback reads as processing.
        checkout(
            format!("appmax_w{i}"),
            "appmax",
            format!("{}", 900_000 + i),
            ", merchant_id, provider_v2, status_v2",
            ", 'merchant_1', null, 'PROCESSING'",
        ),
        told(by_order("'appmax'", format!("{}", 900_000 + i)), "paid", "SUCCEEDED", 7),
        told(by_order("'appmax'", format!("{}", 900_000 + i)), "chargedback", "PROCESSING", 30),
        // Open Finance: accepted is stored as paid, and nothing updates it.
        checkout(format!("w{i}:prod_1"), "open_banking", format!("P-w{i}"), "", ""),
        format!("update {table} set status = 'paid' where id = 'w{i}:prod_1'"),
        // Jobs: a session is given up when its Pix runs out, a deleted customer is taken out of its payments.
        format!(
            "update public.checkout_sessions set status = 'abandoned' where id in (select id from public.checkout_sessions \
                 where status::text <> 'abandoned' order by id limit 1)"
        ),
        format!("update {table} set customer_id = null where customer_id = 'cust_{i}'"),
    ]
}

/// All of them, one after the other, in a session of their own.
async fn write(bench: &Bench, buyers: usize) {
    for step in (1..=buyers).flat_map(steps) {
        bench.ledger.run(&step).await;
    }
}

/// What came by `now()` in the making of it, at one moment: two of them are the same.
async fn at_one_moment(bench: &Bench) {
    let freeze = "do $$ declare one record; begin \
        for one in select table_name, column_name from information_schema.columns where table_schema = 'public' \
            and column_default like '%now()%' and table_name <> 'payment_transactions' loop \
          execute format('update public.%I set %I = timestamp ''2025-04-01''', one.table_name, one.column_name); \
        end loop; end $$";
    bench.ledger.run(freeze).await;
}

/// Every row of every table of theirs, sorted by key, without the columns that are ours to write.
async fn everything(bench: &Bench) -> Vec<String> {
    let tables = bench
        .ledger
        .text("select string_agg(table_name, ',' order by table_name) from information_schema.tables where table_schema = 'public'")
        .await;
    let mut all = Vec::new();
    for table in tables.split(',') {
        let rows = format!(
            "select coalesce(string_agg((to_jsonb(one) - 'provider_v2' - 'status_v2')::text, e'\\n' order by one.id::text), '') \
             from public.{table} one"
        );
        all.push(format!("{table}\n{}", bench.ledger.text(&rows).await));
    }
    all
}

/// Their words of ours, by row.
async fn words(bench: &Bench) -> String {
    let sql = "select string_agg(id || ' ' || coalesce(provider_v2::text, '-') || ' ' || coalesce(status_v2::text, '-'), ',' order by id) \
               from public.payment_transactions";
    bench.ledger.text(sql).await
}

/// What the gateways send of the same buyers, and what they answer where nothing they send proves anything.
fn sent(i: usize) -> Vec<Delivery> {
    let at = Timestamp::from_seconds(NOW - 40).unwrap();
    let account = format!(
        r#"{{"id":"evt_w{i}","createdAt":"{at}","data":{{"paymentId":"P-w{i}","status":"paid","amount":"5.00","currency":"BRL"}}}}"#
    );
    vec![
        charge(&format!("ch_w{i}"), &format!("or_w{i}"), "processing", 60),
        charge(&format!("ch_r{i}"), &format!("or_r{i}"), "paid", 50),
        intent(&format!("pi_w{i}"), "processing", 60),
        intent(&format!("pi_w{i}"), "succeeded", 50),
        charge(&format!("ch_w{i}"), &format!("or_w{i}"), "paid", 40),
        Delivery { gateway: Gateway::OpenFinance, ..delivery("banco", &account) },
    ]
}

async fn answer(bench: &Bench, account: &str, gateway: Gateway, id: &str, body: String) {
    let name = AccountName::parse(account).unwrap();
    let asked = Asked {
        kind: WantKind::Payment,
        id: ProviderId::parse(id).unwrap(),
        tenant: None,
        context: None,
        path: format!("/{id}").into(),
        listed: false,
    };
    let at = Timestamp::from_seconds(NOW).unwrap();
    let answer = Answer {
        gateway,
        account: name.clone(),
        asked,
        status: 200,
        received_at: at,
        headers: Vec::new(),
        body: body.into_bytes().into(),
    };
    let read = Answered::read(answer, &bench.accounts.0[&name]).unwrap();
    let settled = Settled { id: Uuid::now_v7(), answers: None, began: at, outcome: "answered", held_until: at };
    record(&bench.store, &name, &[read], &settled, &Calls { month: "2026-09", calls: 1 }).await.unwrap();
}

/// Appmax and Mercado Pago prove nothing they send: what they answer counts. Nothing there has rows of Mercado Pago.
async fn read_back(bench: &Bench, i: usize) {
    let order = 900_000 + i;
    let paid = format!(
        r#"{{"data":{{"order":{{"id":{order},"status":"aprovado","total_paid":500,"amounts":{{"sub_total":500}},"created_at":"2025-11-20 09:00:00","updated_at":"2025-11-20 09:05:00"}},"customer":{{"id":{i},"email":"ana@example.com"}},"payment":{{"method":"creditcard"}},"refund":null}}}}"#
    );
    answer(bench, "caixa", Gateway::Appmax, &order.to_string(), paid).await;
    let paid = format!(
        r#"{{"id":{i},"status":"approved","transaction_amount":5,"currency_id":"BRL","date_created":"2025-11-23T08:00:00.000-04:00","date_last_updated":"2025-11-23T08:02:00.000-04:00","operation_type":"regular_payment","payment_method_id":"pix","payment_type_id":"bank_transfer","captured":true,"live_mode":false,"payer":{{"email":"ana@example.com"}},"order":{{}},"refunds":[],"metadata":{{}}}}"#
    );
    answer(bench, "mp", Gateway::MercadoPago, &i.to_string(), paid).await;
}

async fn traffic(bench: &Bench, buyers: usize) {
    for i in 1..=buyers {
        hand_over(bench, &sent(i)).await;
        read_back(bench, i).await;
    }
}

async fn made(shape: Shape, rows: u32) -> Bench {
    let mut bench = beside(shape, rows).await;
    let house = adapters(Gateway::OpenFinance).iter().find(|one| one.profile().name == "house").unwrap();
    let accounts = std::sync::Arc::make_mut(&mut bench.accounts);
    accounts.0.get_mut(&AccountName::parse("banco").unwrap()).unwrap().adapter = *house;
    at_one_moment(&bench).await;
    bench
}

#[tokio::test]
async fn their_writers_and_readers_are_as_without_us_and_taken_away_nothing_of_us_is_left() {
    let (rows, buyers) = (at_full_size(818, 20_000), at_full_size(20_usize, 300));
    for shape in Shape::BOTH {
        let (alone, mut both) = (made(shape, rows).await, made(shape, rows).await);
        adopt(&mut both, Switch::On, false).await;
        write(&alone, buyers).await;
        tokio::join!(write(&both, buyers), traffic(&both, buyers));
        // What was delivered before its row was made is looked for again after a while.
        let later = "update dual_write_gaps set last_seen_at = last_seen_at - interval '1 minute', \
                     first_seen_at = first_seen_at - interval '1 minute' where reason = 'no_row'";
        both.ledger.run(later).await;
        while repair_gaps(&both.store).await.unwrap() > 0 {}
        for (with, without) in read(&both).await.into_iter().zip(read(&alone).await) {
            assert!(with == without, "{} of {shape:?} sees something else", with.0);
        }
        assert!(everything(&both).await == everything(&alone).await, "something else of theirs changed");
        let written = "select string_agg(account || ' ' || rows, ', ' order by account) from (select account, count(*) as rows \
                       from afluente.legacy_rows where written_at is not null group by account) by_account";
        let (one, two) = (buyers, 2 * buyers);
        // As Prisma knows it there is no label for Appmax, and nothing there has rows of Mercado Pago.
        let appmax = if shape == Shape::Scripts { format!("caixa {one}, ") } else { String::new() };
        let expected = format!("banco {one}, {appmax}loja {two}, shop {one}");
        assert_eq!(both.ledger.text(written).await, expected, "{shape:?}");
        take_all(&both).await;
        assert!(read(&both).await == read(&alone).await, "nor after what was there before was taken in");
        undo(&both).await;
        assert!(everything(&both).await == everything(&alone).await, "something is left");
        let (with, without) = (words(&both).await, words(&alone).await);
        let differing = with.split(',').zip(without.split(',')).filter(|(one, other)| one != other).count();
        println!("{shape:?}: {rows} payments, {buyers} buyers, {differing} rows with other words of ours after undo");
    }
}
