//! The keys that seal messages and open their seals.

use afluente_queue::{SealKey, SealKeys};
use toml_edit::Item;

use super::SEAL_KEY_FILE;
use super::section::{Reader, Section};

/// The keys in use: `[queue] seal_keys`, the first of which seals, or `seal.key` alone. `None` where that is still to be
/// made by a first start.
pub(super) fn read<'a>(reader: &mut Reader<'a>, queue: &mut Section<'a>) -> Option<SealKeys> {
    let (name, place) = (queue.name("seal_keys"), queue.place("seal_keys"));
    let Some(item) = queue.raw("seal_keys") else { return alone(reader) };
    let Some(list) = item.as_array().filter(|list| !list.is_empty()) else {
        let example = "[{ file = \"seal.key\" }, { file = \"seal-old.key\" }]";
        reader.problem(
            place,
            format!("{name}: expected a list of references such as {example}, got {}", item.type_name()),
        );
        return None;
    };
    let mut keys = Vec::new();
    for value in list {
        let place = value.span().map(|span| span.start).or(place);
        let read = match value.as_inline_table() {
            Some(reference) => reader.referred(reference),
            None => Err("expected a reference such as { file = \"seal.key\" }".to_owned()),
        };
        let key = read.and_then(|(text, from)| SealKey::parse(&text).map_err(|error| format!("{from}: {error}")));
        match key {
            Ok(key) => keys.push(key),
            Err(text) => reader.problem(place, format!("{name}: {text}")),
        }
    }
    let mut keys = keys.into_iter();
    keys.next().map(|first| SealKeys::new(first, keys))
}

fn alone(reader: &mut Reader<'_>) -> Option<SealKeys> {
    if !reader.has_file(SEAL_KEY_FILE) {
        reader.note(format!("{SEAL_KEY_FILE} is not there yet; the first `afluente up` makes it"));
        return None;
    }
    let read = reader
        .private_file(SEAL_KEY_FILE.as_ref())
        .and_then(|text| SealKey::parse(&text).map_err(|error| format!("{SEAL_KEY_FILE}: {error}")));
    read.map_err(|text| reader.problem(None, text)).ok().map(|key| SealKeys::new(key, []))
}

/// Whether a configuration names its own keys, so that none has to be made. One that cannot be read names none.
pub(crate) fn are_named(text: &str) -> bool {
    let document = toml_edit::Document::parse(text).ok();
    let queue = document.as_ref().and_then(|document| document.get("queue"));
    queue.and_then(Item::as_table_like).is_some_and(|queue| queue.contains_key("seal_keys"))
}
