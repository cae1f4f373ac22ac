//! `afluente adopt --plan`: what is there, what is lost, what is in the way.

use std::collections::BTreeSet;

use afluente_model::legacy::{TOLD, Told, gateway_spelled, provider_label};
use afluente_model::{Gateway, PaymentStatus};
use afluente_store::Server;
use afluente_store::legacy::{Catalogue, Survey, Target, Targets, Unfit};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// What is done about each flaw, by the word of the survey.
const ADVICE: [(&str, &str); 15] = [
    ("groups", "all rows of one payment show it; none is deleted"),
    ("placeholders", "shows the payment of the charge, beside the order's own row"),
    ("invoices", "shows the payment of the invoice, beside the intent's row"),
    ("many_charges", "the row shows the newest that took money, else the one whose charge it holds"),
    ("amount_unknown", "theirs stays 0"),
    ("merchant_unknown", "no matter: rows are found by what the gateway calls them"),
    ("clinics_without_merchant", "no matter: rows are found by what the gateway calls them"),
    ("failed_but_paid", "status_v2 becomes what the gateway says"),
    ("two_columns_disagree", "status_v2 becomes what the gateway says, status only if it is asked for"),
    ("customers_by_case", "theirs stay as they are; ours are made of what gateways claim, and compare without case"),
    (
        "customers_two_documents",
        "theirs stay as they are; to us two documents are two people, whatever address they share",
    ),
    ("links_without_account", "theirs stay as they are, and link nobody of ours"),
    ("sessions_share_an_order", "theirs stay as they are"),
    ("subscriptions_of_their_own", "theirs alone: we never write that table"),
    ("card_numbers", "no digit is copied anywhere; delete them: they may not be stored at all"),
];

/// What was found, and what it means.
struct Plan {
    catalogue: Catalogue,
    survey: Survey,
    targets: Result<Targets, Vec<Unfit>>,
}

pub(super) async fn run(server: &Server, schema: &str, as_json: bool) -> Result<(), Failure> {
    let catalogue = Catalogue::read(server, schema).await?;
    let targets = Targets::of(&catalogue);
    let bar = ProgressBar::new(1);
    bar.set_message("counting");
    let survey = Survey::take(server, &catalogue, |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    });
    let survey = survey.await?;
    bar.finish_and_clear();
    let plan = Plan { catalogue, survey, targets };
    if as_json {
        output::print_json(&plan.document(server));
    } else {
        output::print(&plan.text(server));
    }
    match &plan.targets {
        Ok(_) => Ok(()),
        Err(unfit) => Err(Failure::Found(cannot(unfit))),
    }
}

/// Why an installation cannot be adopted.
pub(super) fn cannot(unfit: &[Unfit]) -> String {
    let reasons: Vec<String> = unfit.iter().map(told).collect();
    format!("cannot be adopted: {}", reasons.join("; "))
}

fn told(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Missing(what) => format!("{what} is not there, and without it no row can be found"),
        Unfit::Refused(column, because) => format!("{column}: {because}"),
    }
}

impl Plan {
    fn text(&self, server: &Server) -> String {
        let tables = self.catalogue.tables.len();
        let owners: BTreeSet<&str> = self.catalogue.tables.values().map(|table| &*table.owner).collect();
        let owners: Vec<&str> = owners.into_iter().collect();
        let mut text = format!(
            "database  {server}\nschema    {} with {} of {}\n",
            self.catalogue.schema,
            output::count(tables as i128, "table"),
            owners.join(", ")
        );
        let mut section = |title: &str, body: String| {
            text.push_str(&format!("\n{title}\n{}", if body.is_empty() { "none\n".to_owned() } else { body }));
        };
        if let Ok(targets) = &self.targets {
            section("columns of payment_transactions", columns(targets));
            section("our words there", words(targets));
            section("gateways there", self.gateways(targets));
        }
        section("in the way, and what is done about it", self.conflicts());
        section("rows by their own status", self.statuses());
        if self.targets.is_ok() {
            section("to paste into afluente.toml", self.configuration());
        }
        text
    }

    /// Every spelling that is there, with the gateway it is of.
    fn gateways(&self, targets: &Targets) -> String {
        let rows = self.survey.counts.iter().filter(|count| count.kind == "payments").map(|count| {
            let gateway = gateway_spelled(&count.of);
            let label = gateway.map_or("-", provider_label);
            let fate = match gateway {
                None => "left alone: no gateway of ours",
                Some(_) if targets.provider.takes(label) => "",
                Some(_) => "gap `no_label`: the label is not there, and none is added",
            };
            let ours = gateway.map_or("-", Gateway::as_str);
            vec![count.of.clone(), ours.to_owned(), label.to_owned(), count.rows.to_string(), fate.to_owned()]
        });
        output::table(&["PROVIDER", "OURS", "LABEL", "ROWS", ""], &[3], rows)
    }

    fn statuses(&self) -> String {
        let rows = self.survey.counts.iter().filter(|count| count.kind == "statuses");
        output::table(&["STATUS", "ROWS"], &[1], rows.map(|count| vec![count.of.clone(), count.rows.to_string()]))
    }

    fn conflicts(&self) -> String {
        let counted = self.survey.counts.iter().filter_map(|count| {
            let (kind, advice) = ADVICE.iter().find(|(kind, _)| *kind == count.kind)?;
            Some(vec![(*kind).to_owned(), count.of.clone(), count.rows.to_string(), (*advice).to_owned()])
        });
        let unasked = self
            .survey
            .unasked
            .iter()
            .map(|(kind, why)| vec![(*kind).to_owned(), "not counted".to_owned(), "-".to_owned(), why.clone()]);
        let rows: Vec<Vec<String>> = counted.chain(unasked).chain(self.of_the_catalogue()).collect();
        if rows.is_empty() { String::new() } else { output::table(&["WHAT", "OF", "ROWS", ""], &[2], rows) }
    }

    /// What the catalogue alone tells.
    fn of_the_catalogue(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut tell = |what: &str, of: String, then: &str| {
            found.push(vec![what.to_owned(), of, "-".to_owned(), then.to_owned()]);
        };
        for name in
            ["customers", "customer_providers", "customer_payment_methods", "customer_subscriptions", "payments"]
        {
            if self.catalogue.tables.contains_key(name) {
                tell("table_of_our_name", name.to_owned(), "ours are in the schema afluente; theirs is never altered");
            }
        }
        for (schema, name) in self.catalogue.enums.keys() {
            let twin = self.catalogue.enums.keys().any(|(_, other)| other != name && same(other, name));
            if twin {
                tell("two_enums", format!("{schema}.{name}"), "the one the column has is used");
            }
        }
        let payments = self.catalogue.tables.get("payment_transactions");
        for trigger in payments.into_iter().flat_map(|table| &table.triggers).filter(|trigger| trigger.on_update) {
            tell(
                "trigger_on_update",
                trigger.name.clone(),
                "it runs when we write; one that stamps their dates sends us aside",
            );
        }
        let indexed = payments.is_some_and(|table| {
            table.indexes.iter().any(|index| index.columns.iter().take(2).any(|column| column == "provider_order_id"))
        });
        if payments.is_some() && !indexed {
            tell(
                "no_index",
                "provider_order_id".to_owned(),
                "finding a row reads the whole table: let them add an index first",
            );
        }
        if self.catalogue.shares_sessions {
            tell(
                "pooler",
                "in the way".to_owned(),
                "it must pool by session for `adopt`; at work, our schema is a property of the role",
            );
        }
        found
    }

    /// What is written into the configuration to begin with: look, and write nothing.
    fn configuration(&self) -> String {
        format!(
            "[legacy]\n# off, shadow (compare and write nothing of theirs) or on; [legacy.merchants.NAME] for one that differs\n\
             write = \"shadow\"\nschema = \"{}\"\n# whether their own `status` is written too\nstatus = false\n",
            self.catalogue.schema
        )
    }

    fn document(&self, server: &Server) -> Value {
        let counts = |kind: &'static str| {
            let of = self.survey.counts.iter().filter(move |count| count.kind == kind);
            of.map(|count| json!({"of": count.of, "rows": count.rows})).collect::<Vec<_>>()
        };
        let conflicts = self.survey.counts.iter().filter_map(|count| {
            let (_, advice) = ADVICE.iter().find(|(kind, _)| *kind == count.kind)?;
            Some(json!({"what": count.kind, "of": count.of, "rows": count.rows, "then": advice}))
        });
        let catalogue = self.of_the_catalogue();
        let catalogue = catalogue.iter().map(|row| json!({"what": row[0], "of": row[1], "rows": null, "then": row[3]}));
        let targets = self.targets.as_ref().ok();
        json!({
            "database": server.to_string(), "schema": self.catalogue.schema,
            "tables": self.catalogue.tables.keys().collect::<Vec<_>>(),
            "columns": targets.map(|targets| json!({
                "provider_v2": targets.provider.shown(), "status_v2": targets.status.shown(), "status": targets.word.shown(),
            })),
            "words": targets.map(|targets| TOLD.iter().map(|told| word_json(told, targets)).collect::<Vec<_>>()),
            "providers": counts("payments"), "statuses": counts("statuses"),
            "conflicts": conflicts.chain(catalogue).collect::<Vec<_>>(),
            "unasked": self.survey.unasked.iter().map(|(kind, why)| json!({"what": kind, "why": why})).collect::<Vec<_>>(),
            "unfit": self.targets.as_ref().err().map(|unfit| unfit.iter().map(told).collect::<Vec<_>>()),
            "configuration": self.configuration(),
        })
    }
}

/// Two names of one thing.
fn same(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    plain(one) == plain(other)
}

fn columns(targets: &Targets) -> String {
    let each = [
        ("provider_v2", &targets.provider, "the gateway"),
        ("status_v2", &targets.status, "our status, in their labels"),
        ("status", &targets.word, "only if it is asked for, in their words"),
    ];
    let rows = each.map(|(name, target, what)| vec![name.to_owned(), target.shown(), what.to_owned()]);
    output::table(&["COLUMN", "IS", "GETS"], &[], rows)
}

/// What becomes of a word there.
fn fate(told: &Told, target: &Target) -> String {
    match told.label {
        Some(label) if target.takes(label) => told.lost.to_owned(),
        Some(_) => "gap `no_label`: the label is not there, and none is added".to_owned(),
        None => format!("gap `no_label`: {}", told.lost),
    }
}

fn words(targets: &Targets) -> String {
    let rows = TOLD.iter().map(|told| {
        let shown = |word: Option<&str>| word.unwrap_or("-").to_owned();
        let ours: PaymentStatus = told.status;
        vec![ours.to_string(), shown(told.label), shown(told.word), fate(told, &targets.status)]
    });
    output::table(&["OURS", "STATUS_V2", "STATUS IF ASKED", "LOSES"], &[], rows)
}

fn word_json(told: &Told, targets: &Targets) -> Value {
    json!({
        "ours": told.status.as_str(), "label": told.label, "word": told.word,
        "taken": told.label.is_some_and(|label| targets.status.takes(label)), "loses": fate(told, &targets.status),
    })
}
