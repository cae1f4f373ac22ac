//! Reading a table key by key: each key's type, range and place, and whatever nobody asked for at the end.

use std::cell::Cell;
use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::{Item, Table, TableLike, Value};

use super::{Config, Problem, private};

/// A place in the text: the byte where something begins.
pub(super) type Place = Option<usize>;

/// What is read from, and the problems found so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    folder: &'a Path,
    variables: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    files: Vec<PathBuf>,
}

/// The line of a byte, counted from one.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, folder: &'a Path, variables: &'a dyn Fn(&str) -> Option<String>) -> Reader<'a> {
        Reader { text, folder, variables, problems: Vec::new(), notes: Vec::new(), files: Vec::new() }
    }

    pub(super) fn problem(&mut self, place: Place, text: String) {
        let line = place.map(|at| line_of(self.text, at));
        self.problems.push(Problem { line, text });
    }

    pub(super) fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The text of a file that holds a secret; a relative path is one inside the data folder.
    pub(super) fn private_file(&mut self, path: &Path) -> Result<String, String> {
        let whole = self.folder.join(path);
        let read = private::read(&whole, path);
        self.files.push(whole);
        read
    }

    /// A file that anybody may read; a relative path is one inside the data folder.
    fn open_file(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        let whole = self.folder.join(path);
        let read = std::fs::read(&whole).map_err(|error| format!("{} cannot be read: {error}", path.display()));
        self.files.push(whole);
        read
    }

    /// Whether the data folder has a file of this name.
    pub(super) fn has_file(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    /// A secret by reference: one of `file` and `env` with a text. Returns it with the name of where it came from.
    pub(super) fn referred(&mut self, reference: &'a dyn TableLike) -> Result<(String, &'a str), String> {
        let part = |key: &str| reference.get(key).and_then(Item::as_str);
        if let Some((other, _)) = reference.iter().find(|(key, _)| !matches!(*key, "file" | "env")) {
            return Err(format!("expected file or env, got {other}"));
        }
        match (part("file"), part("env")) {
            (Some(file), None) => Ok((self.private_file(Path::new(file))?, file)),
            (None, Some(variable)) => {
                let value = self.variable(variable);
                Ok((value.ok_or_else(|| format!("environment variable {variable} is not set"))?, variable))
            }
            (Some(_), Some(_)) | (None, None) => Err("expected one of file and env with a text".to_owned()),
        }
    }

    /// What was wrong so far, if anything.
    pub(super) fn problems(self) -> Option<Vec<Problem>> {
        (!self.problems.is_empty()).then_some(self.problems)
    }

    pub(super) fn done(mut self, mut config: Config) -> Result<Config, Vec<Problem>> {
        if self.problems.is_empty() {
            config.notes = self.notes;
            config.files = self.files;
            return Ok(config);
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(self.problems)
    }
}

/// One table being read.
pub(super) struct Section<'a> {
    path: String,
    table: Option<&'a dyn TableLike>,
    start: Place,
    asked: Vec<&'static str>,
    open: Cell<bool>,
}

fn start(span: Option<Range<usize>>) -> Place {
    span.map(|span| span.start)
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a Table) -> Section<'a> {
        Section { path: String::new(), table: Some(table), start: None, asked: Vec::new(), open: Cell::new(false) }
    }

    /// A table of this one; an absent one is empty.
    pub(super) fn section(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Section<'a> {
        let (path, place) = (self.name(key), self.place(key));
        let table = match self.item(key) {
            None => None,
            Some(item) => {
                let table = item.as_table_like();
                if table.is_none() {
                    reader.problem(place, format!("{path}: expected a table, got {}", item.type_name()));
                }
                table
            }
        };
        Section { path, table, start: place, asked: Vec::new(), open: Cell::new(false) }
    }

    /// Every table of this one under its own key, for keys that people choose.
    pub(super) fn sections(&self, reader: &mut Reader<'_>) -> Vec<(String, Section<'a>)> {
        self.open.set(true);
        let mut found = Vec::new();
        for (key, item) in self.table.into_iter().flat_map(TableLike::iter) {
            let path = format!("{}.{key}", self.path);
            let place = self.table.and_then(|table| start(table.key(key).and_then(toml_edit::Key::span)));
            match item.as_table_like() {
                Some(table) => {
                    let section =
                        Section { path, table: Some(table), start: place, asked: Vec::new(), open: Cell::new(false) };
                    found.push((key.to_owned(), section));
                }
                None => reader.problem(place, format!("{path}: expected a table, got {}", item.type_name())),
            }
        }
        found
    }

    fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.asked.push(key);
        self.table.and_then(|table| table.get(key))
    }

    /// An item as it stands, for keys of several shapes.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'a Item> {
        self.item(key)
    }

    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where the section begins.
    pub(super) fn start(&self) -> Place {
        self.start
    }

    /// Where a key stands; the section's beginning if it does not.
    pub(super) fn place(&self, key: &str) -> Place {
        self.table.and_then(|table| start(table.key(key).and_then(toml_edit::Key::span))).or(self.start)
    }

    /// Where a text came from: its line and key, or the variable that was set over them.
    pub(super) fn origin(&self, reader: &Reader<'_>, key: &str, variable: &str) -> (Place, String) {
        match reader.variable(variable) {
            Some(_) => (None, format!("environment variable {variable} (over {})", self.name(key))),
            None => (self.place(key), self.name(key)),
        }
    }

    pub(super) fn text(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        variable: Option<&str>,
    ) -> Option<String> {
        let item = self.item(key);
        if let Some(value) = variable.and_then(|name| reader.variable(name)) {
            return Some(value);
        }
        let item = item?;
        if let Some(text) = item.as_str() {
            return Some(text.to_owned());
        }
        reader.problem(self.place(key), format!("{}: expected a text, got {}", self.name(key), item.type_name()));
        None
    }

    /// A list of texts, none by default.
    pub(super) fn texts(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<String> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let texts =
            item.as_array().and_then(|list| list.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect());
        texts.unwrap_or_else(|| {
            let text = format!("{}: expected a list of texts, got {}", self.name(key), item.type_name());
            reader.problem(self.place(key), text);
            Vec::new()
        })
    }

    /// What the file holds that a key names, unless the key does not stand there; a file that cannot be read is a problem.
    pub(super) fn file(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Vec<u8>> {
        let path = self.text(reader, key, None)?;
        let read = reader.open_file(Path::new(&path));
        read.map_err(|text| reader.problem(self.place(key), format!("{}: {text}", self.name(key)))).ok()
    }

    /// Whether it stands there at all.
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// True or false, false by default.
    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, key: &'static str) -> bool {
        let Some(item) = self.item(key) else { return false };
        item.as_bool().unwrap_or_else(|| {
            let text = format!("{}: expected true or false, got {}", self.name(key), item.type_name());
            reader.problem(self.place(key), text);
            false
        })
    }

    pub(super) fn number(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let Some(item) = self.item(key) else { return default };
        let value = item.as_integer().and_then(|value| u64::try_from(value).ok()).filter(|value| range.contains(value));
        value.unwrap_or_else(|| {
            let got = item.as_value().map_or_else(|| item.type_name().to_owned(), shown);
            let text = format!(
                "{}: expected a whole number from {} to {}, got {got}",
                self.name(key),
                range.start(),
                range.end()
            );
            reader.problem(self.place(key), text);
            default
        })
    }

    pub(super) fn millis(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_millis(self.number(reader, key, default, range))
    }

    pub(super) fn address(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        variable: Option<&str>,
        default: &str,
    ) -> SocketAddr {
        let text = self.text(reader, key, variable).unwrap_or_else(|| default.to_owned());
        text.parse().unwrap_or_else(|_| {
            let (place, name) = self.origin(reader, key, variable.unwrap_or_default());
            reader.problem(place, format!("{name}: expected an address and port such as {default}, got {text:?}"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    /// One of a few words, the first by default.
    pub(super) fn word<T: Copy>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        variable: Option<&str>,
        words: &[(&str, T)],
    ) -> T {
        let Some(text) = self.text(reader, key, variable) else { return words[0].1 };
        words.iter().find(|(word, _)| *word == text).map_or_else(
            || {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let (place, name) = self.origin(reader, key, variable.unwrap_or_default());
                reader.problem(place, format!("{name}: expected one of {}, got {text:?}", known.join(", ")));
                words[0].1
            },
            |(_, value)| *value,
        )
    }

    /// Reports what nobody asked for, with the nearest key that exists.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        if self.open.get() {
            return;
        }
        for (key, _) in self.table.into_iter().flat_map(TableLike::iter) {
            if !self.asked.contains(&key) {
                let near = self
                    .asked
                    .iter()
                    .min_by_key(|known| distance(known, key))
                    .filter(|known| distance(known, key) <= 3);
                let hint = near.map_or_else(
                    || format!("known keys: {}", self.asked.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                reader.problem(self.place(key), format!("{}: unknown key; {hint}", self.name(key)));
            }
        }
    }
}

/// A value as it was written, cut short.
fn shown(value: &Value) -> String {
    value.to_string().trim().chars().take(60).collect()
}

/// How many letters have to change to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, right) in b.chars().enumerate() {
            let replaced = before + usize::from(left != right);
            before = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(before + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
