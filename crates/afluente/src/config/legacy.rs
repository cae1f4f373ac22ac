//! Whether and how rows of a legacy application are written: `[legacy]`, and `[legacy.merchants.NAME]` for one that differs.

use std::collections::BTreeMap;

use afluente_model::MerchantName;
use afluente_store::Location;
use afluente_store::legacy::Switch;

use super::section::{Reader, Section};

/// The words of a switch, the default first.
const SWITCH: [(&str, Switch); 3] = [("off", Switch::Off), ("shadow", Switch::Shadow), ("on", Switch::On)];

/// What the configuration says of an application beside us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LegacyConfig {
    /// The schema its tables are in.
    pub(crate) schema: String,
    /// For every merchant that is not named.
    pub(crate) switch: Switch,
    /// For those that are.
    pub(crate) merchants: BTreeMap<MerchantName, Switch>,
    /// Whether its own `status` is written too.
    pub(crate) writes_status: bool,
}

impl LegacyConfig {
    /// Whether anybody's rows are looked at.
    pub(crate) fn is_on(&self) -> bool {
        self.switch != Switch::Off || self.merchants.values().any(|switch| *switch != Switch::Off)
    }
}

/// Reads `[legacy]`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>, ledger: &Location) -> LegacyConfig {
    let mut section = root.section(reader, "legacy");
    let switch = section.word(reader, "write", None, &SWITCH);
    let schema = section.text(reader, "schema", None).unwrap_or_else(|| "public".to_owned());
    let writes_status = section.flag(reader, "status");
    let place = section.place("write");
    let named = section.section(reader, "merchants");
    let mut merchants = BTreeMap::new();
    for (name, mut section) in named.sections(reader) {
        let switch = section.word(reader, "write", None, &SWITCH);
        match MerchantName::parse(&name) {
            Ok(merchant) => drop(merchants.insert(merchant, switch)),
            Err(error) => reader.problem(section.start(), format!("legacy.merchants.{name}: {error}")),
        }
        section.finish(reader);
    }
    section.finish(reader);
    let config = LegacyConfig { schema, switch, merchants, writes_status };
    if config.is_on() && matches!(ledger, Location::Folder(_)) {
        let text = "legacy.write: expected off for a ledger in a file: an application is written beside in its own database; see [ledger] url";
        reader.problem(place, text.to_owned());
    }
    config
}
