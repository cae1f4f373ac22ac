//! Where words of ours can be written: a pure reading of the catalogue.

use afluente_model::Gateway;
use afluente_model::legacy::{TOLD, provider_label};

use super::catalogue::{Catalogue, Column};

/// The table beside whose columns we write.
pub(crate) const PAYMENTS: &str = "payment_transactions";
/// Columns without which no row of it can be found.
const KEYS: [&str; 3] = ["id", "provider", "provider_order_id"];
/// What an update of ours must not change: it orders their pages and dates their revenue.
const STAMPED: [&str; 3] = ["updated_at", "updatedAt", "paid_at"];

/// What a column takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A label of this enum.
    Enum {
        /// Its type as a cast writes it.
        cast: String,
        /// Its labels.
        labels: Vec<String>,
    },
    /// Any text.
    Text,
    /// It is not there, or an update of its row would change more than it: the word stands in a table of ours.
    Aside {
        /// Why.
        because: String,
    },
    /// It is there and takes no word of ours.
    Refused {
        /// What was expected, and what it is.
        because: String,
    },
}

impl Target {
    /// Whether it takes this word.
    #[must_use]
    pub fn takes(&self, word: &str) -> bool {
        match self {
            Target::Enum { labels, .. } => labels.iter().any(|label| label == word),
            Target::Text | Target::Aside { .. } => true,
            Target::Refused { .. } => false,
        }
    }

    /// Whether the column itself is written.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        match self {
            Target::Enum { .. } | Target::Text => true,
            Target::Aside { .. } | Target::Refused { .. } => false,
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Target::Enum { cast, labels } => format!("enum {cast} with {} labels", labels.len()),
            Target::Text => "text".to_owned(),
            Target::Aside { because } => format!("aside, in a table of ours: {because}"),
            Target::Refused { because } => format!("refused: {because}"),
        }
    }
}

/// Why an installation cannot be adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A table or column without which no row can be found is not there.
    Missing(String),
    /// A column takes no word of ours.
    Refused(&'static str, String),
}

/// Where each word goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// `provider_v2`.
    pub provider: Target,
    /// `status_v2`.
    pub status: Target,
    /// `status`, which is written only where that is asked for.
    pub word: Target,
    /// Whether rows can be found by their charge too.
    pub has_charges: bool,
}

impl Targets {
    /// By what is there.
    pub fn of(catalogue: &Catalogue) -> Result<Targets, Vec<Unfit>> {
        let missing = KEYS.iter().filter(|key| catalogue.column(PAYMENTS, key).is_none());
        let missing: Vec<Unfit> = missing.map(|key| Unfit::Missing(format!("{PAYMENTS}.{key}"))).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let labels: Vec<&str> = Gateway::ALL.iter().map(|gateway| provider_label(*gateway)).collect();
        let statuses: Vec<&str> = TOLD.iter().filter_map(|told| told.label).collect();
        let words: Vec<&str> = TOLD.iter().filter_map(|told| told.word).collect();
        let targets = Targets {
            provider: target(catalogue, "provider_v2", &labels),
            status: target(catalogue, "status_v2", &statuses),
            word: target(catalogue, "status", &words),
            has_charges: catalogue.column(PAYMENTS, "provider_charge_id").is_some(),
        };
        let each = [("provider_v2", &targets.provider), ("status_v2", &targets.status)];
        let refused: Vec<Unfit> = each
            .into_iter()
            .filter_map(|(name, target)| match target {
                Target::Refused { because } => Some(Unfit::Refused(name, because.clone())),
                Target::Enum { .. } | Target::Text | Target::Aside { .. } => None,
            })
            .collect();
        if refused.is_empty() { Ok(targets) } else { Err(refused) }
    }
}

fn target(catalogue: &Catalogue, name: &str, words: &[&str]) -> Target {
    if let Some(because) = stamping(catalogue) {
        return Target::Aside { because };
    }
    let Some(column) = catalogue.column(PAYMENTS, name) else {
        return Target::Aside { because: format!("there is no {name}") };
    };
    if let Some(labels) = catalogue.labels(column) {
        return if words.iter().any(|word| labels.iter().any(|label| label == word)) {
            Target::Enum { cast: cast(column), labels: labels.to_vec() }
        } else {
            Target::Refused { because: format!("no label of {} is one of {}", cast(column), words.join(", ")) }
        };
    }
    let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
    match (column.type_name.1.as_str(), limit(&column.type_text)) {
        ("text", _) | ("varchar", None) => Target::Text,
        ("varchar", Some(limit)) if limit >= longest => Target::Text,
        ("varchar", Some(limit)) => Target::Refused {
            because: format!("expected room for {longest} characters, and it is {} with {limit}", column.type_text),
        },
        _ => Target::Refused { because: format!("expected an enum or a text, and it is {}", column.type_text) },
    }
}

/// What an update would change besides, if anything.
fn stamping(catalogue: &Catalogue) -> Option<String> {
    let triggers = &catalogue.tables.get(PAYMENTS)?.triggers;
    STAMPED.iter().find_map(|column| {
        let trigger = triggers.iter().find(|trigger| trigger.stamps(column))?;
        Some(format!("trigger {} changes {column} with every update", trigger.name))
    })
}

/// `character varying(30)` holds 30.
fn limit(type_text: &str) -> Option<usize> {
    type_text.split_once('(')?.1.strip_suffix(')')?.parse().ok()
}

/// A type as a cast writes it.
fn cast(column: &Column) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    format!("{}.{}", quoted(&column.type_name.0), quoted(&column.type_name.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::{Table, Trigger};

    fn column(type_text: &str, type_name: &str, is_enum: bool) -> Column {
        Column { type_text: type_text.to_owned(), type_name: ("public".to_owned(), type_name.to_owned()), is_enum }
    }

    fn catalogue(columns: &[(&str, Column)]) -> Catalogue {
        let keys = KEYS.map(|key| (key.to_owned(), column("text", "text", false)));
        let more = columns.iter().map(|(name, column)| ((*name).to_owned(), column.clone()));
        let table = Table { columns: keys.into_iter().chain(more).collect(), ..Table::default() };
        let labels = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        Catalogue {
            schema: "public".to_owned(),
            tables: [(PAYMENTS.to_owned(), table)].into(),
            enums: [
                (("public".to_owned(), "PaymentStatus".to_owned()), labels("PENDING PROCESSING SUCCEEDED")),
                (("public".to_owned(), "Colour".to_owned()), labels("RED GREEN")),
            ]
            .into(),
            ..Catalogue::default()
        }
    }

    #[test]
    fn a_column_is_written_as_what_it_is() {
        let status = |column| Targets::of(&catalogue(&[("status_v2", column)])).map(|targets| targets.status);
        let found = status(column("\"PaymentStatus\"", "PaymentStatus", true)).unwrap();
        assert!(found.takes("SUCCEEDED") && !found.takes("CHARGEBACK"));
        assert_eq!(status(column("text", "text", false)), Ok(Target::Text));
        assert_eq!(status(column("character varying(30)", "varchar", false)), Ok(Target::Text));
        for bad in [
            column("character varying(10)", "varchar", false),
            column("integer", "int4", false),
            column("\"Colour\"", "Colour", true),
        ] {
            let Err(unfit) = status(bad) else { panic!("taken") };
            assert!(matches!(&unfit[..], [Unfit::Refused("status_v2", _)]), "{unfit:?}");
        }
    }

    #[test]
    fn a_column_that_is_not_there_stands_aside_and_a_key_that_is_not_there_is_told() {
        let targets = Targets::of(&catalogue(&[])).unwrap();
        assert!(matches!(targets.status, Target::Aside { .. }) && !targets.has_charges);
        let mut without = catalogue(&[]);
        without.tables.get_mut(PAYMENTS).unwrap().columns.remove("provider");
        assert_eq!(Targets::of(&without), Err(vec![Unfit::Missing("payment_transactions.provider".to_owned())]));
        let nothing = Catalogue::default();
        assert_eq!(Targets::of(&nothing).unwrap_err().len(), KEYS.len());
    }

    #[test]
    fn a_trigger_that_would_move_their_pages_sends_every_word_aside() {
        let mut found = catalogue(&[("status_v2", column("text", "text", false))]);
        let trigger = |body: &str, on_update| Trigger { name: "stamp".to_owned(), on_update, body: body.to_owned() };
        let table = found.tables.get_mut(PAYMENTS).unwrap();
        table.triggers = vec![trigger("new.updated_at := now()", false), trigger("perform 1", true)];
        assert_eq!(Targets::of(&found).unwrap().status, Target::Text);
        found.tables.get_mut(PAYMENTS).unwrap().triggers.push(trigger("new.updated_at := now()", true));
        assert!(matches!(Targets::of(&found).unwrap().status, Target::Aside { .. }));
    }
}
