//! Where the ledger is: a file in the data folder, or a database of a Postgres server.

use std::path::Path;

use afluente_store::{Location, Server};
use toml_edit::Item;

use super::section::{Place, Reader, Section};
use super::{FILE, Problem, Problems, section};

/// Where other programs of this kind look for a database too; what the file says goes before it.
const VARIABLE: &str = "DATABASE_URL";

/// Reads `[ledger]`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>, folder: &Path) -> Location {
    let mut section = root.section(reader, "ledger");
    let (name, place) = (section.name("url"), section.place("url"));
    let location = match section.raw("url") {
        Some(item) => {
            let url = referred(reader, item);
            if reader.variable(VARIABLE).is_some() {
                reader.note(format!("{VARIABLE} is set and not used: {name} says where the ledger is"));
            }
            server(reader, &name, place, url)
        }
        None => reader
            .variable(VARIABLE)
            .and_then(|url| server(reader, &format!("environment variable {VARIABLE}"), None, Ok((url, false)))),
    };
    section.finish(reader);
    location.unwrap_or_else(|| Location::Folder(folder.to_owned()))
}

/// The URL as it stands or as it is referred to, and whether the file itself shows it.
fn referred<'a>(reader: &mut Reader<'a>, item: &'a Item) -> Result<(String, bool), String> {
    if let Some(url) = item.as_str() {
        return Ok((url.to_owned(), true));
    }
    match item.as_inline_table() {
        Some(reference) => reader.referred(reference).map(|(text, _)| (text.trim().to_owned(), false)),
        None => Err(format!(
            "expected a text, or a reference such as {{ file = \"ledger.url\" }}, got {}",
            item.type_name()
        )),
    }
}

fn server(reader: &mut Reader<'_>, name: &str, place: Place, url: Result<(String, bool), String>) -> Option<Location> {
    let read = url.and_then(|(url, shown)| {
        let server: Server = url.parse()?;
        if shown && server.has_password() {
            return Err("expected a reference such as { file = \"ledger.url\" } for a URL with a password".to_owned());
        }
        Ok(server)
    });
    read.map_err(|text| reader.problem(place, format!("{name}: {text}"))).ok().map(Location::Server)
}

/// Where the ledger of a data folder is, whatever else its configuration says: whoever looks at the ledger at night needs no
/// gateway's secret for it.
pub(crate) fn location(folder: &Path) -> Result<Location, Problems> {
    let file = folder.join(FILE);
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let alone = |line, text| Problems { file: file.clone(), problems: vec![Problem { line, text }] };
    let document = toml_edit::Document::parse(text.as_str()).map_err(|error| {
        alone(error.span().map(|span| section::line_of(&text, span.start)), format!("is not TOML: {}", error.message()))
    })?;
    let variables = |name: &str| std::env::var(name).ok();
    let mut reader = Reader::new(&text, folder, &variables);
    let location = read(&mut reader, &mut Section::root(document.as_table()), folder);
    reader.problems().map_or(Ok(location), |problems| Err(Problems { file: file.clone(), problems }))
}
