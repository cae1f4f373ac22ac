//! A URL that says where something is: in the file, by reference, or in a variable other programs use for it too.

use std::str::FromStr;

use toml_edit::Item;

use super::section::{Reader, Section};

/// What is looked for.
pub(super) struct Sought<T> {
    /// What it says, such as `where the ledger is`.
    pub(super) says: &'static str,
    /// An example of a file that holds it.
    pub(super) file: &'static str,
    /// The variable; what the file says goes before it.
    pub(super) variable: &'static str,
    /// Whether its text must not stand in the file.
    pub(super) has_password: fn(&T) -> bool,
}

/// Reads `url` of a section, or the variable.
pub(super) fn read<'a, T: FromStr<Err = String>>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    sought: &Sought<T>,
) -> Option<T> {
    let Sought { says, file, variable, has_password } = sought;
    let (name, place) = (section.name("url"), section.place("url"));
    let Some(item) = section.raw("url") else {
        let url = reader.variable(variable)?;
        let parsed =
            url.parse().map_err(|text| reader.problem(None, format!("environment variable {variable}: {text}")));
        return parsed.ok();
    };
    if reader.variable(variable).is_some() {
        reader.note(format!("{variable} is set and not used: {name} says {says}"));
    }
    let read = referred(reader, item, file).and_then(|(url, shown)| {
        let parsed: T = url.parse()?;
        if shown && has_password(&parsed) {
            return Err(format!("expected a reference such as {{ file = \"{file}\" }} for a URL with a password"));
        }
        Ok(parsed)
    });
    read.map_err(|text| reader.problem(place, format!("{name}: {text}"))).ok()
}

/// The URL as it stands or as it is referred to, and whether the file itself shows it.
fn referred<'a>(reader: &mut Reader<'a>, item: &'a Item, file: &str) -> Result<(String, bool), String> {
    if let Some(url) = item.as_str() {
        return Ok((url.to_owned(), true));
    }
    let expected =
        || format!("expected a text, or a reference such as {{ file = \"{file}\" }}, got {}", item.type_name());
    let reference = item.as_inline_table().ok_or_else(expected)?;
    reader.referred(reference).map(|(text, _)| (text.trim().to_owned(), false))
}
