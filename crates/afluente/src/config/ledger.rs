//! Where the ledger is: a file in the data folder, or a database of a Postgres server.

use std::path::Path;

use afluente_store::{Location, Server};

use super::section::{Reader, Section};
use super::url::{self, Sought};
use super::{FILE, Problem, Problems, section};

/// Reads `[ledger]`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>, folder: &Path) -> Location {
    let mut section = root.section(reader, "ledger");
    let sought = Sought {
        says: "where the ledger is",
        file: "ledger.url",
        variable: "DATABASE_URL",
        has_password: Server::has_password,
    };
    let server = url::read(reader, &mut section, &sought);
    section.finish(reader);
    server.map_or_else(|| Location::Folder(folder.to_owned()), Location::Server)
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
