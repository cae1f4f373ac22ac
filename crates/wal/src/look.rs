//! Whether a log is whole.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Magic, version, page size, number of the checkpoint, two salts, two sums: numbers of four bytes, the high one first.
const HEADER_BYTES: usize = 32;
/// Page, pages of the database if a commit ends here, two salts, two sums.
const FRAME_HEADER_BYTES: usize = 24;
/// The last bit says in which order the bytes are summed.
const MAGIC: u32 = 0x377f_0682;
const BUFFER_BYTES: usize = 256 << 10;
const PAGE_BYTES: std::ops::RangeInclusive<usize> = 512..=65_536;

/// What a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is not there, or has no frame.
    Nothing,
    /// Commits, and nothing behind the last.
    Whole {
        /// How many.
        commits: u64,
    },
    /// Commits, and behind the last frames of one that is not whole. It was never synced, or is damaged: nobody can tell.
    Unfinished {
        /// How many are whole.
        commits: u64,
        /// Bytes before what is not.
        offset: u64,
    },
    /// Something is wrong before a commit that was durable: it was synced before what is behind it was written.
    Damaged {
        /// Where, in bytes.
        offset: u64,
        /// Commits at and behind that place. SQLite would drop them.
        commits: u64,
    },
}

/// Two running sums over everything before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sums(u32, u32);

struct Header {
    page_bytes: usize,
    high_first: bool,
    salts: [u8; 8],
    sums: Sums,
}

/// What is kept of a frame.
#[derive(Clone, Copy)]
struct Frame {
    /// Written since the log was begun anew last.
    is_ours: bool,
    is_commit: bool,
    /// As it says.
    said: Sums,
    /// Its sums are right behind what the one before it says.
    follows: bool,
}

/// Reads the log of this path. Beside a process that writes it, what is being written may look damaged: look again.
pub fn look(log: &Path) -> io::Result<Seen> {
    match File::open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Seen::Nothing),
        opened => read(&mut BufReader::with_capacity(BUFFER_BYTES, opened?)),
    }
}

/// Reads a log from its beginning to its end.
pub fn read(log: &mut impl Read) -> io::Result<Seen> {
    let mut bytes = [0; HEADER_BYTES];
    if !fill(log, &mut bytes)? {
        return Ok(Seen::Nothing);
    }
    if let Some(header) = Header::read(&bytes) {
        return frames(log, &header, None);
    }
    let mut first = [0; FRAME_HEADER_BYTES];
    if !fill(log, &mut first)? {
        return Ok(Seen::Nothing);
    }
    // One that a single bit makes right again, and the salts of what is behind it, was right once.
    let mut near = (0..HEADER_BYTES * 8).filter_map(|bit| Header::read(&flipped(bytes, bit)));
    match near.find(|header| first[8..16] == header.salts) {
        Some(header) => frames(&mut first.as_slice().chain(log), &header, Some(0)),
        None => Ok(Seen::Nothing),
    }
}

/// Reads on behind the header; `bad` is where something is known to be wrong before.
fn frames(log: &mut impl Read, header: &Header, mut bad: Option<u64>) -> io::Result<Seen> {
    let mut bytes = vec![0; FRAME_HEADER_BYTES + header.page_bytes];
    let (mut at, mut before, mut computed) = (HEADER_BYTES as u64, header.sums, header.sums);
    let (mut whole, mut behind, mut proved, mut last_whole) = (0, 0, bad.is_some(), at);
    let (mut was_commit, mut tail) = (false, false);
    while fill(log, &mut bytes)? {
        let frame = header.frame(&bytes, before);
        let follows = frame.follows || (frame.is_ours && header.sums_of(&bytes, computed) == frame.said);
        // What follows a commit was written once that was synced.
        proved |= bad.is_some() && was_commit && frame.is_ours && follows;
        if bad.is_none() && !(frame.is_ours && frame.follows) {
            bad = Some(at);
        }
        let next = at + bytes.len() as u64;
        if bad.is_some() {
            tail |= frame.is_ours;
            behind += u64::from(frame.is_ours && frame.is_commit);
        } else if frame.is_commit {
            (tail, whole, last_whole) = (false, whole + 1, next);
        } else {
            tail = true;
        }
        was_commit = frame.is_ours && frame.is_commit;
        (computed, before, at) = (header.sums_of(&bytes, before), frame.said, next);
    }
    Ok(match bad {
        Some(offset) if proved && behind > 0 => Seen::Damaged { offset, commits: behind },
        _ if tail => Seen::Unfinished { commits: whole, offset: last_whole },
        _ if whole == 0 => Seen::Nothing,
        _ => Seen::Whole { commits: whole },
    })
}

impl Header {
    /// Reads it; none if its sums are wrong.
    fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Header> {
        let magic = number(bytes, 0);
        let page_bytes = usize::try_from(number(bytes, 8)).ok()?;
        if magic & !1 != MAGIC || !PAGE_BYTES.contains(&page_bytes) || !page_bytes.is_power_of_two() {
            return None;
        }
        let sums = Sums(number(bytes, 24), number(bytes, 28));
        let high_first = magic & 1 == 1;
        let mut salts = [0; 8];
        salts.copy_from_slice(&bytes[16..24]);
        let header = Header { page_bytes, high_first, salts, sums };
        (header.sum(Sums(0, 0), &bytes[..24]) == sums).then_some(header)
    }

    fn frame(&self, bytes: &[u8], before: Sums) -> Frame {
        let said = Sums(number(bytes, 16), number(bytes, 20));
        let differing: u32 = bytes[8..16].iter().zip(self.salts).map(|(byte, salt)| (byte ^ salt).count_ones()).sum();
        // An earlier log's second salt is another random number.
        let is_ours = differing <= 1;
        let follows = differing == 0 && number(bytes, 0) != 0 && self.sums_of(bytes, before) == said;
        Frame { is_ours, is_commit: number(bytes, 4) != 0, said, follows }
    }

    fn sums_of(&self, frame: &[u8], before: Sums) -> Sums {
        self.sum(self.sum(before, &frame[..8]), &frame[FRAME_HEADER_BYTES..])
    }

    fn sum(&self, sums: Sums, bytes: &[u8]) -> Sums {
        let word = |bytes: [u8; 4]| if self.high_first { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        bytes.chunks_exact(8).fold(sums, |Sums(first, second), pair| {
            let first = first.wrapping_add(word([pair[0], pair[1], pair[2], pair[3]])).wrapping_add(second);
            Sums(first, second.wrapping_add(word([pair[4], pair[5], pair[6], pair[7]])).wrapping_add(first))
        })
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn flipped(mut bytes: [u8; HEADER_BYTES], bit: usize) -> [u8; HEADER_BYTES] {
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// Fills it; false if the file ends before.
fn fill(log: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
