//! From bytes in any encoding and with any line ends to UTF-8 with line feeds.

use std::io::{self, Read};

use brasa_model::Note;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::IngestError;

/// The encoding of a file, by flag or by its first part, and that part as text.
pub(crate) fn recognise(
    raw: &[u8],
    wanted: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<(&'static Encoding, String), IngestError> {
    let encoding = choose_encoding(raw, wanted, notes)?;
    let sample = encoding.decode(raw).0.replace("\r\n", "\n").replace('\r', "\n");
    Ok((encoding, sample))
}

/// As [`str::trim`], at once where there is nothing to trim, as in most fields.
pub(crate) fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    if ends.into_iter().flatten().all(u8::is_ascii_graphic) { text } else { text.trim() }
}

/// Whether bytes are text: UTF-16, or without more bytes that no text has than an accident leaves.
pub(crate) fn looks_like_text(head: &[u8]) -> bool {
    let odd = head.iter().filter(|byte| matches!(byte, 0 | 2..=8 | 14..=25)).count();
    odd * 100 <= head.len() || utf16(head).is_some()
}

/// UTF-16 by its byte order mark, or because every other byte is zero.
fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    if head.starts_with(&[0xff, 0xfe]) {
        return Some(UTF_16LE);
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return Some(UTF_16BE);
    }
    let pairs = head.chunks_exact(2).take(512);
    let total = pairs.len();
    let high = pairs.clone().filter(|pair| pair[0] == 0 && pair[1] != 0).count();
    let low = pairs.filter(|pair| pair[1] == 0 && pair[0] != 0).count();
    let most = |count: usize| total >= 4 && count * 10 >= total * 9;
    if most(low) {
        Some(UTF_16LE)
    } else if most(high) {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn choose_encoding(
    raw: &[u8],
    wanted: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<&'static Encoding, IngestError> {
    if let Some(label) = wanted {
        let label = label.trim();
        let found = match label.to_ascii_lowercase().as_str() {
            "utf-16" | "utf16" => Some(utf16(raw).unwrap_or(UTF_16LE)),
            "latin-1" => Some(WINDOWS_1252),
            _ => Encoding::for_label(label.as_bytes()),
        };
        return found.ok_or_else(|| IngestError::OptionInvalid {
            flag: "--encoding",
            value: label.to_owned(),
            expected: "an encoding we know, such as utf-8, latin1 or utf-16".to_owned(),
        });
    }
    let (encoding, why) = if let Some(encoding) = utf16(raw) {
        (encoding, "every second byte says so")
    } else {
        let valid = match std::str::from_utf8(raw) {
            Ok(_) => true,
            // A character cut in two by the end of the sample is no evidence.
            Err(error) => error.error_len().is_none(),
        };
        if valid {
            return Ok(UTF_8);
        }
        (WINDOWS_1252, "the text is not valid UTF-8; Windows-1252 contains Latin-1")
    };
    notes.push(
        Note::new("encoding_guessed", format!("the text is read as {}", encoding.name()))
            .value(encoding.name(), "")
            .reason(format!("{why}; change it with --encoding")),
    );
    Ok(encoding)
}

/// Any encoding in, UTF-8 out; UTF-8 itself passes untouched but for its mark. A line ends in a line feed, whether it
/// ended in that, in a carriage return, or in both.
pub(crate) struct Utf8 {
    inner: Box<dyn Read>,
    decoder: Option<encoding_rs::Decoder>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    started: bool,
    ended: bool,
    /// The last byte was a carriage return, which has been handed out as a line feed.
    returned: bool,
}

impl Utf8 {
    /// The text of these bytes.
    pub fn new(inner: Box<dyn Read>, encoding: &'static Encoding) -> Self {
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_with_bom_removal());
        let (raw, ready) = (vec![0; 1 << 16], Vec::new());
        Self { inner, decoder, raw, ready, at: 0, started: false, ended: false, returned: false }
    }

    fn hand_out(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.ready.len() - self.at);
        buffer[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        count
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.ready.len() {
            return Ok(self.hand_out(buffer));
        }
        let Some(decoder) = &mut self.decoder else {
            if !self.started {
                self.started = true;
                let mut mark = Vec::new();
                (&mut self.inner).take(3).read_to_end(&mut mark)?;
                if mark != b"\xef\xbb\xbf" {
                    self.ready = mark;
                    self.at = 0;
                    if !self.ready.is_empty() {
                        return Ok(self.hand_out(buffer));
                    }
                }
            }
            return self.inner.read(buffer);
        };
        while !self.ended {
            let count = self.inner.read(&mut self.raw)?;
            self.ended = count == 0;
            let mut text = String::with_capacity(
                decoder.max_utf8_buffer_length(count).unwrap_or(count.saturating_mul(3) + 16),
            );
            let _ = decoder.decode_to_string(&self.raw[..count], &mut text, self.ended);
            self.ready = text.into_bytes();
            self.at = 0;
            if !self.ready.is_empty() {
                return Ok(self.hand_out(buffer));
            }
        }
        Ok(0)
    }
}

impl Read for Utf8 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.fill(buffer)?;
            let bytes = &mut buffer[..count];
            if count == 0 || !(self.returned || memchr::memchr(b'\r', bytes).is_some()) {
                return Ok(count);
            }
            let mut kept = 0;
            for at in 0..count {
                let byte = bytes[at];
                if !(byte == b'\n' && self.returned) {
                    bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.returned = byte == b'\r';
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out so many bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_trimmed_is_what_the_standard_library_trims(text in "[ a\u{a0}é\t]{0,4}") {
            proptest::prop_assert_eq!(trimmed(&text), text.trim());
        }

        #[test]
        fn line_ends_are_one_byte_however_the_bytes_come(text in "[ab\r\n]{0,40}", step in 1_usize..5, wide: bool) {
            let encoding = if wide { UTF_16LE } else { UTF_8 };
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            let bytes: Vec<u8> = if wide { units.collect() } else { text.clone().into_bytes() };
            let mut found = String::new();
            Utf8::new(Box::new(Slow(bytes, step)), encoding).read_to_string(&mut found).unwrap();
            proptest::prop_assert_eq!(found, text.replace("\r\n", "\n").replace('\r', "\n"));
        }
    }
}
