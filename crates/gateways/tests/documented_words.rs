//! The tables of words in `docs/gateways` say what the code does, word by word.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::collections::BTreeSet;
use std::path::Path;

use afluente_gateways::adapter;
use afluente_model::Gateway;

fn page(gateway: Gateway) -> String {
    format!("docs/gateways/{}.md", adapter(gateway).profile().page)
}

fn documented(gateway: Gateway) -> BTreeSet<String> {
    let page = format!("../../{}", page(gateway));
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (_, table) = text.split_once("| Field | Word | Facts | Reads as |\n| --- | --- | --- | --- |\n").unwrap();
    table.lines().take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

fn coded(gateway: Gateway) -> BTreeSet<String> {
    let line = |entry: afluente_gateways::vocabulary::Entry| {
        let facts: Vec<String> = entry.facts.iter().map(|fact| format!("`{fact}`")).collect();
        let facts = if facts.is_empty() { "-".to_owned() } else { facts.join(", ") };
        format!("| `{}` | `{}` | {facts} | {} |", entry.field, entry.word, entry.reads_as)
    };
    adapter(gateway).vocabulary().into_iter().map(line).collect()
}

#[test]
fn every_word_stands_in_the_documentation_as_the_code_reads_it() {
    for gateway in Gateway::ALL.iter().copied() {
        let (documented, coded) = (documented(gateway), coded(gateway));
        let missing: Vec<&String> = coded.difference(&documented).collect();
        let stale: Vec<&String> = documented.difference(&coded).collect();
        assert!(missing.is_empty(), "not in {}: {missing:#?}", page(gateway));
        assert!(stale.is_empty(), "in {} and not in the code: {stale:#?}", page(gateway));
        assert!(!coded.is_empty());
    }
}
