//! A legacy application's tables, as the catalogue tells them in either shape.

use afluente_store::Server;
use afluente_store::legacy::{Catalogue, Survey, Target, Targets};
use afluente_testkit::Database;
use afluente_testkit::legacy::{Shape, build};

async fn adoptable(shape: Shape, payments: u32) -> (Database, Server) {
    let database = Database::create().await;
    build(&database, shape, payments).await;
    let server = database.url().parse().unwrap();
    (database, server)
}

fn is_enum_taking(target: &Target, words: &[&str]) -> bool {
    matches!(target, Target::Enum { .. }) && words.iter().all(|word| target.takes(word))
}

#[tokio::test]
async fn either_shape_is_read_as_it_is() {
    for shape in Shape::BOTH {
        let (_database, server) = adoptable(shape, 0).await;
        let found = Catalogue::read(&server, "public").await.unwrap();
        assert!(!found.shares_sessions);
        let targets = Targets::of(&found).unwrap();
        assert!(is_enum_taking(&targets.status, &["SUCCEEDED", "CHARGEBACK"]), "{:?}", targets.status);
        assert!(is_enum_taking(&targets.provider, &["PAGARME", "KRXPAY"]), "{:?}", targets.provider);
        // A later script adds it, so it may be missing.
        assert_eq!(targets.provider.takes("APPMAX"), shape == Shape::Scripts);
        assert_eq!(targets.word, Target::Text);
        assert!(targets.has_charges);
        let uniques = found.tables["payment_transactions"].indexes.iter().filter(|index| index.is_unique).count();
        assert_eq!(uniques, if shape == Shape::Scripts { 3 } else { 1 });
        let subscription = found.column("customer_subscriptions", "status").unwrap();
        let name = if shape == Shape::Scripts { "subscription_status" } else { "SubscriptionStatus" };
        assert_eq!(subscription.type_name.1, name);
        assert!(found.column("clinics", "ownerId").is_some(), "as it is spelled");
    }
    let (_database, server) = adoptable(Shape::Prisma, 0).await;
    assert!(Catalogue::read(&server, "elsewhere").await.unwrap().tables.is_empty());
}

#[tokio::test]
async fn every_flaw_is_counted_and_what_cannot_be_asked_is_told() {
    for shape in Shape::BOTH {
        let (database, server) = adoptable(shape, 4_090).await;
        let found = Catalogue::read(&server, "public").await.unwrap();
        let survey = Survey::take(&server, &found, |_, _| {}).await.unwrap();
        assert_eq!(survey.unasked, []);
        for kind in [
            "groups",
            "placeholders",
            "invoices",
            "amount_unknown",
            "merchant_unknown",
            "clinics_without_merchant",
            "failed_but_paid",
            "two_columns_disagree",
            "customers_by_case",
            "customers_two_documents",
            "links_without_account",
            "sessions_share_an_order",
            "subscriptions_of_their_own",
            "card_numbers",
        ] {
            assert!(survey.total(kind) > 0, "{kind}: {:?}", survey.counts);
        }
        let rows: i64 = sqlx::query_scalar("select count(*) from public.payment_transactions")
            .fetch_one(&database.beside().await)
            .await
            .unwrap();
        assert_eq!((survey.total("payments"), survey.total("statuses")), (rows, rows));
        database.run("alter table customers drop column email").await;
        let found = Catalogue::read(&server, "public").await.unwrap();
        let survey = Survey::take(&server, &found, |_, _| {}).await.unwrap();
        let unasked: Vec<&str> = survey.unasked.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(unasked, ["customers_by_case", "customers_two_documents"]);
    }
}
