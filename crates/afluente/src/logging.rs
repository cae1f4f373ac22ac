//! Logs: text for people, JSON for machines, always to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::exit::Failure;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What a library says of its own that we say better: what is no mistake of ours, such as looking for a queue that is not there
/// yet, is an error there.
const QUIET: &str = "lapin=off";

/// Starts logging; `level` is a level or a filter such as `info,afluente_worker=debug`.
pub(crate) fn start(format: Format, level: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(format!("{QUIET},{level}")).map_err(|error| {
        Failure::Usage(format!("log level: expected a level such as info or a filter, got {level:?}: {error}"))
    })?;
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match format {
        Format::Text => lines.with_target(false).init(),
        Format::Json => lines.json().flatten_event(true).with_current_span(false).init(),
    }
    Ok(())
}
