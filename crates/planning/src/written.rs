//! How a parameter is written: as a text in a flag, a pipeline file and Python alike. Whoever gives a type `FromStr` and
//! `Display` gets the rest here.

/// The serde and schema side of a type that is read by its `FromStr` and written by its `Display`.
macro_rules! as_text {
    ($type:ident, $title:literal, $examples:expr) => {
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
                schemars::json_schema!({ "type": "string", "title": $title, "examples": $examples })
            }
        }
    };
}

pub(crate) use as_text;
