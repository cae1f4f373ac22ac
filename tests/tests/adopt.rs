//! Beside a legacy application: adopted as its owner, written as a role that may touch two columns, taken away without a trace.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_testkit::legacy::{Shape, scripts};
use afluente_tests::{Served, Shop, wait_until};

/// A served shop whose database holds an application's tables and rows too, which belong to somebody else.
fn beside(shape: Shape, payments: u32) -> Served {
    let served = Served::new();
    let _ = served.ask("create role clinic login");
    let _ = served.ask("alter schema public owner to clinic; grant create on database shop to clinic");
    let _ = served.ask("alter role clinic createrole");
    for script in scripts(shape, payments) {
        served.server.psql_in("shop", &format!("set role clinic; set search_path = public;\n{script}"));
    }
    served
}

/// The URL of the application's owner.
fn owner(served: &Served) -> String {
    served.server.url("shop").replace("tester@", "clinic@")
}

/// Every row of every table of theirs, but for the two columns they asked us to write.
fn everything(served: &Served) -> String {
    let mut said = String::new();
    for table in [
        "payment_transactions",
        "checkout_sessions",
        "customers",
        "customer_providers",
        "customer_payment_methods",
        "customer_subscriptions",
        "clinics",
        "merchants",
        "merchant_integrations",
    ] {
        said += &served.ask(&format!(
            "select '{table}', count(*), md5(string_agg((to_jsonb(t) - 'status_v2' - 'provider_v2')::text, ',' order by t.id)) from public.{table} t"
        ));
    }
    said
}

fn words(served: &Served) -> String {
    served.ask("select md5(string_agg(id || coalesce(status_v2::text, '-') || coalesce(provider_v2::text, '-'), ',' order by id)) from public.payment_transactions")
}

#[test]
fn an_application_is_adopted_written_beside_and_left_as_it_was() {
    for shape in [Shape::Scripts, Shape::Prisma] {
        let served = beside(shape, 2_000);
        let shop = &served.shop;
        let owner = owner(&served);
        let (before, words_before) = (everything(&served), words(&served));
        let plan = shop.run(&["adopt", "--plan", "--admin-url", &owner]).expect(0).out;
        for part in
            ["krxpay", "PAGARME", "AUTHORIZED", "that money is held", "card_numbers", "table_of_our_name", "[legacy]"]
        {
            assert!(plan.contains(part), "{part} in {plan}");
        }
        let early = shop.run(&["adopt", "--apply", "--yes", "--admin-url", &owner]).expect(1).err;
        assert!(early.contains("run `afluente migrate`"), "{early}");
        shop.run(&["migrate"]).expect(0);
        // Nobody writes before it was made, and it says what is missing.
        shop.configure("[ledger]", "[legacy]\nwrite = \"on\"\n[ledger]");
        let refused = shop.run(&["up"]).expect(2).err;
        assert!(refused.contains("adopt --apply") && refused.contains("payment_transactions.status_v2"), "{refused}");
        let shown = shop.run(&["adopt", "--apply", "--admin-url", &owner]).expect(0).out;
        assert!(
            shown.contains("grant update (\"provider_v2\", \"status_v2\")") && shown.contains("nothing was run"),
            "{shown}"
        );
        assert!(!shown.contains("credentials"), "{shown}");
        shop.run(&["adopt", "--apply", "--yes", "--admin-url", &owner]).expect(0);

        let up = shop.up();
        let _ = served.ask("insert into public.payment_transactions (id, provider, provider_order_id, updated_at) values ('ours', 'stripe', 'pi_ours', '2025-05-01')");
        assert!(shop.deliver(up.ingress, &Shop::paid("ours", 500)).is_acknowledged());
        let now = "select coalesce(provider_v2::text, '') || ' ' || coalesce(status_v2::text, '') || ' ' || status || ' ' || updated_at::date from public.payment_transactions where id = 'ours'";
        wait_until("their row shows it", || served.ask(now) == "STRIPE SUCCEEDED processing 2025-05-01");
        // The database keeps the promise, whatever we might say.
        for forbidden in [
            "update public.payment_transactions set status = 'paid'",
            "update public.payment_transactions set updated_at = now()",
            "insert into public.payment_transactions (id, provider) values ('x', 'stripe')",
            "select credentials from public.merchant_integrations",
            "delete from public.customers",
        ] {
            let answer = served.server.psql_refused("shop", &format!("set role shop; {forbidden}"));
            assert!(answer.contains("permission denied"), "{forbidden}: {answer}");
        }
        assert!(
            shop.run(&["adopt", "--undo", "--yes", "--admin-url", &owner]).expect(3).err.contains("write = \"off\"")
        );
        assert_eq!(up.terminate().0, 0);
        shop.run(&["adopt", "--undo", "--yes", "--admin-url", &owner]).expect(0);
        let _ = served.ask("delete from public.payment_transactions where id = 'ours'");
        assert_eq!(everything(&served), before);
        assert_eq!(words(&served), words_before, "every word of ours gave way");
        assert_eq!(served.ask("select count(*) from pg_roles where rolname like 'afluente_legacy%'"), "0");
    }
}

#[test]
fn what_cannot_be_adopted_is_refused_with_the_reason() {
    let served = beside(Shape::Prisma, 0);
    let shop = &served.shop;
    let owner = owner(&served);
    let _ = served.ask("alter table public.payment_transactions alter column status_v2 type varchar(10)");
    let plan = shop.run(&["adopt", "--plan", "--admin-url", &owner]).expect(1);
    assert!(plan.err.contains("status_v2") && plan.err.contains("18 characters"), "{}", plan.err);
    let _ = served.ask("alter table public.payment_transactions drop column provider");
    let plan = shop.run(&["adopt", "--plan", "--admin-url", &owner, "--json"]).expect(1);
    assert!(plan.err.contains("payment_transactions.provider is not there"), "{}", plan.err);
    assert!(
        shop.run(&["adopt", "--plan", "--schema", "nowhere", "--admin-url", &owner])
            .expect(1)
            .err
            .contains("not there")
    );
    let in_a_file = Shop::new();
    assert!(in_a_file.run(&["adopt", "--plan"]).expect(2).err.contains("in a file"));
    in_a_file.configure("[admin]", "[legacy]\nwrite = \"shadow\"\n[admin]");
    assert!(in_a_file.run(&["check"]).expect(2).err.contains("legacy.write"));
}
