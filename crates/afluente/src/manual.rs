//! `afluente completions` and `afluente man`: what a shell and `man` know of every command, made from the commands themselves.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::Failure;
use crate::output;

/// Prints what completes commands and options in a shell, for its folder of completions.
///
/// For bash: `afluente completions bash > ~/.local/share/bash-completion/completions/afluente`.
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Writes manual pages into a folder, one a command: `man ./afluente.1`, `man ./afluente-dead-replay.1`.
#[derive(Args)]
pub(crate) struct ManArgs {
    /// The folder, made if it is missing, as /usr/local/share/man/man1
    folder: PathBuf,
}

/// Prints a shell's completions.
pub(crate) fn completions(args: &CompletionsArgs, mut command: Command) {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "afluente", &mut text);
    output::print(&String::from_utf8_lossy(&text));
}

/// Writes the manual.
pub(crate) fn man(args: &ManArgs, mut command: Command) -> Result<(), Failure> {
    command.build();
    std::fs::create_dir_all(&args.folder).map_err(|error| cannot_write(&args.folder, &error))?;
    let pages = write(&command, &args.folder)?;
    output::print(&format!("{} in {}", output::count(pages, "page"), args.folder.display()));
    Ok(())
}

/// Writes the page of this command and of those under it; how many.
fn write(command: &Command, folder: &Path) -> Result<u32, Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .and_then(|()| std::fs::write(&path, page))
        .map_err(|error| cannot_write(&path, &error))?;
    let under = command.get_subcommands().filter(|command| command.get_name() != "help");
    under.map(|command| write(command, folder)).sum::<Result<u32, Failure>>().map(|pages| pages + 1)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Unavailable(format!("cannot write {}: {error}", path.display()))
}
