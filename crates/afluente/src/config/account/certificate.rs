//! Who vouches for the client certificates of an account's gateway.

use std::sync::Arc;

use afluente_gateways::{Authorities, Credential, CredentialForm, CredentialKind, UnknownRevocation};

use crate::config::section::{Reader, Section};

/// Reads `[accounts.NAME.client_certificates]`: files of certificates and of revocations in PEM, which are looked at again when
/// they change.
pub(super) fn read(reader: &mut Reader<'_>, section: &mut Section<'_>, form: &CredentialForm) -> Option<Credential> {
    let key = CredentialKind::Authorities.key();
    let (name, place) = (section.name(key), section.place(key));
    let mut own = section.section(reader, key);
    if !own.is_there() {
        if form.is_required {
            let text = format!(
                "{name}: expected a table such as {{ authorities = \"certificates/icp-brasil.pem\" }}; an account without proof \
                 does not start"
            );
            reader.problem(place, text);
        }
        return None;
    }
    let authorities = authorities(reader, &mut own);
    let unknown = own.word(
        reader,
        "unknown_revocation",
        None,
        &[("allow", UnknownRevocation::Allow), ("deny", UnknownRevocation::Deny)],
    );
    let revoked = own.file(reader, "revoked");
    let has_list = revoked.is_some();
    let (name, place) = (own.name("revoked"), own.place("revoked"));
    if unknown == UnknownRevocation::Deny && !has_list {
        reader.problem(
            place,
            format!("{name}: expected a file of revocations (X509 CRL), since unknown ones are denied"),
        );
    }
    own.finish(reader);
    let authorities = match revoked {
        None => authorities?,
        Some(list) => authorities?
            .with_revocations(&list, unknown)
            .map_err(|error| reader.problem(place, format!("{name}: {error}")))
            .ok()?,
    };
    Some(Credential::Authorities(Arc::new(authorities)))
}

fn authorities(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Authorities> {
    let (name, place) = (section.name("authorities"), section.place("authorities"));
    let Some(text) = section.file(reader, "authorities") else {
        if section.raw("authorities").is_none() {
            reader.problem(place, format!("{name}: expected a file of certificates in PEM, got nothing"));
        }
        return None;
    };
    Authorities::from_pem(&text).map_err(|error| reader.problem(place, format!("{name}: {error}"))).ok()
}
