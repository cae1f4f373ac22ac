//! How a command ends. Every failure says what to do next and maps to one exit code.

use std::process::ExitCode;

use afluente_model::chain;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It ran, and what it looked for is wrong: differences, a line that could not be folded. Exit code 1.
    Found(String),
    /// The command line, the configuration or the input is wrong; nothing was started. Exit code 2.
    Usage(String),
    /// Something it needs is away or refuses: no ledger, no process, a held folder, a full disk. Exit code 3.
    Unavailable(String),
}

impl Failure {
    /// Prints the reason to standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (code, text) = match self {
            Failure::Found(text) => (1, text),
            Failure::Usage(text) => (2, text),
            Failure::Unavailable(text) => (3, text),
        };
        if !text.is_empty() {
            eprintln!("afluente: {text}");
        }
        ExitCode::from(code)
    }

    /// What a person is told.
    pub(crate) fn text(&self) -> &str {
        match self {
            Failure::Found(text) | Failure::Usage(text) | Failure::Unavailable(text) => text,
        }
    }

    /// An error of something we depend on, with all its causes.
    pub(crate) fn unavailable(error: &dyn std::error::Error) -> Failure {
        Failure::Unavailable(chain(error))
    }
}

impl From<afluente_store::StoreError> for Failure {
    fn from(error: afluente_store::StoreError) -> Failure {
        Failure::unavailable(&error)
    }
}

impl From<afluente_queue::OpenError> for Failure {
    fn from(error: afluente_queue::OpenError) -> Failure {
        Failure::unavailable(&error)
    }
}
