//! Kill -9 while publishing: the example `publisher` is the victim.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::site::{Site, drain, keys, ready};

/// Kills the child also when the test fails.
struct Victim(Child);

impl Victim {
    fn start(folder: &Path, first: u128) -> Victim {
        let test = std::env::current_exe().unwrap();
        let publisher = test.ancestors().nth(2).unwrap().join("examples/publisher");
        let mut command = Command::new(publisher);
        command.arg(folder).arg(first.to_string()).stdout(Stdio::piped());
        Victim(command.spawn().expect("the example `publisher` is built with the tests"))
    }

    /// What it said was stored, until it was killed after so many lines and the pipe was empty.
    fn kill_after(mut self, lines: usize) -> BTreeSet<u128> {
        let mut output = BufReader::new(self.0.stdout.take().unwrap());
        let (mut stored, mut line) = (BTreeSet::new(), String::new());
        while output.read_line(&mut line).unwrap() > 0 {
            // The last line may be cut off: what has no end was not said.
            let number = line.strip_suffix('\n').and_then(|line| line.strip_prefix("stored "));
            stored.extend(number.map(|number| number.parse::<u128>().unwrap()));
            line.clear();
            if stored.len() == lines {
                self.0.kill().unwrap();
            }
        }
        stored
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn kill_nine_while_publishing_loses_nothing_acknowledged_and_doubles_nothing() {
    let site = Site::new();
    let mut stored = BTreeSet::new();
    for round in 0..5 {
        let said =
            Victim::start(site.path(), round * 10_000_000).kill_after(500 + usize::try_from(round).unwrap() * 317);
        assert!(said.len() >= 500);
        stored.extend(said);
    }
    let queue = site.open();
    assert!(ready(&queue) >= stored.len() as u64);
    let found = drain(&queue).await;
    let distinct: BTreeSet<u128> = found.iter().copied().collect();
    assert_eq!(found.len(), distinct.len(), "a message came out twice");
    assert!(stored.is_subset(&distinct), "{} acknowledged messages are missing", stored.difference(&distinct).count());
}

#[tokio::test]
async fn after_kill_nine_every_message_still_opens() {
    let site = Site::new();
    let stored = Victim::start(site.path(), 0).kill_after(300);
    let queue = site.open();
    let mut opened = BTreeSet::new();
    while ready(&queue) > 0 {
        let taken = queue.take(100, std::time::Duration::ZERO).await.unwrap();
        for one in &taken {
            opened.insert(keys().open(one.head(), one.body().clone()).unwrap().id.0.as_u128());
        }
        crate::site::acknowledge(&queue, taken).await;
    }
    assert!(stored.is_subset(&opened));
}
