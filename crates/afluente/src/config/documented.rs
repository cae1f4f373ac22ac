//! The table of settings in docs/operating.md, held against the keys that are asked for when a configuration is read.

use std::collections::{BTreeMap, BTreeSet};

use super::{file, parse};

/// A key nobody asks for: whoever reads a section answers it with those it knows.
const ODD: &str = "zzzzzzzzzzzzzzzz";
const PAGE: &str = include_str!("../../../../docs/operating.md");

/// Every section there is, each with the odd key; accounts of every kind, whose sections differ.
fn sections() -> String {
    let fixed = [
        "ingress",
        "ingress.tls",
        "ingress.mtls",
        "ingress.proxies",
        "admin",
        "queue",
        "ledger",
        "customers",
        "customers.merchants.NAME",
        "legacy",
        "legacy.merchants.NAME",
        "worker",
        "log",
    ];
    let mut text: String = fixed.iter().map(|section| format!("[{section}]\n{ODD} = 1\n")).collect();
    let kinds = [
        ("stripe", ""),
        ("pagarme", ""),
        ("appmax", ""),
        ("mercadopago", ""),
        ("openfinance", "ofb"),
        ("openfinance", "efi"),
        ("openfinance", "house"),
        ("openfinance", "transfeera"),
    ];
    for (number, (gateway, profile)) in kinds.into_iter().enumerate() {
        let account = format!("accounts.n{number}");
        let profile = if profile.is_empty() { String::new() } else { format!("profile = \"{profile}\"\n") };
        text.push_str(&format!("[{account}]\ngateway = \"{gateway}\"\n{profile}{ODD} = 1\n"));
        // Who asks with a client is asked more.
        for part in ["api]\nclient_id = \"c\"", "keys]", "client_certificates]"] {
            text.push_str(&format!("[{account}.{part}\n{ODD} = 1\n"));
        }
    }
    text
}

/// The keys each section asks for, accounts together.
fn asked() -> BTreeMap<String, BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    let problems = parse(folder.path(), &sections(), &|_| None).err().unwrap();
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for problem in problems {
        let Some((section, known)) = problem.text.split_once(&format!(".{ODD}: unknown key; known keys: ")) else {
            continue;
        };
        let mut parts: Vec<&str> = section.split('.').collect();
        if parts[0] == "accounts" {
            parts[1] = "NAME";
        }
        asked.entry(parts.join(".")).or_default().extend(known.split(", ").map(str::to_owned));
    }
    asked
}

/// The columns of the table's rows.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| Setting |")).skip(2);
    table.take_while(|line| line.starts_with('|')).map(|line| {
        let mut columns = line.split('|').skip(1);
        (columns.next().unwrap(), columns.next().unwrap())
    })
}

/// The keys with a row of their own: several in one row stand in one section.
fn documented() -> BTreeSet<String> {
    let mut documented = BTreeSet::new();
    for (row, _) in rows() {
        let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let (section, _) = names[0].rsplit_once('.').unwrap();
        let whole = |name: &&str| if name.contains('.') { (*name).to_owned() } else { format!("{section}.{name}") };
        for name in names.iter().map(whole) {
            assert!(documented.insert(name.clone()), "{name} stands there twice");
        }
    }
    documented
}

#[test]
fn every_setting_that_is_read_has_a_row_and_every_row_is_read() {
    let asked = asked();
    let leaves = |section: &String, keys: &BTreeSet<String>| {
        let whole: Vec<String> = keys.iter().map(|key| format!("{section}.{key}")).collect();
        let holds = |name: &String| {
            asked.keys().any(|section| {
                section.strip_prefix(&**name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        whole.into_iter().filter(|name| !holds(name)).collect::<Vec<_>>()
    };
    let read: BTreeSet<String> = asked.iter().flat_map(|(section, keys)| leaves(section, keys)).collect();
    let documented = documented();
    let missing: Vec<_> = read.difference(&documented).collect();
    let idle: Vec<_> = documented.difference(&read).collect();
    assert!(read.len() > 60, "{read:?}");
    assert!(missing.is_empty() && idle.is_empty(), "without a row: {missing:?}; of nothing that is read: {idle:?}");
}

/// The numbers of the file a first start writes, by their whole key.
fn numbers() -> Vec<(String, &'static str)> {
    let mut section = "";
    let mut numbers = Vec::new();
    for line in file::EXAMPLE.lines().map(|line| line.trim_start_matches('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, value)) = line.split_once(" = ").filter(|(_, value)| value.parse::<u64>().is_ok()) {
            numbers.push((format!("{section}.{key}"), value));
        }
    }
    numbers
}

#[test]
fn a_number_is_the_same_in_the_table_and_in_the_file_a_first_start_writes() {
    let numbers: Vec<_> = numbers().into_iter().filter(|(key, _)| !key.starts_with("accounts.")).collect();
    assert!(numbers.len() > 15, "{numbers:?}");
    for (key, value) in numbers {
        let row = rows().find(|(names, _)| names.contains(&format!("`{key}`"))).unwrap();
        assert_eq!(row.1.trim().rsplit(' ').next(), Some(value), "{key}");
    }
}
