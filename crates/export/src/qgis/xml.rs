//! XML that is always well-formed, whatever texts stand in it.

use std::fmt::{self, Write as _};

use crate::escape::escaped;

/// An element with its attributes and what stands in it.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Content>,
}

#[derive(Debug, Clone)]
enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    /// An element of that name.
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), content: Vec::new() }
    }

    /// An element that holds a text.
    pub fn text(name: &'static str, text: impl Into<String>) -> Self {
        let mut element = Self::new(name);
        element.content.push(Content::Text(text.into()));
        element
    }

    /// The same with one attribute more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// The same with these attributes more.
    #[must_use]
    pub fn with_all(mut self, attributes: &[(&'static str, &str)]) -> Self {
        self.attributes.extend(attributes.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }

    /// The same with one element more in it.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.content.push(Content::Element(child));
        self
    }

    /// The same with these elements more in it.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.content.extend(children.into_iter().map(Content::Element));
        self
    }

    /// The whole document: a declaration, a document type where one is named, and this element.
    pub fn document(&self, doctype: Option<&str>) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        if let Some(doctype) = doctype {
            text.push_str(doctype);
            text.push('\n');
        }
        self.write(&mut text, 0);
        text
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = |out: &mut String, depth: usize| out.extend(std::iter::repeat_n(' ', depth));
        indent(out, depth);
        // Writing to a string cannot fail.
        write!(out, "<{}", self.name).ok();
        for (name, value) in &self.attributes {
            write!(out, " {name}=\"{}\"", escaped(value)).ok();
        }
        if self.content.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push('>');
        let nested = self.content.iter().all(|content| matches!(content, Content::Element(_)));
        if nested {
            out.push('\n');
        }
        for content in &self.content {
            match content {
                Content::Element(element) => element.write(out, depth + 1),
                Content::Text(text) => out.push_str(&escaped(text)),
            }
        }
        if nested {
            indent(out, depth);
        }
        writeln!(out, "</{}>", self.name).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_element() {
        let text = "a<b>&\"']]>\u{0}\u{b}\u{ffff}\n\u{202e}👩‍🚒";
        let document = Element::text("t", text).with("a", text).document(None);
        let wanted = "a&lt;b&gt;&amp;&quot;']]&gt;\u{fffd}\u{fffd}\u{fffd}&#10;\u{202e}👩‍🚒";
        assert!(document.ends_with(&format!("<t a=\"{wanted}\">{wanted}</t>\n")), "{document}");
    }

    proptest::proptest! {
        /// Whatever the text, the mark-up is ours alone, and there is nothing that XML 1.0 forbids.
        #[test]
        fn any_text_is_text(text in ".*", control in "[\\x00-\\x1f<>&\"'\\]]*") {
            let both = format!("{text}{control}");
            let document = Element::text("t", both.as_str()).with("a", &both).document(None);
            let inside = document.split_once("\n<t a=").unwrap().1;
            assert_eq!((inside.matches('<').count(), inside.matches('>').count()), (1, 2));
            assert_eq!(inside.matches('"').count(), 2);
            let forbidden = |c: char| c < ' ' && c != '\n' || ['\u{fffe}', '\u{ffff}'].contains(&c);
            assert!(!inside.trim_end().contains(|c| forbidden(c) || c == '\n'));
        }
    }

    #[test]
    fn elements_stand_in_one_another() {
        let document = Element::new("a").child(Element::new("b").with("n", 1)).document(Some("<!DOCTYPE a>"));
        assert_eq!(
            document,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE a>\n<a>\n <b n=\"1\"/>\n</a>\n"
        );
    }
}
