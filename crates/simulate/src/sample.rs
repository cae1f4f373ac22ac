//! Requests of each kind by themselves, with what they are checked with: for measuring what reading one costs.

use afluente_gateways::{BadSecret, Credential, Credentials, KeySet, Secret, SecretForm, adapter};
use afluente_model::Gateway;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::pagarme;
use crate::plan::{Checks, Plan, Traffic, play};
use crate::player::{self, Keys};

/// Many requests of one kind.
pub struct Sample {
    /// Whose.
    pub gateway: Gateway,
    /// What proves them.
    pub proof: &'static str,
    /// What they are checked with.
    pub credentials: Credentials,
    /// The requests, each different.
    pub requests: Vec<Whole>,
}

/// One request as it comes.
pub struct Whole {
    /// What ends its path.
    pub token: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// A sample for each way in which bodies that are not Stripe's come.
pub fn samples(payments: usize) -> Result<Vec<Sample>, BadSecret> {
    [
        (Gateway::Pagarme, "RS256", Checks { keys: true, ..Checks::NOTHING }),
        (Gateway::Pagarme, "HTTP Basic", Checks { login: true, ..Checks::NOTHING }),
        (Gateway::Pagarme, "v4, HMAC-SHA-1", Checks { secret: true, ..Checks::NOTHING }),
        (Gateway::Appmax, "path token", Checks { token: true, ..Checks::NOTHING }),
    ]
    .into_iter()
    .map(|(gateway, proof, checks)| sample(gateway, proof, checks, payments))
    .collect()
}

fn sample(gateway: Gateway, proof: &'static str, checks: Checks, payments: usize) -> Result<Sample, BadSecret> {
    let keys = Keys {
        secret: Some(Secret::new("ak_test_of_the_bench_0001")?),
        token: Some(Secret::new("a-token-of-the-bench")?).filter(|_| checks.token),
        login: Some(Secret::pasted("bench:a-password", &SecretForm::LOGIN)?),
        stranger: Secret::new("somebody-elses-secret")?,
        stale_seconds: 400,
    };
    let plan = Plan {
        gateway,
        profile: "",
        payments,
        seed: 1,
        run: "bench".to_owned(),
        seller: None,
        checks,
        api: "v1",
        shuffle: false,
        duplicate: 0.0,
        times: 1,
        forge: 0.0,
        until: 1_764_000_000,
    };
    let Traffic { posts, .. } = play(&plan).unwrap_or_else(|_| unreachable!("both are played"));
    let player = player::of(gateway, "").unwrap_or_else(|_| unreachable!("both are played"));
    let requests = posts.iter().map(|post| {
        let dressed = player.dressed(post, &keys, plan.until);
        let header = |(name, value): &(&'static str, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        };
        Whole {
            token: dressed.token.map(|token| String::from_utf8_lossy(token.expose()).into_owned()),
            headers: dressed.headers.iter().filter_map(header).collect(),
            body: dressed.body.into_owned(),
        }
    });
    let requests = requests.collect();
    Ok(Sample { gateway, proof, credentials: credentials(gateway, checks, keys), requests })
}

fn credentials(gateway: Gateway, checks: Checks, keys: Keys) -> Credentials {
    let token = keys.token.map(Credential::PathToken).filter(|_| checks.token);
    let login = keys.login.map(Credential::Login).filter(|_| checks.login);
    let secret = keys.secret.map(Credential::Hmac).filter(|_| checks.secret);
    let all = Credentials::new([token, login, secret].into_iter().flatten().collect(), 300);
    let digest = adapter(gateway).profile().digests.first().copied().unwrap_or_default();
    let all = all.with_digest(digest);
    if !checks.keys {
        return all;
    }
    let set = KeySet::default();
    if let Some(shown) = pagarme::key_sets().last() {
        let _ = set.replace(shown);
    }
    all.with_keys(set)
}

#[cfg(test)]
mod tests {
    use afluente_gateways::Request;
    use afluente_model::Timestamp;
    use http::Method;

    use super::*;

    #[test]
    fn every_request_of_a_sample_is_proved() {
        for sample in samples(20).unwrap() {
            assert!(sample.requests.len() > 20, "{}", sample.proof);
            for whole in &sample.requests {
                let request = Request {
                    method: &Method::POST,
                    path_token: whole.token.as_deref(),
                    peer: None,
                    query: None,
                    headers: &whole.headers,
                    body: &whole.body,
                };
                let verified = adapter(sample.gateway).verify(&request, &sample.credentials, Timestamp::EPOCH);
                assert!(verified.is_ok(), "{} {verified:?}", sample.proof);
            }
        }
    }
}
