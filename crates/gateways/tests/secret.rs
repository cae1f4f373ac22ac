//! Secrets as people paste them: what is taken, and what is said of everything else.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::{BadSecret, Credential, CredentialKind, Credentials, Digest, Secret, SecretForm};

const FORM: SecretForm = SecretForm {
    prefixes: &["whsec_", "whsec2_"],
    found: "the signing secret",
    others: &[("sk_", "an API key")],
    is_login: false,
};

fn bad(text: &str, form: &SecretForm) -> BadSecret {
    Secret::pasted(text, form).unwrap_err()
}

fn taken(text: &str, form: &SecretForm) -> String {
    String::from_utf8(Secret::pasted(text, form).unwrap().expose().to_vec()).unwrap()
}

#[test]
fn white_space_and_a_byte_order_mark_around_a_secret_are_not_part_of_it() {
    for text in ["whsec_abcdef", "whsec_abcdef\n", "\u{feff}  whsec_abcdef\r\n\n", "\twhsec_abcdef "] {
        assert_eq!(taken(text, &FORM), "whsec_abcdef", "{text:?}");
    }
    assert_eq!(taken("whsec_abc=def==", &FORM), "whsec_abc=def==");
    assert_eq!(taken("whsec2_abcdef", &FORM), "whsec2_abcdef");
    assert_eq!(taken("12345678", &SecretForm::ANY), "12345678");
}

#[test]
fn more_than_a_secret_is_named() {
    for text in ["", " \n", "\u{feff}"] {
        assert_eq!(bad(text, &FORM), BadSecret::Empty, "{text:?}");
    }
    for text in ["# of the shop\nwhsec_abcdef", "whsec_abcdef # of the shop", "  #whsec_abcdef"] {
        assert_eq!(bad(text, &FORM), BadSecret::Comment, "{text:?}");
    }
    assert_eq!(bad("whsec_abcdef\n\nwhsec_ghijkl\n", &FORM), BadSecret::Lines { lines: 2 });
    for text in ["SECRET=whsec_abcdef", "export SECRET=\"whsec_abcdef\"", "_S1 = whsec_abcdef", "secret=whsec_abcdef"] {
        assert_eq!(bad(text, &FORM), BadSecret::Assigned, "{text:?}");
    }
    for text in ["\"whsec_abcdef\"", "'whsec_abcdef", "whsec_abcdef\u{201d}"] {
        assert_eq!(bad(text, &FORM), BadSecret::Quoted, "{text:?}");
    }
    assert_eq!(bad("whsec_abc def", &FORM), BadSecret::Blank);
}

#[test]
fn what_holds_an_equals_sign_is_not_always_an_assignment() {
    for text in ["abc=defgh", "SECRET12=", "1A=whsecabc", "a-b=whsec_abcdef", "=abcdefgh"] {
        assert_eq!(taken(text, &SecretForm::ANY), text);
    }
    assert_eq!(
        bad("a.b=whsec_abcdef", &FORM),
        BadSecret::WrongBeginning { prefixes: FORM.prefixes, found: FORM.found }
    );
    assert_eq!(bad("A1_=abcdefgh", &SecretForm::ANY), BadSecret::Assigned);
}

#[test]
fn characters_nobody_sees_are_named_and_letters_are_only_those_a_login_may_have() {
    assert_eq!(bad("whsec_abc\u{200b}def", &FORM), BadSecret::Hidden { code: 0x200b });
    assert_eq!(bad("whsec_ação", &FORM), BadSecret::Hidden { code: 0xe7 });
    assert_eq!(taken("usuário:senhação", &SecretForm::LOGIN), "usuário:senhação");
    assert_eq!(bad("user:pass\u{200b}word", &SecretForm::LOGIN), BadSecret::Hidden { code: 0x200b });
    assert_eq!(bad("user:pass\u{7}word", &SecretForm::LOGIN), BadSecret::Hidden { code: 7 });
}

#[test]
fn another_thing_of_the_same_gateway_is_told_from_a_secret() {
    let other = bad("sk_test_abcdef", &FORM);
    assert_eq!(
        other.to_string(),
        "expected a secret that begins with whsec_ or whsec2_, got an API key (sk_…): paste the signing secret"
    );
    assert_eq!(
        bad("pk_test_abcdef", &FORM).to_string(),
        "expected a secret that begins with whsec_ or whsec2_, got something else: paste the signing secret"
    );
    for text in ["userpassword", ":password", "username:"] {
        assert_eq!(bad(text, &SecretForm::LOGIN), BadSecret::NoLogin { found: SecretForm::LOGIN.found }, "{text}");
    }
    assert!(bad("userpassword", &SecretForm::LOGIN).to_string().contains("user and password as they were set"));
    assert_eq!(bad("1234567", &SecretForm::ANY), BadSecret::TooShort { least: 8, got: 7 });
}

#[test]
fn a_secret_is_never_shown() {
    let secret = Secret::new("12345678").unwrap();
    assert_eq!(format!("{secret:?}"), format!("Secret({})", secret.name()));
    assert!(!format!("{secret:?}").contains("345"));
}

#[test]
fn a_secret_is_a_credential_of_the_kind_it_stands_under_and_is_found_by_that_kind_alone() {
    let words = ["secrets", "path_tokens", "logins", "keys", "client_certificates"];
    assert!(CredentialKind::ALL.iter().map(|kind| kind.key()).eq(words));
    let whole = [CredentialKind::Hmac, CredentialKind::PathToken, CredentialKind::Login];
    let secret = |number: usize| Secret::new(&format!("secret-number-{number}")).unwrap();
    let made = |(number, kind): (usize, &CredentialKind)| kind.of(secret(number));
    let all: Vec<_> = whole.iter().enumerate().filter_map(made).collect();
    assert!(all.iter().map(Credential::kind).eq(whole), "{all:?}");
    assert!([CredentialKind::Keys, CredentialKind::Authorities].iter().all(|kind| kind.of(secret(9)).is_none()));
    let credentials = Credentials::new(all, 300).with_digest(Digest::Sha1);
    assert_eq!((credentials.digest, credentials.tolerance_seconds, credentials.all().len()), (Digest::Sha1, 300, 3));
    for (number, kind) in whole.into_iter().enumerate() {
        assert!(credentials.of(kind).map(|found| found.expose().to_vec()).eq([secret(number).expose()]));
        assert!(credentials.names(kind).eq([secret(number).name()]));
        assert!(credentials.has(kind));
    }
    assert!(!credentials.has(CredentialKind::Keys) && credentials.keys().is_none());
    assert!(!credentials.has(CredentialKind::Authorities) && credentials.authorities().is_none());
}
