//! What a shell and `man` are told of the commands.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use afluente_tests::{afluente, binary};

#[test]
fn every_shell_is_given_completions_that_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let finished = afluente(["completions", shell]).run().expect(0);
        for word in ["torture", "replay", "backfill", "completions"] {
            assert!(finished.out.contains(word), "{shell} knows nothing of {word}");
        }
    }
    let finished = afluente(["completions", "dos"]).run().expect(2);
    assert!(finished.err.contains("bash, elvish, fish, powershell, zsh"), "{finished:#?}");
}

#[test]
fn bash_takes_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("afluente");
    fs::write(&script, afluente(["completions", "bash"]).run().expect(0).out).unwrap();
    let asked = format!(
        "source {} && COMP_WORDS=(afluente dead re) COMP_CWORD=2 && _afluente afluente re dead && echo ${{COMPREPLY[@]}}",
        script.display()
    );
    let answer = std::process::Command::new("bash").args(["-c", &asked]).output().unwrap();
    assert_eq!(String::from_utf8(answer.stdout).unwrap().trim(), "replay", "{:?}", String::from_utf8(answer.stderr));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("man1");
    let finished = afluente(["man", made.to_str().unwrap()]).run().expect(0);
    let names: Vec<String> =
        fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(finished.out.starts_with(&format!("{} pages in ", names.len())), "{finished:#?}");
    for (page, said) in [
        ("afluente.1", "something it needs is away"),
        ("afluente-up.1", ".TH"),
        ("afluente-dead-replay.1", "afluente dead replay"),
        ("afluente-customers-merge.1", "because"),
    ] {
        let text = fs::read_to_string(made.join(page)).unwrap().replace("\\-", "-");
        assert!(text.contains(said), "{page}: {text}");
    }
    assert!(names.iter().all(|name| !name.contains("help")), "{names:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let finished = afluente(["man", file.path().to_str().unwrap()]).run().expect(3);
    assert!(
        finished.err.contains("cannot write") && finished.err.contains(file.path().to_str().unwrap()),
        "{finished:#?}"
    );
}

#[test]
fn every_command_of_the_documents_can_be_pasted_and_prints_what_they_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let pasted = std::process::Command::new(root.join("scripts/stranger")).arg(binary()).output().unwrap();
    let said = String::from_utf8_lossy(&pasted.stdout);
    assert!(pasted.status.success(), "{said}{}", String::from_utf8_lossy(&pasted.stderr));
    assert!(said.lines().filter(|line| line.starts_with("ok ")).count() > 5, "{said}");
}
