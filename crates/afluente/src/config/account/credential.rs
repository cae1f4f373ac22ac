//! What an account checks requests with: the kinds its gateway takes, each a list of references.

use afluente_gateways::profile::KeysAt;
use afluente_gateways::{Credential, CredentialForm, CredentialKind, Credentials, Digest, Profile, Secret, SecretForm};
use afluente_lookup::Base;
use toml_edit::{Item, TableLike};

use super::api::{self, Place};
use super::certificate;

use crate::config::section::{Reader, Section};

/// Where nobody knows the gateway, so that what stands there is still checked.
const ANY: &[CredentialForm] =
    &[CredentialForm { kind: CredentialKind::Hmac, form: SecretForm::ANY, is_required: true }];

/// Reads every list, and where public keys are shown. An account without a way of proof is a problem.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    profile: Option<&Profile>,
) -> (Credentials, Option<Base>) {
    let forms = profile.map_or(ANY, |profile| profile.credentials);
    let keys_at = profile.and_then(|profile| profile.keys.as_ref());
    is_any_there(reader, section, forms, keys_at.is_some());
    let all: Vec<Credential> = forms.iter().flat_map(|form| one_kind(reader, section, form)).collect();
    let keys = keys_at.and_then(|at| keys(reader, section, at));
    let tolerance = section.number(reader, "tolerance_seconds", 300, 1..=604_800);
    let credentials = Credentials::new(all, i64::try_from(tolerance).unwrap_or(300));
    let credentials = match profile.map_or(&[][..], |profile| profile.digests) {
        [] => credentials,
        [only] => credentials.with_digest(*only),
        several => credentials.with_digest(digest(reader, section, several)),
    };
    (credentials, keys)
}

/// Where no kind is required, one of any has to be there.
fn is_any_there(reader: &mut Reader<'_>, section: &mut Section<'_>, forms: &[CredentialForm], has_keys: bool) {
    let mut kinds: Vec<&'static str> = forms.iter().map(|form| form.kind.key()).collect();
    kinds.extend(has_keys.then_some(CredentialKind::Keys.key()));
    let is_required = forms.iter().any(|form| form.is_required);
    if !is_required && !kinds.iter().any(|key| section.raw(key).is_some()) {
        let (place, name) = (section.start(), section.name(kinds[0]));
        let text = format!("{name}: expected one of {}; an account without proof does not start", kinds.join(", "));
        reader.problem(place, text);
    }
}

/// `[accounts.NAME.keys]`: the public keys the gateway signs with are asked for.
fn keys(reader: &mut Reader<'_>, section: &mut Section<'_>, at: &KeysAt) -> Option<Base> {
    let mut own = section.section(reader, CredentialKind::Keys.key());
    if !own.is_there() {
        return None;
    }
    let base = api::base(reader, &mut own, &Place { key: "base", base: at.base, hosts: at.hosts });
    own.finish(reader);
    base
}

/// What the account's HMACs are made with.
fn digest(reader: &mut Reader<'_>, section: &mut Section<'_>, digests: &[Digest]) -> Digest {
    let words: Vec<&str> = digests.iter().map(|digest| digest.as_str()).collect();
    let (name, place) = (section.name("digest"), section.place("digest"));
    let Some(text) = section.text(reader, "digest", None) else { return digests[0] };
    digests.iter().copied().find(|digest| digest.as_str() == text).unwrap_or_else(|| {
        reader.problem(place, format!("{name}: expected {}, got {text:?}", words.join(" or ")));
        digests[0]
    })
}

/// Everything of one kind.
fn one_kind<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, form: &CredentialForm) -> Vec<Credential> {
    match form.kind {
        CredentialKind::Authorities => certificate::read(reader, section, form).into_iter().collect(),
        CredentialKind::Hmac | CredentialKind::PathToken | CredentialKind::Login | CredentialKind::Keys => {
            list(reader, section, form)
        }
    }
}

/// A list of references: each a table with `file` or `env`.
fn list<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, form: &CredentialForm) -> Vec<Credential> {
    let key = form.kind.key();
    let (name, place) = (section.name(key), section.place(key));
    let example = "[{ file = \"secrets/shop\" }] or [{ env = \"SHOP_SECRET\" }]";
    let item = section.raw(key);
    if item.is_none() && !form.is_required {
        return Vec::new();
    }
    let Some(list) = item.and_then(Item::as_array).filter(|list| !list.is_empty()) else {
        reader.problem(
            place,
            format!("{name}: expected at least one secret, such as {example}; an account without proof does not start"),
        );
        return Vec::new();
    };
    let mut secrets: Vec<Secret> = Vec::new();
    for value in list {
        let place = value.span().map(|span| span.start).or(place);
        let read = match value.as_inline_table() {
            Some(reference) => secret(reader, reference, &form.form),
            None => Err(format!("expected a reference such as {example}; a secret itself does not belong here")),
        };
        match read {
            Ok(secret) if secrets.iter().any(|known| known.name() == secret.name()) => {
                reader.problem(place, format!("{name}: secret {} is named twice", secret.name()));
            }
            Ok(secret) => secrets.push(secret),
            Err(text) => reader.problem(place, format!("{name}: {text}")),
        }
    }
    secrets.into_iter().filter_map(|secret| form.kind.of(secret)).collect()
}

/// One secret by reference.
pub(super) fn secret<'a>(
    reader: &mut Reader<'a>,
    reference: &'a dyn TableLike,
    form: &SecretForm,
) -> Result<Secret, String> {
    let (text, source) = reader.referred(reference)?;
    Secret::pasted(&text, form).map_err(|error| format!("{source}: {error}"))
}
