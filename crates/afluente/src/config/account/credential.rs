//! What an account checks requests with: the kinds its gateway takes, each a list of references.

use afluente_gateways::{Credential, CredentialForm, CredentialKind, Credentials, Secret, SecretForm, adapter};
use afluente_model::Gateway;
use toml_edit::{Item, TableLike};

use crate::config::section::{Reader, Section};

/// Where nobody knows the gateway, so that what stands there is still checked.
const ANY: &[CredentialForm] =
    &[CredentialForm { kind: CredentialKind::Hmac, form: SecretForm::ANY, is_required: true }];

/// Reads every list. An account without a way of proof is a problem.
pub(super) fn read<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, gateway: Option<Gateway>) -> Credentials {
    let forms = gateway.and_then(adapter).map_or(ANY, |adapter| adapter.profile().credentials);
    let all = forms.iter().flat_map(|form| list(reader, section, form)).collect();
    let tolerance = section.number(reader, "tolerance_seconds", 300, 1..=3_600);
    Credentials::new(all, i64::try_from(tolerance).unwrap_or(300))
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
    secrets.into_iter().map(|secret| form.kind.of(secret)).collect()
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
