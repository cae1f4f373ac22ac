//! `afluente fold`: the calculator. Facts in, the row they make out.

use std::io::{self, BufRead, Read};

use afluente_gateways::adapter;
use afluente_model::{
    Amount, Conventions, Currency, Detail, DetailKey, Fact, Gateway, Kind, Payment, PaymentFact, PaymentKind,
    Resolution, Source, Timestamp, fold, project,
};
use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::exit::Failure;
use crate::output;

/// Longest line read, bytes.
const LINE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// Reads sets of facts, one JSON object a line, and prints the row each folds to.
///
/// A line is {"facts":[{"family","op","kind","at","op_at","amount","source","currency","detail"}…]}. Times are seconds or
/// null, amounts whole minor units or null; currency and detail may be left out. Each line is answered with one JSON
/// object; a line that cannot be read is answered with {"error"} and makes the exit code 1.
#[derive(Args)]
pub(crate) struct FoldArgs {
    /// Apply this gateway's clock: a coarse one makes neighbouring facts contested
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
}

/// Runs the calculator over standard input.
pub(crate) fn run(args: &FoldArgs) -> Result<(), Failure> {
    let conventions = conventions(args.gateway.as_deref())?;
    let mut failed = 0_u64;
    let mut input = io::stdin().lock();
    let mut number = 0_u64;
    while let Some(line) =
        next_line(&mut input).map_err(|error| Failure::Unavailable(format!("standard input: {error}")))?
    {
        number += 1;
        if matches!(&line, Ok(line) if line.iter().all(u8::is_ascii_whitespace)) {
            continue;
        }
        let answer = line.and_then(|line| facts(&line)).map(|facts| row(&project(&fold(&facts), conventions)));
        match answer {
            Ok(row) => output::print(&row.to_string()),
            Err(error) => {
                failed += 1;
                eprintln!("afluente: line {number}: {error}");
                output::print(&json!({"line": number, "error": error}).to_string());
            }
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::Found(format!("{} could not be folded", output::count(i128::from(failed), "line"))))
    }
}

/// Without a gateway every difference of a clock counts.
const EXACT: Conventions = Conventions { resolution: Resolution::Microsecond, ..Conventions::PLAIN };

fn conventions(gateway: Option<&str>) -> Result<Conventions, Failure> {
    let Some(slug) = gateway else { return Ok(EXACT) };
    Gateway::from_slug(slug)
        .map(adapter)
        .map(|adapter| adapter.profile().conventions)
        .ok_or_else(|| Failure::Usage(format!("expected a gateway such as stripe, got {slug:?}")))
}

/// The next line, an error text if it is too long, `None` at the end.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, String>>> {
    let mut line = Vec::new();
    let read = input.by_ref().take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.len() as u64 == LINE_LIMIT_BYTES && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(format!("expected a line of at most {LINE_LIMIT_BYTES} bytes, got more"))));
    }
    Ok(Some(Ok(line)))
}

#[derive(Deserialize)]
struct Line {
    facts: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    family: String,
    op: String,
    kind: String,
    #[serde(default)]
    at: Option<Box<RawValue>>,
    #[serde(default)]
    op_at: Option<Box<RawValue>>,
    #[serde(default)]
    amount: Option<Box<RawValue>>,
    source: String,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    detail: Option<Map<String, Value>>,
}

fn facts(line: &[u8]) -> Result<Vec<PaymentFact>, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    line.facts
        .iter()
        .enumerate()
        .map(|(index, entry)| fact(entry).map_err(|error| format!("fact {}: {error}", index + 1)))
        .collect()
}

fn fact(entry: &Entry) -> Result<PaymentFact, String> {
    let kind = kind(&entry.family, &entry.kind)?;
    let source: Source = entry.source.parse().map_err(|error| format!("source: {error}"))?;
    let time = |name: &str, text: Option<&RawValue>| {
        text.map(|text| {
            micros(text.get())
                .ok_or_else(|| format!("{name}: expected seconds since 1970 or null, got {}", short(text.get())))
        })
        .transpose()
    };
    let amount = entry.amount.as_deref().map(|text| amount(text.get())).transpose()?;
    let currency =
        entry.currency.as_deref().map(Currency::parse).transpose().map_err(|error| format!("currency: {error}"))?;
    Ok(Fact::new(kind, &entry.op, time("at", entry.at.as_deref())?, source)
        .counted_from(time("op_at", entry.op_at.as_deref())?)
        .money(amount, currency)
        .detail(detail(entry.detail.as_ref())?))
}

fn kind(family: &str, word: &str) -> Result<PaymentKind, String> {
    PaymentKind::parse(family, word).ok_or_else(|| {
        let all = PaymentKind::all();
        let of_family: Vec<&str> = all.iter().filter(|kind| kind.family() == family).map(|kind| kind.word()).collect();
        if of_family.is_empty() {
            let mut families: Vec<&str> = all.iter().map(|kind| kind.family()).collect();
            families.dedup();
            format!("family: expected one of {}, got {}", families.join(", "), short(family))
        } else {
            format!("kind: expected one of {} in family {family}, got {}", of_family.join(", "), short(word))
        }
    })
}

fn amount(text: &str) -> Result<Amount, String> {
    text.parse::<i64>()
        .ok()
        .and_then(|minor| Amount::new(minor).ok())
        .ok_or_else(|| format!("amount: expected 0 to {} minor units or null, got {}", Amount::MAX, short(text)))
}

/// Seconds with up to six decimals, exactly.
fn micros(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    format!("{seconds}{fraction:0<6}").parse().ok().and_then(|micros| Timestamp::from_micros(micros).ok())
}

/// Values are text as the ledger holds them, or numbers: seconds for the keys that hold moments.
fn detail(entries: Option<&Map<String, Value>>) -> Result<Detail, String> {
    let mut detail = Detail::none();
    for (key, value) in entries.into_iter().flatten() {
        let key: DetailKey = key.parse().map_err(|error| format!("detail: {error}"))?;
        detail = match (key, value) {
            (_, Value::Null) => detail,
            (_, Value::String(text)) => detail.with(key, text),
            (
                DetailKey::ExpiresAt | DetailKey::ScheduledFor | DetailKey::Since | DetailKey::Until,
                Value::Number(seconds),
            ) => {
                let at = micros(&seconds.to_string())
                    .ok_or_else(|| format!("detail.{key}: expected seconds since 1970, got {seconds}"))?;
                detail.with_time(key, Some(at))
            }
            (_, Value::Number(number)) => detail.with(key, &number.to_string()),
            (_, other) => {
                return Err(format!("detail.{key}: expected a text or a number, got {}", short(&other.to_string())));
            }
        };
    }
    Ok(detail)
}

fn short(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

/// The row in the words of the scenarios, with every other column beside them.
pub(crate) fn row(payment: &Payment) -> Value {
    let amounts = &payment.amounts;
    let mut row = json!({
        "authorized": amounts.authorized.minor(),
        "captured": amounts.captured.minor(),
        "refunded": amounts.refunded.minor(),
        "refund_pending": amounts.refund_pending.minor(),
        "disputed": amounts.disputed.minor(),
        "charged_back": amounts.charged_back.minor(),
    });
    if let Value::Object(columns) = &mut row {
        let others =
            afluente_worker::column::of_payment(payment).into_iter().filter(|(name, _)| !name.ends_with("_amount"));
        columns.extend(others.map(|(name, cell)| (name.to_owned(), cell.into())));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(line: &str) -> Result<Value, String> {
        facts(line.as_bytes()).map(|facts| row(&project(&fold(&facts), EXACT)))
    }

    #[test]
    fn a_line_in_the_words_of_the_scenarios_is_answered_with_its_row() {
        let line = r#"{"id":"x","facts":[{"family":"capture","op":"c","kind":"succeeded","at":10,"op_at":null,"amount":100,"source":"webhook"},
            {"family":"refund","op":"r","kind":"succeeded","at":20.5,"amount":30,"source":"webhook","currency":"brl","detail":{"word":"ok"}}]}"#;
        let row = folded(line).unwrap();
        assert_eq!(row["status_v2"], "PARTIALLY_REFUNDED");
        assert_eq!((&row["captured"], &row["refunded"], &row["contested"]), (&json!(100), &json!(30), &json!(false)));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_was_expected() {
        let with = |change: &str| {
            let fact = format!(r#"{{"family":"capture","op":"c","kind":"succeeded","source":"webhook"{change}}}"#);
            folded(&format!(r#"{{"facts":[{fact}]}}"#)).unwrap_err()
        };
        assert!(with(r#","amount":-1"#).contains("fact 1: amount: expected 0 to"));
        assert!(with(r#","amount":1.5"#).contains("minor units"));
        assert!(with(r#","amount":99999999999999999999999999999"#).contains("minor units"));
        assert!(with(r#","at":"soon""#).contains("at: expected seconds"));
        assert!(with(r#","at":-5"#).contains("at: expected seconds"));
        assert!(with(r#","currency":"reais""#).contains("currency"));
        assert!(with(r#","detail":{"colour":"red"}"#).contains("expected one of asked, code"));
        assert!(with(r#","colour":"red""#).contains("colour"));
        let unknown = folded(r#"{"facts":[{"family":"gift","op":"c","kind":"x","source":"webhook"}]}"#).unwrap_err();
        assert!(unknown.contains("family: expected one of attempt, auth, capture"), "{unknown}");
        let kind = folded(r#"{"facts":[{"family":"risk","op":"c","kind":"x","source":"webhook"}]}"#).unwrap_err();
        assert!(kind.contains("review, approved, rejected"), "{kind}");
        for bad in ["", "[]", "{}", "null", r#"{"facts":{}}"#, "{\"facts\":[", "\u{fffd}"] {
            assert!(folded(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_facts_say_nothing() {
        assert_eq!(folded(r#"{"facts":[]}"#).unwrap()["status_v2"], "UNKNOWN");
    }
}
