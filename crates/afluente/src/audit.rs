//! `afluente audit`: how much of what is owed stands in the ledger, against goals.

mod share;

use std::collections::BTreeMap;

use afluente_model::Timestamp;
use afluente_store::{Location, Store};
use clap::Args;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::{moment, output};
use share::{Colour, Measure, Share};

/// Shows by gateway which share of payments has a customer, its link at the gateway, a status and a method, and which share of
/// completed checkout sessions found its payment: of all time and lately. Green from the goal, red ten percent below it. Exit code 1
/// if anything is red
#[derive(Args)]
pub(crate) struct AuditArgs {
    /// What counts as lately: a moment, or so long ago
    #[arg(long, value_parser = moment::since, default_value = "7d", value_name = "TIME")]
    since: Timestamp,
    /// Only this merchant's
    #[arg(long, value_name = "NAME")]
    merchant: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What one gateway has in one window of time, or all of them together.
#[derive(Clone, Debug, Default)]
struct Audited {
    payments: i64,
    sessions: i64,
    with: [i64; 5],
}

/// What is measured of payments and sessions, in the order of the columns.
const MEASURES: [Measure; 5] = [Measure::Customer, Measure::Link, Measure::Status, Measure::Method, Measure::Session];

impl Audited {
    fn shares(&self) -> [Share; 5] {
        let mut shares = MEASURES.map(|measure| Share { measure, of: self.payments, have: 0 });
        shares[4].of = self.sessions;
        for (share, have) in shares.iter_mut().zip(self.with) {
            share.have = have;
        }
        shares
    }

    fn add(&mut self, other: &Audited) {
        self.payments += other.payments;
        self.sessions += other.sessions;
        for (have, more) in self.with.iter_mut().zip(other.with) {
            *have += more;
        }
    }
}

/// The name of the line over all gateways.
const ALL: &str = "all";

/// A window of time with what each gateway has in it.
struct Window {
    name: &'static str,
    gateways: BTreeMap<String, Audited>,
    all: Audited,
}

impl Window {
    async fn read(
        store: &Store,
        name: &'static str,
        since: Timestamp,
        merchant: Option<&str>,
    ) -> Result<Window, Failure> {
        let mut gateways: BTreeMap<String, Audited> = BTreeMap::new();
        for row in store.audit_payments(since, merchant).await? {
            let audited = gateways.entry(row.provider_v2).or_default();
            audited.payments = row.payments;
            audited.with[..4].copy_from_slice(&[row.with_customer, row.with_link, row.with_status, row.with_method]);
        }
        for row in store.audit_sessions(since, merchant).await? {
            let audited = gateways.entry(row.provider_v2).or_default();
            (audited.sessions, audited.with[4]) = (row.sessions, row.with_payment);
        }
        let mut all = Audited::default();
        for one in gateways.values() {
            all.add(one);
        }
        Ok(Window { name, gateways, all })
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &Audited)> {
        self.gateways.iter().map(|(gateway, audited)| (gateway.as_str(), audited)).chain([(ALL, &self.all)])
    }

    fn document(&self) -> Value {
        let lines = self.lines().map(|(gateway, audited)| {
            let shares = audited.shares().map(|share| (share.measure.name().to_owned(), share.document()));
            json!({
                "gateway": gateway, "payments": audited.payments, "sessions": audited.sessions,
                "shares": shares.into_iter().collect::<serde_json::Map<_, _>>(),
            })
        });
        json!({"window": self.name, "gateways": lines.collect::<Vec<_>>()})
    }

    /// What is red, for people.
    fn red(&self) -> impl Iterator<Item = String> {
        self.gateways.iter().flat_map(move |(gateway, audited)| {
            let red = audited.shares().into_iter().filter(|share| share.colour() == Some(Colour::Red));
            red.map(move |share| format!("{gateway} {} {share} ({})", share.measure.name(), self.name))
        })
    }
}

/// Runs the command.
pub(crate) async fn run(args: &AuditArgs, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    let merchant = args.merchant.as_deref();
    let windows = [
        Window::read(&store, "all time", Timestamp::EPOCH, merchant).await?,
        Window::read(&store, "lately", args.since, merchant).await?,
    ];
    if args.json {
        output::print_json(&json!({
            "since": args.since.to_string(), "windows": windows.iter().map(Window::document).collect::<Vec<_>>(),
        }));
    } else {
        output::print(&text(&windows));
    }
    let red: Vec<String> = windows.iter().flat_map(Window::red).collect();
    if red.is_empty() { Ok(()) } else { Err(Failure::Found(format!("below its goal: {}", red.join(", ")))) }
}

fn text(windows: &[Window]) -> String {
    let headings = MEASURES.map(|measure| format!("{} ({} %)", measure.name().to_uppercase(), measure.goal()));
    let [customer, link, status, method, session] = headings.each_ref().map(String::as_str);
    let headings = ["WHEN", "GATEWAY", "PAYMENTS", customer, link, status, method, "SESSIONS", session];
    let rows = windows.iter().flat_map(|window| {
        window.lines().map(|(gateway, audited)| {
            let [customer, link, status, method, session] = audited.shares().map(|share| share.to_string());
            let (payments, sessions) = (audited.payments.to_string(), audited.sessions.to_string());
            vec![
                window.name.to_owned(),
                gateway.to_owned(),
                payments,
                customer,
                link,
                status,
                method,
                sessions,
                session,
            ]
        })
    });
    output::table(&headings, &[2, 3, 4, 5, 6, 7, 8], rows)
}
