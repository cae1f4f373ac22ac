//! What of a request's head travels with the delivery.

use afluente_gateways::{PATH, Profile, Request};
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, PROXY_AUTHORIZATION};
use http::{HeaderValue, Response};
use uuid::Uuid;

/// The longest header value that travels, bytes. A longer one stays behind; verification saw it whole.
const LONGEST_VALUE_BYTES: usize = 1024;

/// What never leaves a request, whatever a profile says.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// The headers the profile asks to keep, in the order they came: readable ones only, and never credentials, whatever a
/// profile says. Before them what stands behind the account in the path, if that is asked for.
pub(crate) fn kept_headers(request: &Request<'_>, profile: &Profile) -> Vec<(Box<str>, Box<str>)> {
    let headers = request.headers;
    let path = request.path_and_query().filter(|_| profile.kept_headers.contains(&PATH));
    let path = path.map(|path| (PATH.into(), path.into()));
    let kept =
        headers.iter().filter(|(name, _)| profile.kept_headers.contains(&name.as_str()) && !CREDENTIALS.contains(name));
    let kept = kept.filter_map(|(name, value)| {
        let value = value.to_str().ok().filter(|text| text.len() <= LONGEST_VALUE_BYTES)?;
        Some((name.as_str().into(), value.into()))
    });
    path.into_iter().chain(kept).collect()
}

/// Puts the headers that the gateway expects back into its answer: once each, as they came, and never credentials. In the place of one
/// that did not come, or came in a form nobody can give back, stands one of ours: what was accepted is never refused for that.
pub(crate) fn echo<T>(request: &HeaderMap, profile: &Profile, answer: &mut Response<T>) {
    let is_accepted = answer.status().is_success();
    let answer = answer.headers_mut();
    for name in profile.answers.echoes {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        if CREDENTIALS.contains(&name) {
            continue;
        }
        let mut values = request.get_all(&name).iter();
        if let (Some(value), None) = (values.next(), values.next())
            && value.len() <= LONGEST_VALUE_BYTES
        {
            answer.insert(name, value.clone());
        } else if is_accepted && let Ok(own) = HeaderValue::from_str(&Uuid::now_v7().to_string()) {
            answer.insert(name, own);
        }
    }
}

/// The `traceparent` of a request, if there is exactly one and it has the shape of W3C Trace Context. It is from outside:
/// it may join traces, it decides nothing.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<Box<str>> {
    let mut values = headers.get_all("traceparent").iter();
    let value = values.next()?.to_str().ok()?;
    (values.next().is_none() && is_traceparent(value)).then(|| value.into())
}

/// `version-trace-parent-flags` in lower-case hex; version `ff` and ids of zeros are invalid.
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut hex = |digits: usize| {
        let part = parts.next()?;
        let valid = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        valid.then_some(part)
    };
    let (Some(version), Some(trace), Some(parent), Some(_flags)) = (hex(2), hex(32), hex(16), hex(2)) else {
        return false;
    };
    let zeros = |part: &str| part.bytes().all(|b| b == b'0');
    parts.next().is_none() && version != "ff" && !zeros(trace) && !zeros(parent)
}

#[cfg(test)]
mod tests {
    use afluente_gateways::Digest;
    use afluente_gateways::profile::Answers;
    use afluente_model::{Conventions, Gateway};

    use super::*;

    fn request(headers: &HeaderMap) -> Request<'_> {
        let method = &http::Method::POST;
        Request { method, path_token: Some("v1/a"), peer: None, query: Some("b"), headers, body: b"" }
    }

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_well_shaped_traceparent_is_kept() {
        assert_eq!(traceparent(&headers(&[("traceparent", GOOD)])).as_deref(), Some(GOOD));
    }

    #[test]
    fn anything_else_called_traceparent_is_dropped() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        ] {
            assert_eq!(traceparent(&headers(&[("traceparent", bad)])), None, "{bad:?}");
        }
        assert_eq!(traceparent(&headers(&[("traceparent", GOOD), ("traceparent", GOOD)])), None);
    }

    const GREEDY: Profile = Profile {
        name: "",
        gateway: Gateway::Stripe,
        title: "A gateway that asks for too much",
        page: "none",
        conventions: Conventions::PLAIN,
        credentials: &[],
        digests: &[Digest::Sha256],
        external_id: None,
        keys: None,
        signs_bodies: false,
        apis: &[],
        answers: Answers { accepted: 200, rejected: 400, echoes: &["x-interaction", "x-absent", "cookie"] },
        content_types: &["application/json"],
        takes_paths: false,
        takes_empty_bodies: false,
        body_limit_bytes: 1024,
        kept_headers: &["x-kept", "authorization", "cookie"],
        keeps_query: false,
        tolerance_seconds: 300,
    };

    #[test]
    fn only_listed_readable_short_headers_travel_and_credentials_never() {
        let long = "x".repeat(LONGEST_VALUE_BYTES + 1);
        let headers = headers(&[
            ("x-kept", "one"),
            ("x-other", "two"),
            ("authorization", "Bearer secret"),
            ("cookie", "a=b"),
            ("x-kept", "with \u{e9}"),
            ("x-kept", &long),
            ("x-kept", "three"),
        ]);
        let kept = kept_headers(&request(&headers), &GREEDY);
        let expected = [("x-kept", "one"), ("x-kept", "three")];
        assert!(kept.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).eq(expected), "{kept:?}");
    }

    #[test]
    fn a_path_travels_where_a_profile_asks_for_it_and_no_header_can_pretend_to_be_one() {
        let headers = headers(&[("path", "other"), ("x-path", "other")]);
        let profile = Profile { kept_headers: &[PATH], ..GREEDY };
        let kept = kept_headers(&request(&headers), &profile);
        assert!(kept.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).eq([(":path", "v1/a?b")]), "{kept:?}");
        assert!(kept_headers(&request(&headers), &GREEDY).is_empty());
    }

    #[test]
    fn what_a_gateway_expects_back_goes_back_once_as_it_came_and_credentials_never() {
        let long = "x".repeat(LONGEST_VALUE_BYTES + 1);
        for (came, expected) in [
            (vec![("x-interaction", "d78f"), ("cookie", "a=b"), ("x-other", "1")], Some("d78f")),
            (vec![("x-interaction", "d78f"), ("x-interaction", "d78f")], None),
            (vec![("x-interaction", &*long)], None),
            (vec![], None),
        ] {
            for status in [202, 503] {
                let mut answer = Response::builder().status(status).body(()).unwrap();
                echo(&headers(&came), &GREEDY, &mut answer);
                let back = answer.headers().get("x-interaction").map(|value| value.to_str().unwrap());
                match expected {
                    Some(expected) => assert_eq!(back, Some(expected)),
                    None => assert_eq!(back.map(str::len), (status == 202).then_some(36), "one of ours, {came:?}"),
                }
                assert!(!answer.headers().contains_key("cookie"));
            }
        }
    }
}
