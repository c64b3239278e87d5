//! How a parameter is written: as a text in a flag, a pipeline file and Python alike. Whoever gives a type `FromStr` and
//! `Display` gets the rest here.

/// The serde and schema side of a type that is read by its `FromStr` and written by its `Display`.
#[macro_export]
macro_rules! as_text {
    ($type:ident, $title:expr, $key:literal: $values:expr) => {
        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "title": $title, $key: $values })
            }
        }
    };
}

/// A choice among a few words, each the name of a variant.
#[macro_export]
macro_rules! as_word {
    ($type:ident, $($variant:ident = $word:literal),+) => {
        impl $type {
            const WORDS: &[&str] = &[$($word),+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $($word => Ok(Self::$variant),)+
                    other => Err($crate::written::none_of(other, Self::WORDS)),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        $crate::as_text!($type, Self::WORDS.join("|"), "enum": Self::WORDS);
    };
}

/// What is said of a text that is none of these words.
pub fn none_of(text: &str, words: &[&str]) -> String {
    match words {
        [a, b] => format!("\"{text}\" is neither {a} nor {b}"),
        _ => format!("\"{text}\" is none of {}", words.join(", ")),
    }
}
