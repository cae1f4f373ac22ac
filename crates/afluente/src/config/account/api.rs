//! How an account's gateway is asked: where, with what, how much.

use afluente_gateways::profile::AuthForm;
use afluente_gateways::{Api, Profile, Secret, SecretForm};
use afluente_lookup::{Access, Auth, Base, Budget};
use toml_edit::Item;

use super::{credential, holder};
use crate::config::section::{Reader, Section};

/// Reads `[accounts.NAME.api]`; without it nothing is asked, and questions stay open.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    profile: &'static Profile,
    external_id: Option<&str>,
) -> Option<Access> {
    let mut own = section.section(reader, "api");
    if !own.is_there() {
        return None;
    }
    // What is shown to be let in tells which of a gateway's APIs is meant.
    let is_client = own.raw("client_id").or(own.raw("client_secret")).is_some();
    let takes = |api: &&Api| if is_client { api.tokens().is_some() } else { api.token().is_some() };
    let api = profile.apis.iter().find(takes).or(profile.apis.first())?;
    let (base, base_of_tokens) = bases(reader, &mut own, api);
    let auth = match api.scope() {
        Some(scope) => holder::assertion(reader, &mut own, scope),
        None => auth(reader, &mut own, api, base_of_tokens.as_ref()),
    };
    let tls = holder::tls(reader, &mut own, api);
    let signed = holder::signed(reader, &mut own, api, external_id);
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let per_second = own.number(reader, "calls_per_second", api.calls_per_second.into(), 1..=10_000);
    let per_month = own.number(reader, "calls_per_month", api.calls_per_month.unwrap_or(0), 0..=u64::from(u32::MAX));
    let at_once = own.number(reader, "at_once", 4, 1..=256);
    own.finish(reader);
    let budget = Budget {
        per_second: number(per_second),
        per_month: Some(per_month).filter(|most| *most > 0),
        at_once: number(at_once),
    };
    if api.signed.is_some() && signed.is_none() {
        return None;
    }
    Some(Access { api, base: base?, auth: auth?, tls, signed, budget })
}

/// Where the API is, and where its tokens are given out. Where the API is asked elsewhere, so are its tokens, unless it is said.
fn bases(reader: &mut Reader<'_>, section: &mut Section<'_>, api: &Api) -> (Option<Base>, Option<Base>) {
    let own = Place { key: "base", base: api.base, hosts: api.hosts };
    let base = base(reader, section, &own);
    let Some((tokens_base, hosts)) = api.tokens().and_then(|tokens| Some((tokens.base?, tokens.hosts))) else {
        return (base.clone(), base);
    };
    let is_elsewhere = base.as_ref().is_some_and(|base| !base.is_own(api.hosts));
    if is_elsewhere && section.raw("token_base").is_none() {
        return (base.clone(), base);
    }
    let is_another = base.as_ref().is_some_and(|base| base.to_string() != api.base);
    if is_another && section.raw("token_base").is_none() {
        let (name, start) = (section.name("token_base"), section.start());
        reader.problem(
            start,
            format!("{name}: expected where tokens are given out for this base ({}), got nothing", hosts.join(", ")),
        );
        return (base, None);
    }
    let of_tokens = self::base(reader, section, &Place { key: "token_base", base: tokens_base, hosts });
    (base, of_tokens)
}

/// An address of the gateway's, as it may be configured.
pub(super) struct Place<'a> {
    /// The key.
    pub(super) key: &'static str,
    /// The gateway's own; empty where each account has another.
    pub(super) base: &'a str,
    /// The gateway's hosts.
    pub(super) hosts: &'static [&'static str],
}

/// The address; one that is not the gateway's has to be allowed, and is told wherever the configuration is.
pub(super) fn base(reader: &mut Reader<'_>, section: &mut Section<'_>, own: &Place<'_>) -> Option<Base> {
    let (name, place) = (section.name(own.key), section.place(own.key));
    let allowed = section.flag(reader, "allow_other_host");
    let text = section.text(reader, own.key, None).unwrap_or_else(|| own.base.to_owned());
    if text.is_empty() {
        reader.problem(place, format!("{name}: expected the address of the API, got nothing"));
        return None;
    }
    let base = match Base::parse(&text) {
        Ok(base) => base,
        Err(error) => {
            reader.problem(place, format!("{name}: {error}"));
            return None;
        }
    };
    // Where each account has its own address, none is the gateway's.
    if !own.hosts.is_empty() && !base.is_own(own.hosts) {
        if !allowed {
            let text = format!(
                "{name}: {base} is not an address of the gateway ({}); set allow_other_host = true if its answers are to be \
                 believed all the same",
                own.hosts.join(", ")
            );
            reader.problem(place, text);
            return None;
        }
        reader.note(format!("{name} is {base}, not the gateway's own address; what it answers is believed"));
    }
    Some(base)
}

/// A token, or a client id with its secret where the gateway gives out tokens for these.
fn auth<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    api: &'static Api,
    base: Option<&Base>,
) -> Option<Auth> {
    let token = secret(reader, section, "token", api.token().unwrap_or(&SecretForm::ANY));
    let id = section.text(reader, "client_id", None);
    let client_secret = secret(reader, section, "client_secret", &SecretForm::ANY);
    match (token, id, client_secret, api.tokens()) {
        (Read::Good(token), None, Read::Absent, _) => with_token(api, &token),
        (Read::Absent, Some(id), Read::Good(secret), Some(tokens)) => {
            Some(Auth::Client { id: id.into(), secret, base: base?.clone(), tokens })
        }
        (Read::Bad, ..) | (_, _, Read::Bad, _) => None,
        (Read::Good(_) | Read::Absent, ..) => {
            let place = section.start();
            reader.problem(place, format!("{}: expected {}", section.name("token"), expected(api)));
            None
        }
    }
}

fn with_token(api: &Api, token: &Secret) -> Option<Auth> {
    api.auth.iter().find_map(|form| match form {
        AuthForm::Bearer(_) => Some(Auth::Bearer(token.clone())),
        AuthForm::Key(_) => Some(Auth::Key(token.clone())),
        AuthForm::Query { name, .. } => Some(Auth::Query { name, token: token.clone() }),
        AuthForm::Client(_) | AuthForm::Assertion { .. } => None,
    })
}

/// What would let it in.
fn expected(api: &Api) -> String {
    match (api.token(), api.tokens()) {
        (Some(_), None) => format!("a reference such as {EXAMPLE}"),
        (None, Some(_)) => format!("client_id, and client_secret as a reference such as {EXAMPLE}"),
        _ => format!("token, or client_id and client_secret, as references such as {EXAMPLE}"),
    }
}

pub(super) const EXAMPLE: &str = "{ file = \"secrets/shop-token\" }";

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
