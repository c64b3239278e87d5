//! A text as it may stand between tags and in an attribute of XML and HTML.

/// What XML 1.0 cannot hold becomes U+FFFD; line ends and tabs are written as numbers, or an attribute would lose them.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced_and_the_rest_is_escaped() {
        assert_eq!(
            escaped("a<b>&\"c\"\r\n\t\0\u{7}\u{fffe} ñ😀"),
            "a&lt;b&gt;&amp;&quot;c&quot;&#13;&#10;&#9;\u{fffd}\u{fffd}\u{fffd} ñ😀"
        );
    }
}
