//! What is written beside the facts: customers, and rows of a legacy application. `[customers]` and `[legacy]`, each with
//! `merchants.NAME` for one that differs.

use std::collections::BTreeMap;

use afluente_model::MerchantName;
use afluente_store::{Location, Switch, Switches};
use afluente_worker::backfill::Sellers;

use super::AccountConfig;
use super::section::{Reader, Section};

/// A switch for every merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    default: Switch,
    merchants: BTreeMap<MerchantName, Switch>,
}

impl Written {
    /// The same by account, which is what the ledger knows.
    pub(crate) fn by_account(&self, accounts: &[AccountConfig]) -> Switches {
        let of = |merchant: &MerchantName| self.merchants.get(merchant).copied();
        let named = accounts.iter().filter_map(|one| Some((one.name.clone(), of(&one.merchant)?)));
        Switches { default: self.default, accounts: named.collect() }
    }

    fn is_on(&self) -> bool {
        self.default != Switch::Off || self.merchants.values().any(|switch| *switch != Switch::Off)
    }
}

/// What the configuration says of an application beside us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LegacyConfig {
    /// The schema its tables are in.
    pub(crate) schema: String,
    /// Whose rows are written.
    pub(crate) written: Written,
    /// Whether its own `status` is written too.
    pub(crate) writes_status: bool,
    /// Whose its merchants and clinics are.
    pub(crate) sellers: Sellers,
}

/// Reads `[customers]`.
pub(super) fn customers<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>) -> Written {
    let mut section = root.section(reader, "customers");
    let (written, _) = written(reader, &mut section, "customers", Switch::On);
    section.finish(reader);
    written
}

/// Reads `[legacy]`.
pub(super) fn legacy<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>, ledger: &Location) -> LegacyConfig {
    let mut section = root.section(reader, "legacy");
    let (written, sellers) = written(reader, &mut section, "legacy", Switch::Off);
    let schema = section.text(reader, "schema", None).unwrap_or_else(|| "public".to_owned());
    let writes_status = section.flag(reader, "status");
    if written.is_on() && matches!(ledger, Location::Folder(_)) {
        let text = "legacy.write: expected off for a ledger in a file: an application is written beside in its own database; \
                    see [ledger] url";
        reader.problem(section.place("write"), text.to_owned());
    }
    section.finish(reader);
    LegacyConfig { schema, written, writes_status, sellers }
}

/// Reads `write` and `merchants.NAME.write`; of an application also `merchants.NAME.ids`.
fn written<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, name: &str, default: Switch) -> (Written, Sellers) {
    let mut words = vec![("off", Switch::Off), ("shadow", Switch::Shadow), ("on", Switch::On)];
    // The first is what holds where nothing is said.
    words.sort_by_key(|(_, switch)| *switch != default);
    let switch = section.word(reader, "write", None, &words);
    words.sort_by_key(|(_, one)| *one != switch);
    let named = section.section(reader, "merchants");
    let (mut merchants, mut sellers) = (BTreeMap::new(), BTreeMap::new());
    for (merchant, mut section) in named.sections(reader) {
        let switch = section.word(reader, "write", None, &words);
        let ids = if name == "legacy" { section.texts(reader, "ids") } else { Vec::new() };
        match MerchantName::parse(&merchant) {
            Ok(merchant) => {
                for id in ids {
                    if let Some(other) = sellers.insert(id.clone(), merchant.clone()).filter(|other| *other != merchant)
                    {
                        let text = format!("{name}.merchants.{merchant}.ids: {id} is {other}'s already");
                        reader.problem(section.place("ids"), text);
                    }
                }
                merchants.insert(merchant, switch);
            }
            Err(error) => reader.problem(section.start(), format!("{name}.merchants.{merchant}: {error}")),
        }
        section.finish(reader);
    }
    (Written { default: switch, merchants }, Sellers(sellers))
}
