//! What an administrator has laid over our queues. AMQP does not say; the broker's management does.

use std::time::Duration;

use afluente_queue::{RabbitOptions, examine};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Finding;

/// The topic, as it is printed.
const TOPIC: &str = "policies";
/// How long management may take for each answer.
const WITHIN: Duration = Duration::from_secs(10);
/// The most an answer may be.
const LIMIT_BYTES: usize = 1 << 20;
/// What takes deliveries away wherever we have not said otherwise: a queue that ends, messages that age, a bound in messages.
const HARMFUL: [&str; 4] = ["expires", "message-ttl", "max-length", "dead-letter-routing-key"];
/// What an operator's policy bounds below what we ask for.
const LOWERED: [&str; 5] = ["expires", "message-ttl", "max-length", "max-length-bytes", "delivery-limit"];

/// A queue as management tells it, as far as it matters here.
#[derive(Deserialize)]
struct Queue {
    name: String,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    operator_policy: Option<String>,
    /// Both together. An empty list, where there is none.
    #[serde(default)]
    effective_policy_definition: Value,
}

/// Looks at every queue of ours that is there.
pub(super) async fn finding(options: &RabbitOptions, management: Option<&Uri>) -> Finding {
    let by_hand = format!(
        "`rabbitmqctl list_policies` should name none that matches {}: a ttl, an expiry or a bound takes deliveries away",
        options.prefix
    );
    let Some(management) = management else {
        let says = "are not seen over AMQP, and [queue] management_url is not set";
        return Finding::note(TOPIC, says, by_hand);
    };
    match queues(options, management).await {
        Ok(queues) => judged(&queues),
        Err(why) => Finding::note(TOPIC, format!("{management} does not tell: {why}"), by_hand),
    }
}

async fn queues(options: &RabbitOptions, management: &Uri) -> Result<Vec<Queue>, String> {
    let tls = HttpsConnectorBuilder::new().with_native_roots().map_err(|error| error.to_string())?;
    let client = Client::builder(TokioExecutor::new()).build(tls.https_or_http().enable_http1().build());
    let (user, password) = options.url.login().unwrap_or_default();
    let login = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let mut queues = Vec::new();
    for queue in examine(options).await?.queues {
        let path = format!("{management}api/queues/{}/{}", escaped(options.url.vhost()), escaped(&queue.name));
        let request = Request::get(path).header(AUTHORIZATION, &login).body(Empty::<Bytes>::new());
        let answer = client.request(request.map_err(|error| error.to_string())?);
        let answer = tokio::time::timeout(WITHIN, async {
            let answer = answer.await.map_err(|error| afluente_model::chain(&error))?;
            let status = answer.status();
            let body =
                Limited::new(answer.into_body(), LIMIT_BYTES).collect().await.map_err(|error| error.to_string())?;
            read(status, &body.to_bytes())
        });
        queues.extend(answer.await.map_err(|_| format!("no answer within {WITHIN:?}"))??);
    }
    Ok(queues)
}

/// An answer, or what is wrong with it. A queue that went away meanwhile is none.
fn read(status: StatusCode, body: &[u8]) -> Result<Option<Queue>, String> {
    match status {
        StatusCode::OK => {
            let queue = serde_json::from_slice(body);
            queue.map(Some).map_err(|error| format!("expected a queue as JSON, got {} bytes: {error}", body.len()))
        }
        StatusCode::NOT_FOUND => Ok(None),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(format!("{status}: the user of [queue] url lacks the tag `monitoring`"))
        }
        other => Err(other.to_string()),
    }
}

fn judged(queues: &[Queue]) -> Finding {
    let (mut taken, mut laid) = (Vec::new(), 0);
    for queue in queues {
        let none = Map::new();
        let set = queue.effective_policy_definition.as_object().unwrap_or(&none);
        laid += usize::from(!set.is_empty());
        let names = [&queue.policy, &queue.operator_policy].map(|name| name.as_deref().filter(|name| !name.is_empty()));
        let harmful = |key: &&str| HARMFUL.contains(key) || (names[1].is_some() && LOWERED.contains(key));
        let keys: Vec<&str> = set.keys().map(String::as_str).filter(harmful).collect();
        if !keys.is_empty() {
            let names: Vec<&str> = names.into_iter().flatten().collect();
            taken.push(format!("{} on {} by {}", keys.join(", "), queue.name, names.join(" and ")));
        }
    }
    if !taken.is_empty() {
        let mend = "make its pattern miss our queues: what it takes away is lost, or lands where nobody looks";
        return Finding::wrong(TOPIC, taken.join("; "), mend);
    }
    Finding::fine(TOPIC, if laid == 0 { "none on our queues" } else { "those on our queues take nothing away" })
}

/// A part of a path.
fn escaped(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    part.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Weight;

    fn weighed(queue: &str) -> (Weight, String) {
        let queue = read(StatusCode::OK, queue.as_bytes()).unwrap().unwrap();
        let finding = judged(&[queue]);
        (finding.weight, finding.says)
    }

    #[test]
    fn a_policy_that_takes_deliveries_away_is_told_from_one_that_does_not() {
        assert_eq!(weighed(r#"{"name":"a.stripe","policy":null,"effective_policy_definition":[]}"#).0, Weight::Fine);
        let (weight, says) = weighed(
            r#"{"name":"a.stripe","policy":"tidy","operator_policy":"","effective_policy_definition":{"expires":1000,"max-length-bytes":5}}"#,
        );
        assert_eq!((weight, says.as_str()), (Weight::Wrong, "expires on a.stripe by tidy"));
        let site_wide = r#"{"name":"a.stripe","policy":"all","effective_policy_definition":{"max-length-bytes":5}}"#;
        assert_eq!(weighed(site_wide).0, Weight::Fine, "our own argument goes before a policy");
        let (weight, says) = weighed(
            r#"{"name":"a.stripe","policy":null,"operator_policy":"small","effective_policy_definition":{"max-length-bytes":5}}"#,
        );
        assert_eq!((weight, says.as_str()), (Weight::Wrong, "max-length-bytes on a.stripe by small"));
    }

    #[test]
    fn an_answer_that_is_none_says_what_was_expected() {
        let why = |status, body: &[u8]| read(status, body).err().unwrap();
        assert!(why(StatusCode::OK, b"<html>").contains("expected a queue as JSON, got 6 bytes"));
        assert!(why(StatusCode::UNAUTHORIZED, b"").contains("monitoring"));
        assert!(why(StatusCode::BAD_GATEWAY, b"").contains("502"));
        assert!(read(StatusCode::NOT_FOUND, b"").unwrap().is_none());
    }

    #[test]
    fn names_are_escaped_for_a_path() {
        assert_eq!((escaped("/"), escaped("shop.stripe-é")), ("%2F".to_owned(), "shop.stripe-%C3%A9".to_owned()));
    }
}
