//! The first start: a data folder with a commented configuration, a signing secret and a sealing key. Nothing that exists is
//! ever written over.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use clap::Args;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::config::{FILE, SEAL_KEY_FILE, file, names_seal_keys};
use crate::exit::Failure;
use crate::output;

/// Makes the data folder that `afluente up` would make: a commented configuration, a test account's secret, the sealing key.
/// Starts nothing, and writes over nothing that is there.
#[derive(Args)]
pub(crate) struct InitArgs {}

/// The account a first start makes.
#[cfg(test)]
pub(crate) const ACCOUNT: &str = "shop";
/// Where its secret lies.
pub(crate) const SECRET_FILE: &str = "secrets/stripe-shop";

/// What a first start made; empty on every other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Made(pub(crate) Vec<&'static str>);

/// Completes the folder and says what there is to do.
pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    let Made(made) = complete(folder)?;
    let shown = folder.display();
    let text = if made.is_empty() {
        format!("nothing was missing in {shown}\n")
    } else {
        format!(
            "made {} in {shown}. Next:\n  \
             1. name the accounts in {shown}/{FILE}, and for several machines the broker (`[queue] url`) and the ledger's database\n  \
             2. look at it:              afluente check --data {shown}\n  \
             3. give every machine that receives or works the same {SEAL_KEY_FILE}: what one seals another opens\n",
            made.join(", "),
        )
    };
    output::print(&text);
    Ok(())
}

/// Completes the folder. A folder with a configuration of its own gets no secret it did not ask for.
pub(crate) fn complete(folder: &Path) -> Result<Made, Failure> {
    let cannot = |what: &Path, error: &io::Error| {
        Failure::Unavailable(format!(
            "cannot write {}: {error}; choose a folder you may write with --data",
            what.display()
        ))
    };
    private_folder(folder).map_err(|error| cannot(folder, &error))?;
    let mut made = Made::default();
    let mut write = |name: &'static str, text: &str| {
        let path = folder.join(name);
        match new_file(&path, text) {
            Ok(()) => {
                made.0.push(name);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(cannot(&path, &error)),
        }
    };
    let queue = folder.join(afluente_queue::embedded::QUEUE_FILE);
    let own_keys = std::fs::read_to_string(folder.join(FILE)).is_ok_and(|text| names_seal_keys(&text));
    if !own_keys && queue.exists() && !folder.join(SEAL_KEY_FILE).exists() {
        return Err(Failure::Unavailable(format!(
            "{SEAL_KEY_FILE} is missing beside {}: what waits there was sealed with it and nothing else opens it; restore \
             the key, or move the queue file away if nothing in it is wanted",
            queue.display()
        )));
    }
    if !own_keys {
        write(SEAL_KEY_FILE, &format!("{}\n", random_hex()?))?;
    }
    if !folder.join(FILE).exists() {
        let secrets = folder.join("secrets");
        private_folder(&secrets).map_err(|error| cannot(&secrets, &error))?;
        write(SECRET_FILE, &format!("whsec_{}\n", random_hex()?))?;
        // The configuration comes last: once it is there, everything it refers to is.
        write(FILE, file::EXAMPLE)?;
    }
    Ok(made)
}

/// Writes a file that nobody else may read, and the folders to it; one that exists is an error.
pub(crate) fn private(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    let written = private_folder(parent).and_then(|()| new_file(&path, text));
    written.map_err(|error| Failure::Unavailable(format!("cannot write {}: {error}", path.display())))
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file of mode 0600 that must not exist. The name is given to whole and durable bytes only: a kill in the middle
/// leaves no half of a key that the next start would take as it is.
fn new_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // tempfile makes its files with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

fn random_hex() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Failure::Unavailable(format!("the system gives no random bytes: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_first_start_makes_a_private_folder_that_needs_nothing_more() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        assert_eq!(complete(&folder).unwrap().0, [SEAL_KEY_FILE, SECRET_FILE, FILE]);
        for name in [SEAL_KEY_FILE, SECRET_FILE, FILE] {
            assert_eq!(std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let config = crate::config::load(&folder).unwrap();
        assert_eq!(config.accounts[0].name.as_str(), ACCOUNT);
    }

    #[test]
    fn a_lost_sealing_key_is_not_replaced_while_a_queue_needs_it() {
        let parent = tempfile::tempdir().unwrap();
        complete(parent.path()).unwrap();
        std::fs::write(parent.path().join("queue.sqlite"), "messages").unwrap();
        complete(parent.path()).unwrap();
        std::fs::remove_file(parent.path().join(SEAL_KEY_FILE)).unwrap();
        let Err(Failure::Unavailable(text)) = complete(parent.path()) else { panic!("expected a refusal") };
        assert!(text.contains("restore the key"), "{text}");
        assert!(!parent.path().join(SEAL_KEY_FILE).exists());
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let parent = tempfile::tempdir().unwrap();
        complete(parent.path()).unwrap();
        let before = std::fs::read(parent.path().join(SEAL_KEY_FILE)).unwrap();
        assert_eq!(complete(parent.path()).unwrap(), Made::default());
        assert_eq!(std::fs::read(parent.path().join(SEAL_KEY_FILE)).unwrap(), before);
    }

    #[test]
    fn a_start_that_was_cut_short_is_completed_and_what_exists_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        complete(parent.path()).unwrap();
        let secret = std::fs::read(parent.path().join(SECRET_FILE)).unwrap();
        std::fs::remove_file(parent.path().join(FILE)).unwrap();
        std::fs::remove_file(parent.path().join(SEAL_KEY_FILE)).unwrap();
        assert_eq!(complete(parent.path()).unwrap().0, [SEAL_KEY_FILE, FILE]);
        assert_eq!(std::fs::read(parent.path().join(SECRET_FILE)).unwrap(), secret);
        crate::config::load(parent.path()).unwrap();
        let left = std::fs::read_dir(parent.path()).unwrap().filter_map(Result::ok);
        assert!(left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().starts_with(".new-")));
    }

    #[test]
    fn a_folder_that_cannot_be_written_says_so_and_what_to_do() {
        let Err(Failure::Unavailable(text)) = complete(Path::new("/proc/nowhere")) else {
            panic!("expected a refusal")
        };
        assert!(text.contains("/proc/nowhere") && text.contains("--data"), "{text}");
    }
}
