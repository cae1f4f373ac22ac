//! How often each flaw the application is known for is there. Counts alone: no row and no value leaves its table.

use sqlx::{AssertSqlSafe, Connection};

use super::catalogue::Catalogue;
use crate::error::StoreError;
use crate::postgres::{READING, Server, in_time};
use crate::rows::{Statement, text};

/// A question about rows, and the columns without which it cannot be asked.
struct Question {
    kind: &'static str,
    needs: &'static [(&'static str, &'static [&'static str])],
    text: Statement,
}

/// Every question.
static QUESTIONS: [Question; 17] = [
    Question {
        kind: "payments",
        needs: &[("payment_transactions", &["provider"])],
        text: text!("legacy/count_payments"),
    },
    Question {
        kind: "statuses",
        needs: &[("payment_transactions", &["status"])],
        text: text!("legacy/count_statuses"),
    },
    Question {
        kind: "groups",
        needs: &[("payment_transactions", &["provider_order_id"])],
        text: text!("legacy/count_groups"),
    },
    Question {
        kind: "placeholders",
        needs: &[("payment_transactions", &["provider_order_id", "provider_charge_id"])],
        text: text!("legacy/count_placeholders"),
    },
    Question {
        kind: "invoices",
        needs: &[("payment_transactions", &["provider_order_id"])],
        text: text!("legacy/count_invoices"),
    },
    Question {
        kind: "many_charges",
        needs: &[("payment_transactions", &["provider_order_id", "provider_charge_id"])],
        text: text!("legacy/count_many_charges"),
    },
    Question {
        kind: "amount_unknown",
        needs: &[("payment_transactions", &["amount_cents"])],
        text: text!("legacy/count_amount_unknown"),
    },
    Question {
        kind: "merchant_unknown",
        needs: &[("payment_transactions", &["merchant_id"]), ("merchants", &["id"])],
        text: text!("legacy/count_merchant_unknown"),
    },
    Question {
        kind: "clinics_without_merchant",
        needs: &[("clinics", &["id"]), ("merchants", &["clinic_id"])],
        text: text!("legacy/count_clinics_without_merchant"),
    },
    Question {
        kind: "failed_but_paid",
        needs: &[("payment_transactions", &["status", "paid_at"])],
        text: text!("legacy/count_failed_but_paid"),
    },
    Question {
        kind: "two_columns_disagree",
        needs: &[("payment_transactions", &["status", "status_v2"])],
        text: text!("legacy/count_two_columns_disagree"),
    },
    Question {
        kind: "customers_by_case",
        needs: &[("customers", &["email"])],
        text: text!("legacy/count_customers_by_case"),
    },
    Question {
        kind: "customers_two_documents",
        needs: &[("customers", &["email", "document"])],
        text: text!("legacy/count_customers_two_documents"),
    },
    Question {
        kind: "links_without_account",
        needs: &[("customer_providers", &["account_id"])],
        text: text!("legacy/count_links_without_account"),
    },
    Question {
        kind: "sessions_share_an_order",
        needs: &[("checkout_sessions", &["order_id"])],
        text: text!("legacy/count_sessions_share_an_order"),
    },
    Question {
        kind: "subscriptions_of_their_own",
        needs: &[("customer_subscriptions", &["provider_subscription_id"])],
        text: text!("legacy/count_subscriptions_of_their_own"),
    },
    Question {
        kind: "card_numbers",
        needs: &[("payment_transactions", &["raw_payload"])],
        text: text!("legacy/count_card_numbers"),
    },
];

/// Something that was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// A word for it.
    pub kind: &'static str,
    /// Of what, where there are several: a spelling, a word.
    pub of: String,
    /// How many rows.
    pub rows: i64,
}

/// Everything that was counted.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// In the order of the questions.
    pub counts: Vec<Count>,
    /// Questions that could not be asked, and why: a table or column is not there, or may not be read.
    pub unasked: Vec<(&'static str, String)>,
}

impl Survey {
    /// Asks everything this schema has the columns for. Reads whole tables, a question at a time.
    pub async fn take(
        server: &Server,
        catalogue: &Catalogue,
        mut asked: impl FnMut(usize, usize),
    ) -> Result<Survey, StoreError> {
        let mut connection = server.connect().await?;
        let path = format!("set search_path = {}, pg_catalog", quoted(&catalogue.schema));
        sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut connection).await?;
        let mut survey = Survey::default();
        for (place, question) in QUESTIONS.iter().enumerate() {
            asked(place, QUESTIONS.len());
            if let Some(missing) = question.misses(catalogue) {
                survey.unasked.push((question.kind, format!("{missing} is not there")));
                continue;
            }
            let rows = sqlx::query_as::<_, (Option<String>, i64)>(question.text.postgres).fetch_all(&mut connection);
            match in_time(READING, rows).await {
                Ok(rows) => survey.counts.extend(rows.into_iter().map(|(of, rows)| Count {
                    kind: question.kind,
                    of: of.unwrap_or_default(),
                    rows,
                })),
                Err(StoreError::Failed(sqlx::Error::Database(error))) => {
                    survey.unasked.push((question.kind, error.message().to_owned()));
                }
                Err(error) => return Err(error),
            }
        }
        connection.close().await?;
        Ok(survey)
    }

    /// How many rows a kind has, of whatever.
    #[must_use]
    pub fn total(&self, kind: &str) -> i64 {
        self.counts.iter().filter(|count| count.kind == kind).map(|count| count.rows).sum()
    }
}

impl Question {
    /// The first column it needs that is not there.
    fn misses(&self, catalogue: &Catalogue) -> Option<String> {
        let all = self.needs.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)));
        all.into_iter()
            .find(|(table, column)| catalogue.column(table, column).is_none())
            .map(|(table, column)| format!("{table}.{column}"))
    }
}

/// An identifier as a statement writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
