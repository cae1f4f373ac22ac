//! A look at a broker for people: what it is, what of ours is there, and what it would refuse. Changes nothing.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::tcp::{AMQPUriTcpExt, OwnedTLSConfig};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Connection, Event};
use tokio::time::timeout;

use super::RabbitOptions;
use super::link::{connect, said};
use super::topology::{Looked, Topology};

/// How long the broker may take for the whole look.
const WITHIN: Duration = Duration::from_secs(15);
/// How long a confirm may take.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(3);
/// How long an alarm may take to be told once something was published.
const TOLD_WITHIN: Duration = Duration::from_millis(500);

/// What a broker says of itself and of us.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// RabbitMQ, or whatever it calls itself.
    pub product: String,
    /// Its version, such as `3.10.8`.
    pub version: String,
    /// Our queues that are there.
    pub queues: Vec<QueueLook>,
    /// The names of those that are not.
    pub missing: Vec<String>,
    /// What it refuses about those that are there: other arguments, or a right we lack.
    pub refused: Vec<String>,
    /// Why it takes no messages, if it does not.
    pub alarm: Option<String>,
}

/// One of our queues.
#[derive(Clone, Debug)]
pub struct QueueLook {
    /// Its name.
    pub name: String,
    /// Messages that can be taken.
    pub messages: u32,
    /// Who takes them.
    pub consumers: u32,
}

/// Looks at the first node that answers; the text says why none did.
pub async fn examine(options: &RabbitOptions) -> Result<Examined, String> {
    let mut why = String::new();
    for (node, uri) in options.url.nodes().iter().enumerate() {
        match timeout(WITHIN, look(options, node, uri)).await {
            Ok(Ok(examined)) => return Ok(examined),
            Ok(Err(error)) => why = said(&error),
            Err(_) => why = format!("no answer within {WITHIN:?}"),
        }
    }
    Err(why)
}

async fn look(options: &RabbitOptions, node: usize, uri: &AMQPUri) -> lapin::Result<Examined> {
    let connection = connect(&options.url, node, "doctor").await?;
    let topology = Topology::new(&options.prefix, options.limit_bytes);
    let mut examined = Examined::default();
    (examined.product, examined.version) = greeting(uri).await;
    for (name, looked) in topology.look(&connection).await? {
        match looked {
            Looked::There { messages, consumers } => examined.queues.push(QueueLook { name, messages, consumers }),
            Looked::Missing => examined.missing.push(name),
            Looked::Refused(error) => examined.refused.push(said(&error)),
        }
    }
    if examined.missing.is_empty() {
        match alarm(&connection, &topology).await {
            Ok(alarm) => examined.alarm = alarm,
            Err(error) => examined.refused.push(said(&error)),
        }
    }
    let _ = timeout(Duration::from_secs(2), connection.close(200, "OK".into())).await;
    Ok(examined)
}

/// Publishes to the exchange nothing is bound to: a broker with an alarm tells whoever publishes, and nobody else. Needs the
/// right to write, which is looked at by this as well.
async fn alarm(connection: &Connection, topology: &Topology) -> lapin::Result<Option<String>> {
    let mut events = Box::pin(connection.events_listener());
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let nowhere = topology.settled();
    let published = async {
        let published = channel.basic_publish(
            nowhere,
            "doctor".into(),
            BasicPublishOptions::default(),
            b"",
            BasicProperties::default(),
        );
        let confirmed = published.await?.await;
        // The word about an alarm comes after it.
        tokio::time::sleep(TOLD_WITHIN).await;
        confirmed
    };
    let told = async {
        while let Some(event) = events.next().await {
            if let Event::ConnectionBlocked(why) = event {
                return Some(why);
            }
        }
        None
    };
    tokio::select! {
        confirmed = published => confirmed.map(|_| None),
        blocked = told => Ok(blocked),
        () = tokio::time::sleep(CONFIRMED_WITHIN) => Ok(Some("it does not confirm what is published".to_owned())),
    }
}

/// Product and version, as the first frame of a broker says them. The client library keeps that to itself.
async fn greeting(uri: &AMQPUri) -> (String, String) {
    let uri = uri.clone();
    let frame = tokio::task::spawn_blocking(move || first_frame(&uri)).await;
    let frame = frame.ok().and_then(Result::ok).unwrap_or_default();
    (text_of(&frame, "product"), text_of(&frame, "version"))
}

fn first_frame(uri: &AMQPUri) -> std::io::Result<Vec<u8>> {
    let mut stream = uri
        .connect_with_config(OwnedTLSConfig::default().as_ref())
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    stream.write_all(b"AMQP\x00\x00\x09\x01")?;
    let (mut frame, mut part, started) = (Vec::new(), [0; 4096], Instant::now());
    // Type and channel, then the length of what follows.
    let whole = |frame: &[u8]| {
        frame.get(3..7).is_some_and(|length| {
            let length = length.iter().fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
            frame.len() >= length + 7
        })
    };
    while !whole(&frame) && started.elapsed() < Duration::from_secs(5) && frame.len() < 64 << 10 {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => frame.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error),
        }
    }
    Ok(frame)
}

/// A text in a table of properties: its key with the key's length before it, `S`, four bytes of length, the text.
fn text_of(frame: &[u8], key: &str) -> String {
    let mut wanted = vec![u8::try_from(key.len()).unwrap_or(0)];
    wanted.extend_from_slice(key.as_bytes());
    wanted.push(b'S');
    let found = frame.windows(wanted.len()).position(|window| window == wanted.as_slice());
    let text = found.and_then(|at| {
        let rest = frame.get(at + wanted.len()..)?;
        let length = rest.get(..4)?.iter().fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
        rest.get(4..4 + length.min(200))
    });
    text.map_or_else(|| "unknown".to_owned(), |text| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_read_whatever_it_holds() {
        let frame = b"\x01\0\0\0\0\0\x40\x07versionS\0\0\0\x063.10.8\x07productS\0\0\0\x08RabbitMQ";
        assert_eq!(
            (text_of(frame, "product"), text_of(frame, "version")),
            ("RabbitMQ".to_owned(), "3.10.8".to_owned())
        );
        for cut in 0..frame.len() {
            text_of(&frame[..cut], "product");
        }
        assert_eq!(text_of(b"", "version"), "unknown");
        assert_eq!(text_of(b"\x07versionS\xff\xff\xff\xff", "version"), "unknown");
    }
}
