//! Shared secrets as people paste them, and never shown.

use std::fmt;

use afluente_model::SecretName;

/// One shared secret. Never shown: Debug prints its name only.
#[derive(Clone)]
pub struct Secret {
    name: SecretName,
    bytes: Box<[u8]>,
}

/// How the secrets of a gateway look, so that what people paste in their place can be told.
#[derive(Clone, Copy, Debug)]
pub struct SecretForm {
    /// How each begins, one of these; none where nothing is promised.
    pub prefixes: &'static [&'static str],
    /// Where people find it, to end the sentence "paste …".
    pub found: &'static str,
    /// What else begins how, and what it is.
    pub others: &'static [(&'static str, &'static str)],
    /// Whether it is `user:password`, as people choose them, and no text a gateway made.
    pub is_login: bool,
}

impl SecretForm {
    /// Nothing is known of how they look.
    pub const ANY: SecretForm =
        SecretForm { prefixes: &[], found: "the secret as the gateway shows it", others: &[], is_login: false };

    /// User and password of HTTP Basic.
    pub const LOGIN: SecretForm = SecretForm {
        found: "user and password as they were set at the gateway's webhook, with a colon between them",
        is_login: true,
        ..SecretForm::ANY
    };
}

/// A secret that cannot protect anything, or a text that holds more or less than one. Says what to do; never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Empty or only white space.
    #[error("expected a secret, got an empty text")]
    Empty,
    /// Too short to be anything a gateway issues.
    #[error("expected a secret of at least {least} characters, got {got}")]
    TooShort {
        /// The least we accept.
        least: usize,
        /// What came.
        got: usize,
    },
    /// A line that begins with `#`, or ends with one.
    #[error("expected the secret alone, got a comment (#) with it: leave only the secret")]
    Comment,
    /// More than one line.
    #[error("expected the secret alone, got {lines} lines: one secret a file or variable; several go into the list")]
    Lines {
        /// How many hold anything.
        lines: usize,
    },
    /// `NAME=value`.
    #[error("expected the secret alone, got NAME=value: leave only what stands behind the equals sign")]
    Assigned,
    /// Quotation marks around it.
    #[error("expected the secret alone, got it in quotation marks: leave only what stands between them")]
    Quoted,
    /// Blanks inside.
    #[error("expected a secret without blanks, got one inside: paste it again, in one piece")]
    Blank,
    /// Characters nobody sees, or that no gateway issues.
    #[error("expected visible ASCII, got the character U+{code:04X}: paste it again, as plain text")]
    Hidden {
        /// Which.
        code: u32,
    },
    /// It is no `user:password`.
    #[error("expected a user and a password with a colon between them, got something else: paste {found}")]
    NoLogin {
        /// What to paste.
        found: &'static str,
    },
    /// It begins like something else of the same gateway.
    #[error("expected {}, got {what} ({begins}…): paste {found}", beginning(.prefixes))]
    SomethingElse {
        /// How a secret begins.
        prefixes: &'static [&'static str],
        /// What it is instead.
        what: &'static str,
        /// How that begins.
        begins: &'static str,
        /// Where the secret is found.
        found: &'static str,
    },
    /// It does not begin as every secret of the gateway does.
    #[error("expected {}, got something else: paste {found}", beginning(.prefixes))]
    WrongBeginning {
        /// How a secret begins.
        prefixes: &'static [&'static str],
        /// Where it is found.
        found: &'static str,
    },
}

fn beginning(prefixes: &[&str]) -> String {
    format!("a secret that begins with {}", prefixes.join(" or "))
}

/// The shortest text accepted as a secret.
const LEAST_SECRET_BYTES: usize = 8;
/// What editors and web pages put around a text.
const QUOTES: &[char] = &['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}'];

impl Secret {
    /// Takes the secret's text as a gateway shows it; white space around it (a trailing newline of a file) is removed.
    pub fn new(text: &str) -> Result<Secret, BadSecret> {
        Secret::pasted(text, &SecretForm::ANY)
    }

    /// Takes a text as people paste it into a file or a variable. A byte order mark and white space around it are removed;
    /// everything else that is not the secret itself is an error that says what to leave.
    pub fn pasted(text: &str, form: &SecretForm) -> Result<Secret, BadSecret> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(BadSecret::Empty);
        }
        is_alone(text, form)?;
        let is_shown = |c: char| c.is_ascii_graphic() || (form.is_login && !c.is_ascii() && c.is_alphanumeric());
        if let Some(hidden) = text.chars().find(|c| !is_shown(*c)) {
            return Err(BadSecret::Hidden { code: hidden.into() });
        }
        has_form(text, form)?;
        if text.len() < LEAST_SECRET_BYTES {
            return Err(BadSecret::TooShort { least: LEAST_SECRET_BYTES, got: text.len() });
        }
        Ok(Secret { name: SecretName::of(text.as_bytes()), bytes: text.as_bytes().into() })
    }

    /// A text shorter than any gateway's, for known answers.
    #[cfg(test)]
    pub(crate) fn known(text: &str) -> Secret {
        Secret { name: SecretName::of(text.as_bytes()), bytes: text.as_bytes().into() }
    }

    /// Its name: the first 8 hex digits of its SHA-256.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    /// The bytes, for keying an HMAC.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether a text is one secret and nothing beside it.
fn is_alone(text: &str, form: &SecretForm) -> Result<(), BadSecret> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    if lines.clone().any(|line| line.trim_start().starts_with('#')) || text.contains(" #") {
        return Err(BadSecret::Comment);
    }
    let lines = lines.count();
    if lines > 1 {
        return Err(BadSecret::Lines { lines });
    }
    if is_assignment(text, form) {
        return Err(BadSecret::Assigned);
    }
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return Err(BadSecret::Quoted);
    }
    if text.contains(char::is_whitespace) {
        return Err(BadSecret::Blank);
    }
    Ok(())
}

/// `NAME=value`, as in a file of variables. A secret may end in `=`, and may hold one.
fn is_assignment(text: &str, form: &SecretForm) -> bool {
    let text = text.strip_prefix("export ").unwrap_or(text).trim_start();
    let Some((name, value)) = text.split_once('=') else { return false };
    let (name, value) = (name.trim_end(), value.trim_start().trim_start_matches(QUOTES));
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let shouted = !name.contains(|c: char| c.is_ascii_lowercase());
    named && !value.is_empty() && (shouted || form.prefixes.iter().any(|prefix| value.starts_with(prefix)))
}

/// Whether it begins as the gateway's secrets do.
fn has_form(text: &str, form: &SecretForm) -> Result<(), BadSecret> {
    let SecretForm { prefixes, found, others, is_login } = *form;
    if is_login && text.split_once(':').is_none_or(|(user, password)| user.is_empty() || password.is_empty()) {
        return Err(BadSecret::NoLogin { found });
    }
    if prefixes.is_empty() || prefixes.iter().any(|prefix| text.starts_with(prefix)) {
        return Ok(());
    }
    let other = others.iter().find(|(begins, _)| text.starts_with(begins));
    Err(other.map_or(BadSecret::WrongBeginning { prefixes, found }, |(begins, what)| BadSecret::SomethingElse {
        prefixes,
        what,
        begins,
        found,
    }))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}
