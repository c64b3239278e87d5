//! One reading of a file's bytes for two who want them all: a thread reads ahead, digests what it has read and hands it on.

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// Chunks that wait for their reader.
const WAITING: usize = 4;

/// A SHA-256 in hexadecimal while it is worked out.
pub(crate) type Digesting = JoinHandle<io::Result<String>>;

/// Digests files, one after the other.
pub(crate) fn digest(files: Vec<File>) -> io::Result<Digesting> {
    std::thread::Builder::new().spawn(move || {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        for mut file in files {
            while let count @ 1.. = file.read(&mut buffer)? {
                hash.update(&buffer[..count]);
            }
        }
        Ok(hexadecimal(hash))
    })
}

/// Digests a file whose bytes pass through what comes back with it. They are digested to the end even if nobody reads so far.
pub(crate) fn digest_and_read(mut file: File) -> io::Result<(Digesting, Ahead)> {
    let (full, chunks) = sync_channel(WAITING);
    let (empty, returned) = channel();
    let digesting = std::thread::Builder::new().spawn(move || {
        let done = pass_on(&mut file, &full, &returned);
        if let Err(error) = &done {
            // The reader has to know too; of two errors, one each.
            let _ = full.send(Err(io::Error::new(error.kind(), error.to_string())));
        }
        done
    })?;
    Ok((digesting, Ahead { chunks, empty, chunk: Chunk::default(), at: 0 }))
}

/// Bytes, of which so many count.
#[derive(Default)]
struct Chunk {
    buffer: Vec<u8>,
    count: usize,
}

fn pass_on(
    file: &mut File,
    full: &SyncSender<io::Result<Chunk>>,
    returned: &Receiver<Vec<u8>>,
) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut mine = None;
    loop {
        let mut buffer = mine.take().or_else(|| returned.try_recv().ok()).unwrap_or_else(|| vec![0; CHUNK]);
        let count = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                mine = Some(buffer);
                continue;
            }
            count => count?,
        };
        if count == 0 {
            return Ok(hexadecimal(hash));
        }
        hash.update(&buffer[..count]);
        // Whoever stopped reading gives the chunk back.
        mine = full.send(Ok(Chunk { buffer, count })).err().and_then(|back| Some(back.0.ok()?.buffer));
    }
}

/// A digest as it is written.
pub(crate) fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a file that is being digested.
pub(crate) struct Ahead {
    chunks: Receiver<io::Result<Chunk>>,
    empty: Sender<Vec<u8>>,
    chunk: Chunk,
    at: usize,
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.count {
            let Ok(next) = self.chunks.recv() else { return Ok(0) };
            let done = std::mem::replace(&mut self.chunk, next?);
            self.at = 0;
            if !done.buffer.is_empty() {
                // A thread that has come to the end wants no more.
                let _ = self.empty.send(done.buffer);
            }
        }
        let count = into.len().min(self.chunk.count - self.at);
        into[..count].copy_from_slice(&self.chunk.buffer[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> File {
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), bytes).unwrap();
        File::open(path.path()).unwrap()
    }

    #[test]
    fn the_digest_is_that_of_the_bytes_that_were_read_and_of_those_that_were_not() {
        let bytes: Vec<u8> =
            (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let alone = digest(vec![file(&bytes)]).unwrap().join().unwrap().unwrap();
        let (digesting, mut ahead) = digest_and_read(file(&bytes)).unwrap();
        let mut read = Vec::new();
        ahead.read_to_end(&mut read).unwrap();
        assert!(read == bytes);
        assert_eq!(digesting.join().unwrap().unwrap(), alone);

        let (digesting, mut ahead) = digest_and_read(file(&bytes)).unwrap();
        ahead.read_exact(&mut [0; 1000]).unwrap();
        drop(ahead);
        assert_eq!(digesting.join().unwrap().unwrap(), alone);
    }

    #[test]
    fn nothing_has_the_digest_of_nothing() {
        let (digesting, mut ahead) = digest_and_read(file(b"")).unwrap();
        assert_eq!(ahead.read(&mut [0; 10]).unwrap(), 0);
        let digest = digesting.join().unwrap().unwrap();
        assert_eq!(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
