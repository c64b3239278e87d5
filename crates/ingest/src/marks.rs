//! Where the quotes, delimiters and line feeds of delimited text are, sixty-four bytes at a time: most records have nothing in
//! them that needs a second look, and are cut by bits alone.

use crate::split::{Dialect, Field};

/// Words of 64 bytes that are looked at in one go. What comes after a record with quotes of its own is looked at again: not many.
const WORDS: usize = 16;

/// Cuts plain records: every quoted field is quoted as a whole, on one line, and holds no quote. All others are left to
/// [`crate::split::cut`].
pub(crate) struct Marks {
    delimiter: u8,
    eye: Eye,
    /// Where the next record begins, if it follows upon one that was cut here.
    next: Option<usize>,
    /// Where the words begin, and how many there are.
    base: usize,
    words: usize,
    /// Per word, delimiters and line feeds outside quotes, and what takes a record out of our hands.
    ends: [u64; WORDS],
    odd: [u64; WORDS],
    /// The word we are in, the ends in it that are not passed, and which of its bytes are not.
    word: usize,
    rest: u64,
    ahead: u64,
    carry: Carry,
}

/// What the bytes before a word have to do with it.
#[derive(Debug, Clone, Copy)]
struct Carry {
    /// All ones inside quotes.
    inside: u64,
    /// One if a field begins, or if a quote was closed.
    begins: u64,
    closed: u64,
}

impl Marks {
    /// For text in this dialect; none where the processor has no wide registers, or where a backslash has a say.
    pub fn new(dialect: Dialect) -> Option<Self> {
        let eye = Eye::new().filter(|_| !dialect.escape)?;
        Some(Self {
            delimiter: dialect.delimiter,
            eye,
            next: None,
            base: 0,
            words: 0,
            ends: [0; WORDS],
            odd: [0; WORDS],
            word: 0,
            rest: 0,
            ahead: 0,
            carry: Carry { inside: 0, begins: 1, closed: 0 },
        })
    }

    /// Finds the fields of the record that begins at `at`, and where the next begins; `None` when it is not plain, or not all there.
    pub fn cut(&mut self, bytes: &[u8], at: usize, fields: &mut Vec<Field>) -> Option<usize> {
        if self.next.take() != Some(at) {
            self.carry = Carry { inside: 0, begins: 1, closed: 0 };
            self.look(bytes, at)?;
        }
        let (mut start, mut odd) = (at, 0);
        loop {
            while self.rest == 0 {
                odd |= self.odd[self.word] & self.ahead;
                self.ahead = u64::MAX;
                self.word += 1;
                if self.word == self.words {
                    if odd != 0 {
                        return None;
                    }
                    self.look(bytes, self.base + 64 * WORDS)?;
                }
                self.rest = self.ends[self.word];
            }
            let bit = self.rest.trailing_zeros();
            self.rest &= self.rest - 1;
            let end = self.base + 64 * self.word + bit as usize;
            fields.push(Field::between(bytes, start, end));
            start = end + 1;
            if bytes.get(end) == Some(&b'\n') {
                let passed = (2_u64 << bit).wrapping_sub(1);
                odd |= self.odd[self.word] & self.ahead & passed;
                self.ahead &= !passed;
                self.next = (odd == 0).then_some(start);
                return self.next;
            }
        }
    }

    /// Looks at the words from `base` on; `None` where the bytes end.
    fn look(&mut self, bytes: &[u8], base: usize) -> Option<()> {
        let bytes = bytes.get(base..).filter(|bytes| !bytes.is_empty())?;
        let bytes = &bytes[..bytes.len().min(64 * WORDS)];
        let mut seen = [Seen::default(); WORDS];
        self.eye.look(bytes, self.delimiter, &mut seen);
        (self.base, self.words, self.word) = (base, bytes.len().div_ceil(64), 0);
        for (at, seen) in seen.iter().enumerate().take(self.words) {
            (self.ends[at], self.odd[at]) = self.carry.read(seen);
        }
        (self.rest, self.ahead) = (self.ends[0], u64::MAX);
        Some(())
    }
}

impl Carry {
    /// The ends of fields in a word, and what is odd in it: a quote that opens inside a field, something behind one that closes,
    /// a line feed inside quotes.
    fn read(&mut self, seen: &Seen) -> (u64, u64) {
        // Each bit becomes the parity of the quotes up to it.
        let mut inside = seen.quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.inside;
        let ends = (seen.delimiters | seen.feeds) & !inside;
        let (opening, closing) = (seen.quotes & inside, seen.quotes & !inside);
        let begins = ends << 1 | self.begins;
        let behind = closing << 1 | self.closed;
        let odd = (opening & !begins) | (behind & !ends) | (seen.feeds & inside);
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        (self.begins, self.closed) = (ends >> 63, closing >> 63);
        (ends, odd)
    }
}

/// What stands in 64 bytes, a bit for each.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    quotes: u64,
    delimiters: u64,
    feeds: u64,
}

/// Sees 64 bytes at a glance.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy)]
struct Eye(pulp::x86::V3);

#[cfg(target_arch = "x86_64")]
impl Eye {
    fn new() -> Option<Self> {
        pulp::x86::V3::try_new().map(Self)
    }

    fn look(self, bytes: &[u8], delimiter: u8, seen: &mut [Seen; WORDS]) {
        struct Look<'a>(pulp::x86::V3, &'a [u8], u8, &'a mut [Seen; WORDS]);
        impl pulp::NullaryFnOnce for Look<'_> {
            type Output = ();

            #[inline(always)]
            fn call(self) {
                let Look(simd, bytes, delimiter, seen) = self;
                let (words, rest) = bytes.as_chunks::<64>();
                for (word, seen) in words.iter().zip(seen.iter_mut()) {
                    *seen = glance(simd, word, delimiter);
                }
                if let (false, Some(seen)) = (rest.is_empty(), seen.get_mut(words.len())) {
                    let mut word = [0; 64];
                    word[..rest.len()].copy_from_slice(rest);
                    let there = (1_u64 << rest.len()) - 1;
                    let all = glance(simd, &word, delimiter);
                    *seen = Seen {
                        quotes: all.quotes & there,
                        delimiters: all.delimiters & there,
                        feeds: all.feeds & there,
                    };
                }
            }
        }
        self.0.vectorize(Look(self.0, bytes, delimiter, seen));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn glance(simd: pulp::x86::V3, word: &[u8; 64], delimiter: u8) -> Seen {
    let halves: [[u8; 32]; 2] = pulp::cast(*word);
    let equal = |byte: u8| {
        let bits = |half: [u8; 32]| {
            let equal = simd.avx2._mm256_cmpeq_epi8(pulp::cast(half), pulp::cast([byte; 32]));
            u64::from(simd.avx2._mm256_movemask_epi8(equal).cast_unsigned())
        };
        bits(halves[0]) | bits(halves[1]) << 32
    };
    Seen { quotes: equal(b'"'), delimiters: equal(delimiter), feeds: equal(b'\n') }
}

/// Elsewhere records are cut byte by byte.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Debug, Clone, Copy)]
enum Eye {}

#[cfg(not(target_arch = "x86_64"))]
impl Eye {
    const fn new() -> Option<Self> {
        None
    }

    fn look(self, _: &[u8], _: u8, _: &mut [Seen; WORDS]) {
        match self {}
    }
}
