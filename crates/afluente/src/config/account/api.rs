//! How an account's gateway is asked: where, with what, how much.

use afluente_gateways::profile::Api;
use afluente_gateways::{Secret, SecretForm};
use afluente_lookup::{Access, Auth, Base, Budget};
use toml_edit::Item;

use super::credential;
use crate::config::section::{Reader, Section};

/// Reads `[accounts.NAME.api]`; without it nothing is asked, and questions stay open.
pub(super) fn read<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, api: &Api) -> Option<Access> {
    let mut own = section.section(reader, "api");
    if !own.is_there() {
        return None;
    }
    let base = base(reader, &mut own, api);
    let auth = auth(reader, &mut own, api);
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let per_second = own.number(reader, "calls_per_second", api.calls_per_second.into(), 1..=10_000);
    let per_month = own.number(reader, "calls_per_month", 0, 0..=u64::from(u32::MAX));
    let at_once = own.number(reader, "at_once", 4, 1..=256);
    own.finish(reader);
    let budget = Budget {
        per_second: number(per_second),
        per_month: Some(per_month).filter(|most| *most > 0),
        at_once: number(at_once),
    };
    Some(Access { base: base?, auth: auth?, budget })
}

/// The address; one that is not the gateway's has to be allowed, and is told wherever the configuration is.
fn base(reader: &mut Reader<'_>, section: &mut Section<'_>, api: &Api) -> Option<Base> {
    let (name, place) = (section.name("base"), section.place("base"));
    let allowed = section.flag(reader, "allow_other_host");
    let text = section.text(reader, "base", None).unwrap_or_else(|| api.base.to_owned());
    let base = match Base::parse(&text) {
        Ok(base) => base,
        Err(error) => {
            reader.problem(place, format!("{name}: {error}"));
            return None;
        }
    };
    if !base.is_own(api) {
        if !allowed {
            let text = format!(
                "{name}: {base} is not an address of the gateway ({}); set allow_other_host = true if its answers are to be \
                 believed all the same",
                api.hosts.join(", ")
            );
            reader.problem(place, text);
            return None;
        }
        reader.note(format!("{name} is {base}, not the gateway's own address; what it answers is believed"));
    }
    Some(base)
}

/// A token, or a client id with its secret where the gateway gives out tokens for these.
fn auth<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, api: &Api) -> Option<Auth> {
    let token = secret(reader, section, "token", &api.token);
    let Some(path) = api.oauth_path else { return required(reader, section, token).map(Auth::Bearer) };
    let id = section.text(reader, "client_id", None);
    let client_secret = secret(reader, section, "client_secret", &SecretForm::ANY);
    match (token, id, client_secret) {
        (Read::Good(token), None, Read::Absent) => Some(Auth::Bearer(token)),
        (Read::Absent, Some(id), Read::Good(secret)) => Some(Auth::Client { id: id.into(), secret, path }),
        (Read::Bad, ..) | (.., Read::Bad) => None,
        (Read::Good(_) | Read::Absent, ..) => {
            let name = section.name("token");
            let text =
                format!("{name}: expected token, or client_id and client_secret, as references such as {EXAMPLE}");
            reader.problem(section.start(), text);
            None
        }
    }
}

const EXAMPLE: &str = "{ file = \"secrets/shop-token\" }";

/// A reference, if it stands there.
enum Read {
    Absent,
    Bad,
    Good(Secret),
}

fn secret<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, key: &'static str, form: &SecretForm) -> Read {
    let (name, place) = (section.name(key), section.place(key));
    let Some(item) = section.raw(key) else { return Read::Absent };
    let read = match item.as_inline_table() {
        Some(reference) => credential::secret(reader, reference, form),
        None => Err(format!("expected a reference such as {EXAMPLE}, got {}", Item::type_name(item))),
    };
    match read {
        Ok(secret) => Read::Good(secret),
        Err(text) => {
            reader.problem(place, format!("{name}: {text}"));
            Read::Bad
        }
    }
}

fn required(reader: &mut Reader<'_>, section: &Section<'_>, token: Read) -> Option<Secret> {
    match token {
        Read::Good(token) => Some(token),
        Read::Bad => None,
        Read::Absent => {
            let text = format!("{}: expected a reference such as {EXAMPLE}, got nothing", section.name("token"));
            reader.problem(section.start(), text);
            None
        }
    }
}
