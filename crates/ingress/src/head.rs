//! What can be said of a request by its head alone.

use afluente_gateways::Profile;
use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;

use crate::reply::Refusal;

/// What can be refused without the body.
pub(crate) fn check(head: &Parts, profile: &Profile) -> Result<(), Refusal> {
    if head.method != Method::POST {
        return Err(Refusal::MethodNotAllowed);
    }
    let encodings = head.headers.get_all(CONTENT_ENCODING);
    if encodings.iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::UnsupportedEncoding);
    }
    let mut types = head.headers.get_all(CONTENT_TYPE).iter();
    let expected = profile.content_types;
    match (types.next().and_then(|value| value.to_str().ok()), types.next()) {
        (Some(value), None) if is_one_of(expected, value) => Ok(()),
        (None, None) if expected.contains(&"") && !head.headers.contains_key(CONTENT_TYPE) => Ok(()),
        (Some(_) | None, _) => Err(Refusal::UnsupportedType { expected }),
    }
}

/// Whether the content type, its parameters aside, is in the list.
fn is_one_of(expected: &[&str], value: &str) -> bool {
    let essence = value.split_once(';').map_or(value, |(essence, _)| essence).trim();
    expected.iter().any(|allowed| allowed.eq_ignore_ascii_case(essence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_compared_without_parameters_and_case() {
        let json = &["application/json"];
        for good in ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x"] {
            assert!(is_one_of(json, good), "{good:?}");
        }
        for bad in ["", "application/jsonp", "text/json", "application/x-www-form-urlencoded", "; application/json"] {
            assert!(!is_one_of(json, bad), "{bad:?}");
        }
    }
}
