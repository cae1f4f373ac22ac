//! Paths an account is reached on beside its own: those its gateway was told before.

use toml_edit::{Array, Item};

use crate::config::section::{Reader, Section};

/// Reads `aliases`, a list of whole paths.
pub(super) fn read(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<Box<str>> {
    let (name, place) = (section.name("aliases"), section.place("aliases"));
    let Some(item) = section.raw("aliases") else { return Vec::new() };
    let Some(list) = item.as_array() else {
        reader.problem(place, format!("{name}: expected a list of paths, got {}", item.type_name()));
        return Vec::new();
    };
    paths(reader, &name, list, item)
}

fn paths(reader: &mut Reader<'_>, name: &str, list: &Array, item: &Item) -> Vec<Box<str>> {
    let whole = item.span().map(|span| span.start);
    let mut paths: Vec<Box<str>> = Vec::new();
    for value in list {
        let place = value.span().map(|span| span.start).or(whole);
        match value.as_str().filter(|path| is_path(path)) {
            Some(path) if paths.iter().any(|known| **known == *path) => {
                reader.problem(place, format!("{name}: {path} is named twice"));
            }
            Some(path) => paths.push(path.into()),
            None => reader.problem(
                place,
                format!("{name}: expected a whole path such as \"/api/hooks/payments\", without a query and not under /webhooks/"),
            ),
        }
    }
    paths
}

/// A path as a request has it. What is under `/webhooks/` is ours.
fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\');
    path.starts_with('/') && path.bytes().all(plain) && path.len() <= 512 && !path.starts_with("/webhooks/")
}
