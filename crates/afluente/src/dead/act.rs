//! Having letters settled, some at a time.

use std::path::Path;
use std::time::Duration;

use afluente_store::report::DeadView;
use indicatif::ProgressBar;
use serde_json::json;
use uuid::Uuid;

use crate::config::Config;
use crate::control::{Answer, Door, Request};
use crate::exit::Failure;
use crate::output;

/// Letters of one request at most, so that somebody sees how it goes.
const AT_ONCE: usize = 50;

/// What is done to letters.
pub(super) struct Doing {
    /// In the past tense.
    pub(super) done: &'static str,
    /// At most one letter in this time.
    pub(super) pause: Duration,
    /// Print JSON.
    pub(super) json: bool,
}

/// Has the letters settled, some at a time.
pub(super) async fn act(
    folder: &Path,
    config: &Config,
    letters: &[DeadView],
    request: impl Fn(Vec<Uuid>) -> Request,
    Doing { done, pause, json }: Doing,
) -> Result<(), Failure> {
    let door = Door::open(folder, config).await?;
    let progress = ProgressBar::new(letters.len() as u64);
    let mut answer = Answer::default();
    let mut failed = None;
    for (turn, some) in letters.chunks(AT_ONCE).enumerate() {
        if turn > 0 {
            tokio::time::sleep(pause).await;
        }
        match door.ask::<Answer>(request(some.iter().map(|letter| letter.id).collect())).await {
            Ok(more) => answer.add(more),
            Err(failure) => {
                failed = Some(failure);
                break;
            }
        }
        progress.inc(some.len() as u64);
        if !answer.left.is_empty() {
            break;
        }
    }
    door.close().await;
    progress.finish_and_clear();
    print(&answer, done, json);
    if let Some(failure) = failed {
        return Err(failure);
    }
    if !answer.left.is_empty() {
        return Err(Failure::Unavailable(
            "the process stopped before all were reached; run the command again".to_owned(),
        ));
    }
    if answer.failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Found(format!("{} could not be {done}", output::count(answer.failed.len() as i128, "dead letter"))))
}

fn print(answer: &Answer, done: &str, json: bool) {
    if json {
        output::print_json(
            &json!({"done": answer.done, "already_settled": answer.already_settled, "failed": answer.failed, "left": answer.left}),
        );
    } else {
        output::print(&text(answer, done));
    }
}

fn text(answer: &Answer, done: &str) -> String {
    let mut text = format!("{} {done}\n", output::count(answer.done.len() as i128, "dead letter"));
    if !answer.already_settled.is_empty() {
        text.push_str(&format!("{} settled before by somebody else\n", answer.already_settled.len()));
    }
    for (id, error) in &answer.failed {
        text.push_str(&format!("{id}: {error}\n"));
    }
    text
}
