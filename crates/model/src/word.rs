//! The one macro for closed enums of words.

/// An enum whose every value has one word: `as_str`, `parse`, `ALL`, `Display` and `FromStr` that names what it expected.
macro_rules! word_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The value with exactly this word; `None` for any other text.
            #[must_use]
            pub fn parse(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::word::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                $name::parse(word).ok_or_else(|| $crate::word::UnknownWord {
                    expected: &[$($word,)+],
                    got: word.chars().take(64).collect(),
                })
            }
        }
    };
}
pub(crate) use word_enum;

/// A text that is not one of the words expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}, got {got:?}", expected.join(", "))]
pub struct UnknownWord {
    /// The words that would have been right.
    pub expected: &'static [&'static str],
    /// What came, cut to 64 characters.
    pub got: String,
}
