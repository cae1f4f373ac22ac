//! What a simulation is told as.

use afluente_simulate::{Difference, Sent, Tally, Truth};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// Everything that is told at the end.
pub(crate) struct Told {
    pub(crate) sent: Sent,
    /// What the gateway's API was asked, if it was played.
    pub(super) asked: Option<Tally>,
    /// How every payment is known to end.
    pub(crate) truth: Vec<Truth>,
    /// Where the ledger was looked into.
    pub(crate) differences: Option<Vec<Difference>>,
}

impl Told {
    pub(super) fn text(&self) -> String {
        let sent = &self.sent;
        let mut text = format!(
            "deliveries  {} sent, {} acknowledged, {} sent again after no success, {} given up\n\
             forgeries   {} sent, {} refused, {} believed, {} taken as a hint, {} never answered\n\
             speed       {:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms\n",
            sent.deliveries,
            sent.accepted,
            sent.retried,
            sent.given_up,
            sent.forgeries(),
            sent.refused(),
            sent.believed(),
            sent.hints(),
            sent.unanswered(),
            sent.rate(),
            sent.percentile(50),
            sent.percentile(99),
        );
        if let Some(asked) = &self.asked {
            text.push_str(&self.told_of_calls(asked));
        }
        if let Some(differences) = &self.differences {
            let found = output::count(differences.len() as i128, "difference");
            let events = sent.acknowledged.len();
            text.push_str(&format!(
                "check       {} payments and {events} acknowledged events: {found}\n",
                self.truth.len()
            ));
            text.push_str(&table(differences));
        }
        text.push_str(&ways(sent));
        text
    }

    /// How often the gateway was asked, if it was played.
    pub(super) fn calls(&self) -> Option<u64> {
        self.asked.as_ref().map(Tally::requests)
    }

    fn told_of_calls(&self, asked: &Tally) -> String {
        let objects: Vec<String> = asked.objects.iter().map(|(kind, count)| format!("{count} of {kind}")).collect();
        let answers: Vec<String> = asked.answers.iter().map(|(what, count)| format!("{count} × {what}")).collect();
        format!(
            "asked       {} calls, {:.2} for each payment, at most {} in a second: {}\n            {}\n",
            asked.requests(),
            self.calls_for_each(asked),
            asked.most_a_second,
            answers.join(", "),
            objects.join(", ")
        )
    }

    /// Calls that asked for a payment, or for the order it is in.
    #[allow(clippy::cast_precision_loss, reason = "for display")]
    fn calls_for_each(&self, asked: &Tally) -> f64 {
        asked.of_payments() as f64 / self.truth.len() as f64
    }

    pub(super) fn document(&self) -> Value {
        let (sent, differences) = (&self.sent, self.differences.as_deref());
        json!({
            "deliveries": sent.deliveries, "acknowledged": sent.accepted, "retried": sent.retried, "given_up": sent.given_up,
            "forgeries": sent.forgeries(), "refused": sent.refused(), "believed": sent.believed(), "hints": sent.hints(),
            "unanswered": sent.unanswered(), "rate": sent.rate(), "p50_ms": sent.percentile(50), "p99_ms": sent.percentile(99),
            "events": sent.acknowledged.len(),
            "ways": sent.ways.iter().map(|(way, came)| json!({
                "way": way.as_str(), "sent": came.sent, "refused": came.refused, "taken": came.taken, "unanswered": came.unanswered,
            })).collect::<Vec<_>>(),
            "asked": self.asked.as_ref().map(|asked| json!({
                "calls": asked.requests(), "for_each_payment": self.calls_for_each(asked), "most_a_second": asked.most_a_second,
                "answers": asked.answers, "objects": asked.objects,
            })),
            "differences": differences.map(|all| all.iter().map(difference_json).collect::<Vec<_>>()),
        })
    }

    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        if self.sent.believed() > 0 {
            return Err(Failure::Found(format!("{} forged requests were answered with success", self.sent.believed())));
        }
        if self.sent.given_up > 0 {
            let why = self.sent.last_status.map_or_else(
                || "nobody answered; is `afluente up` running?".to_owned(),
                |status| format!("the last answer was {status}; look at the log of `afluente up`"),
            );
            return Err(Failure::Unavailable(format!(
                "{} deliveries were never acknowledged: {why}",
                self.sent.given_up
            )));
        }
        if self.sent.unanswered() > 0 {
            return Err(Failure::Unavailable(format!(
                "{} forged requests were never answered, so nobody knows whether they would be refused",
                self.sent.unanswered()
            )));
        }
        match &self.differences {
            Some(differences) if !differences.is_empty() => Err(Failure::Found(String::new())),
            Some(_) | None => Ok(()),
        }
    }
}

/// Every way to forge that was tried, and what came of it.
pub(super) fn ways(sent: &Sent) -> String {
    if sent.ways.is_empty() {
        return String::new();
    }
    let rows = sent.ways.iter().map(|(way, came)| {
        let expected = if way.is_refused() { "refused" } else { "a hint" };
        let counts = [came.sent, came.refused, came.taken, came.unanswered].map(|count| count.to_string());
        [way.as_str().to_owned(), expected.to_owned()].into_iter().chain(counts).collect()
    });
    format!(
        "\n{}",
        output::table(&["FORGED BY", "EXPECTED", "SENT", "REFUSED", "TAKEN", "UNANSWERED"], &[2, 3, 4, 5], rows)
    )
}

fn difference_json(one: &Difference) -> Value {
    json!({"entity": one.entity, "life": one.life, "column": one.column, "expected": one.expected, "found": one.found})
}

/// How many differences a person is shown.
const SHOWN: usize = 40;

/// The differences as a table; nothing for none.
pub(crate) fn table(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let rows = differences.iter().take(SHOWN).map(|one| {
        vec![one.entity.clone(), one.life.to_owned(), one.column.to_owned(), one.expected.clone(), one.found.clone()]
    });
    let mut text = format!("\n{}", output::table(&["ENTITY", "LIFE", "COLUMN", "EXPECTED", "FOUND"], &[], rows));
    if differences.len() > SHOWN {
        text.push_str(&format!("… and {} more; --json shows all\n", differences.len() - SHOWN));
    }
    text
}
