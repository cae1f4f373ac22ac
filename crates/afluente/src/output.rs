//! Tables for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::Value;

/// Writes text to standard output. A reader that went away (`| head`) ends the command quietly, as it should.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    if written.and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints one JSON document, indented for people at a terminal.
pub(crate) fn print_json(value: &Value) {
    let text =
        if io::stdout().is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    // A `Value` always has a JSON form.
    print(&text.unwrap_or_default());
}

/// A plain table: headings, columns set apart by space, numbers to the right.
pub(crate) fn table(headings: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(headings.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A JSON object as people read it: a name and a value a line.
pub(crate) fn record(document: &Value) -> String {
    let plain = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows = document.as_object().into_iter().flatten().map(|(name, value)| vec![name.clone(), plain(value)]);
    table(&["", ""], &[], rows).trim_start_matches('\n').to_owned()
}

/// Something worth knowing beside what was asked for: on standard error, so that it spoils no document.
pub(crate) fn note(text: &str) {
    // Nobody to hear it is no reason to fail.
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// A count with its noun: `1 payment`, `2 payments`.
pub(crate) fn count(number: impl Into<i128>, noun: &str) -> String {
    let number: i128 = number.into();
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
