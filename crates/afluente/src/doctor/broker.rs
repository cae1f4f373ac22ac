//! What a broker's answers mean.

use afluente_queue::{BrokerUrl, Examined, RabbitOptions, examine};

use super::Finding;
use crate::output;

/// The oldest broker whose quorum queues hand dead letters on at least once.
const OLDEST: (u32, u32) = (3, 10);

/// Looks at the broker, and at what of it is ours.
pub(super) async fn findings(options: &RabbitOptions) -> Vec<Finding> {
    match examine(options).await {
        Ok(examined) => judged(&examined, options),
        Err(why) => {
            let mend = "look whether it runs, at its address, and at user and password; ingress goes on into its spool";
            vec![Finding::wrong("broker", format!("{} does not answer: {why}", options.url), mend)]
        }
    }
}

fn judged(examined: &Examined, options: &RabbitOptions) -> Vec<Finding> {
    let mut findings = vec![version(examined, &options.url), encryption(&options.url)];
    findings.push(match &examined.alarm {
        None => Finding::fine("alarms", "it takes messages"),
        Some(why) => {
            Finding::wrong("alarms", why.clone(), "give it memory or disk; `rabbitmq-diagnostics alarms` says which")
        }
    });
    findings.extend(queues(examined));
    findings.extend(waiting(examined, &options.prefix));
    findings
}

fn version(examined: &Examined, url: &BrokerUrl) -> Finding {
    let says = format!("{} {} at {url}", examined.product, examined.version);
    let mut numbers = examined.version.split('.').map(|part| part.parse().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST && examined.product == "RabbitMQ" => {
            Finding::fine("broker", says)
        }
        (Some(_), Some(_)) => {
            Finding::wrong("broker", says, "use RabbitMQ 3.10 or later: older ones lose what waits for its next try")
        }
        _ => Finding::note("broker", says, "expected RabbitMQ 3.10 or later"),
    }
}

fn encryption(url: &BrokerUrl) -> Finding {
    if url.is_encrypted() || url.is_loopback() {
        return Finding::fine("transport", if url.is_encrypted() { "amqps" } else { "not encrypted, on this machine" });
    }
    Finding::note("transport", "not encrypted, to another machine", "use amqps: payloads can be read on the way")
}

fn queues(examined: &Examined) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !examined.missing.is_empty() {
        let says = format!(
            "{} not there: {}",
            output::count(examined.missing.len() as i128, "queue"),
            examined.missing.join(", ")
        );
        findings.push(Finding::note("queues", says, "the next start of an ingress or a worker makes them"));
    }
    for refused in &examined.refused {
        findings.push(Finding::wrong("queues", refused.clone(), "nothing is published or taken until this is mended"));
    }
    if findings.is_empty() {
        let says = format!("{} with the arguments we need", output::count(examined.queues.len() as i128, "queue"));
        findings.push(Finding::fine("queues", says));
    }
    findings
}

/// What waits, and whether somebody takes it.
fn waiting(examined: &Examined, prefix: &str) -> Vec<Finding> {
    let retries = format!("{prefix}.retry.");
    let taken: Vec<_> = examined.queues.iter().filter(|queue| !queue.name.starts_with(&retries)).collect();
    let mut findings = Vec::new();
    let workers = taken.iter().map(|queue| queue.consumers).min().unwrap_or(0);
    let ready: u64 = taken.iter().map(|queue| u64::from(queue.messages)).sum();
    let says = format!("{} taking from every queue, {ready} messages ready", output::count(workers, "worker"));
    findings.push(if workers > 0 || taken.is_empty() {
        Finding::fine("workers", says)
    } else if ready > 0 {
        let without: Vec<&str> =
            taken.iter().filter(|queue| queue.consumers == 0).map(|queue| queue.name.as_str()).collect();
        Finding::wrong("workers", format!("{says}; none at {}", without.join(", ")), "start `afluente worker`")
    } else {
        Finding::note("workers", says, "start `afluente worker`")
    });
    for (name, mend) in [
        ("unrouted", "a binding was lost; workers take these too, and the next start of one makes it anew"),
        ("dead", "the broker gave them up; a worker buries them: `afluente dead list`"),
    ] {
        let found =
            taken.iter().find(|queue| queue.name == format!("{prefix}.{name}")).map_or(0, |queue| queue.messages);
        if found > 0 {
            findings.push(Finding::note(name, output::count(found, "message"), mend));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use afluente_queue::QueueLook;

    use super::*;
    use crate::doctor::Weight;

    fn examined(version: &str) -> Examined {
        Examined { product: "RabbitMQ".to_owned(), version: version.to_owned(), ..Examined::default() }
    }

    #[test]
    fn versions_are_told_apart() {
        let url: BrokerUrl = "amqp://localhost".parse().unwrap();
        for (text, weight) in
            [("3.9.29", Weight::Wrong), ("3.10.8", Weight::Fine), ("4.1.0", Weight::Fine), ("unknown", Weight::Note)]
        {
            assert_eq!(version(&examined(text), &url).weight, weight, "{text}");
        }
    }

    #[test]
    fn what_waits_without_a_worker_is_wrong_and_what_was_given_up_is_told() {
        let queue = |name: &str, messages, consumers| QueueLook { name: name.to_owned(), messages, consumers };
        let mut seen = examined("3.10.8");
        seen.queues = vec![queue("a.stripe", 3, 0), queue("a.dead", 2, 1), queue("a.retry.5s", 9, 0)];
        let found = waiting(&seen, "a");
        assert_eq!((found[0].weight, found[1].topic), (Weight::Wrong, "dead"));
        assert!(found[0].says.contains("5 messages ready") && found[0].says.contains("a.stripe"), "{found:?}");
        seen.queues[0].consumers = 2;
        assert_eq!(waiting(&seen, "a")[0].weight, Weight::Fine);
    }
}
