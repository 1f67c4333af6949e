//! A journal on this controller's own disk: what was accepted here and another store could not take yet.
//!
//! Append-only files, each record with its length and checksum, synced with their folder before anybody relies on it. They are
//! read in their order and removed when all of them is stored. Whoever stores a record must bear that it is stored twice.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

const MAGIC: &[u8] = b"HAJBOX1\n";
/// Length and checksum.
const HEAD: usize = 8;
/// A file that is longer is not appended to.
const SEGMENT: u64 = 16 << 20;
/// No record is longer.
const MAX_RECORD: usize = 192 << 20;
/// Which segment was read how far: `number offset`. Written without being synced: after a power cut some records may be stored once
/// more.
const CURSOR: &str = "cursor";
/// What the other store will never take.
pub(crate) const REJECTED: &str = "rejected.journal";

/// What can be kept in a journal.
pub(crate) trait Record: Sized {
    /// Its bytes.
    fn encode(&self) -> io::Result<Vec<u8>>;

    /// From its bytes.
    fn decode(bytes: &[u8]) -> io::Result<Self>;
}

/// A journal. Whoever has it open has it alone.
#[derive(Debug)]
pub(crate) struct Journal<R> {
    folder: PathBuf,
    /// Held while it is open.
    lock: File,
    segments: VecDeque<Segment>,
    /// The last segment, while it is appended to.
    tail: Option<File>,
    /// How far the first segment has been read and stored.
    cursor: u64,
    waiting: u64,
    /// Of the newest segment that ever was: a number that came again would meet the cursor of the former one.
    last: u64,
    kind: PhantomData<fn() -> R>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    path: PathBuf,
    length: u64,
}

/// Some of what waits, from the front.
#[derive(Debug)]
pub(crate) struct Front<R> {
    pub records: Vec<R>,
    segment: u64,
    end: u64,
    count: u64,
}

impl<R: Record> Journal<R> {
    /// Opens it, and looks through what an earlier start left. What was cut off in the middle of writing is dropped with a
    /// line in the log: nobody was told that it was kept.
    pub fn open(folder: &Path) -> io::Result<Self> {
        created(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("another process uses it"),
            TryLockError::Error(error) => error,
        })?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_suffix(".journal"));
            if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
                found.push((number, path));
            }
        }
        found.sort();
        let mut journal = Self {
            folder: folder.to_owned(),
            lock,
            segments: VecDeque::new(),
            tail: None,
            cursor: MAGIC.len() as u64,
            waiting: 0,
            last: 0,
            kind: PhantomData,
        };
        let (read, offset) = read_so_far(&folder.join(CURSOR));
        journal.last = found.last().map_or(read, |(number, _)| read.max(*number));
        for (number, path) in found {
            let from = if number == read { offset } else { 0 };
            let Checked { length, records, cursor } = check(&path, from)?;
            if records == 0 {
                fs::remove_file(&path)?;
                continue;
            }
            if journal.segments.is_empty() {
                journal.cursor = cursor;
            }
            journal.waiting += records;
            journal.segments.push_back(Segment { number, path, length });
        }
        Ok(journal)
    }

    /// Lets another one have it. Nothing may be done with this one any more.
    pub fn release(&self) {
        if let Err(error) = self.lock.unlock() {
            log::warn!("The journal {} cannot be released: {error}", self.folder.display());
        }
    }

    /// How many records wait.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Keeps records, behind all others. When it has answered, they are on the disk.
    pub fn append(&mut self, records: &[R]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for record in records {
            frame(&record.encode()?, &mut bytes)?;
        }
        if self.tail.is_none() || self.segments.back().is_none_or(|segment| segment.length > SEGMENT) {
            self.begin_segment()?;
        }
        let (Some(file), Some(segment)) = (&mut self.tail, self.segments.back_mut()) else {
            return Err(io::Error::other("no file to append to"));
        };
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
            // Half a record in the middle would hide those behind it.
            let cut = file.set_len(segment.length).and_then(|()| file.seek(SeekFrom::End(0)));
            if cut.is_err() {
                self.tail = None;
            }
            return Err(error);
        }
        segment.length += bytes.len() as u64;
        self.waiting += records.len() as u64;
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.last += 1;
        let number = self.last;
        let path = self.folder.join(format!("{number:012}.journal"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        file.write_all(MAGIC)?;
        File::open(&self.folder)?.sync_all()?;
        if self.segments.is_empty() {
            self.cursor = MAGIC.len() as u64;
        }
        self.segments.push_back(Segment { number, path, length: MAGIC.len() as u64 });
        self.tail = Some(file);
        Ok(())
    }

    /// The oldest that wait: up to `most` records, and no more than `bytes` unless it is one.
    pub fn front(&self, most: usize, bytes: usize) -> io::Result<Option<Front<R>>> {
        let Some(segment) = self.segments.front() else { return Ok(None) };
        let mut file = File::open(&segment.path)?;
        file.seek(SeekFrom::Start(self.cursor))?;
        let mut reader = io::BufReader::new(file.take(segment.length - self.cursor));
        let mut front = Front { records: Vec::new(), segment: segment.number, end: self.cursor, count: 0 };
        while front.records.len() < most && (front.end - self.cursor) < bytes as u64 {
            let Some(payload) = next_record(&mut reader)? else { break };
            front.end += (HEAD + payload.bytes.len()) as u64;
            front.count += 1;
            if !payload.intact {
                log::error!(
                    "A record in the journal {} was damaged since this controller started; what is left of it is kept in \
                     {REJECTED}",
                    self.folder.display()
                );
                self.keep(&payload.bytes)?;
                continue;
            }
            match R::decode(&payload.bytes) {
                Ok(record) => front.records.push(record),
                Err(error) => {
                    log::error!(
                        "A record in the journal {} cannot be read and is kept in {REJECTED}: {error}",
                        self.folder.display()
                    );
                    self.keep(&payload.bytes)?;
                }
            }
        }
        Ok((front.end > self.cursor).then_some(front))
    }

    /// These are stored: forgets them.
    pub fn stored(&mut self, front: &Front<R>) -> io::Result<()> {
        let Some(segment) = self.segments.front() else { return Ok(()) };
        if segment.number != front.segment {
            return Ok(());
        }
        self.cursor = front.end;
        fs::write(self.folder.join(CURSOR), format!("{} {}", front.segment, front.end))?;
        self.waiting = self.waiting.saturating_sub(front.count);
        if self.cursor >= segment.length {
            if self.segments.len() == 1 {
                self.tail = None;
            }
            let path = segment.path.clone();
            self.segments.pop_front();
            self.cursor = MAGIC.len() as u64;
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Keeps what the other store will never take, where nothing waits for it.
    pub fn reject(&self, record: &R) -> io::Result<()> {
        self.keep(&record.encode()?)
    }

    fn keep(&self, payload: &[u8]) -> io::Result<()> {
        let mut file =
            OpenOptions::new().create(true).append(true).mode(0o600).open(self.folder.join(REJECTED))?;
        let mut bytes = Vec::new();
        frame(payload, &mut bytes)?;
        file.write_all(&bytes)?;
        file.sync_data()
    }
}

/// Makes the folder; what a power cut must not take is also the names of it and of those above it that were made.
fn created(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        created(above)?;
        fs::create_dir_all(folder)?;
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

fn frame(payload: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    out.extend(length.to_le_bytes());
    out.extend(crc32fast::hash(payload).to_le_bytes());
    out.extend(payload);
    Ok(())
}

/// A record of a part that serde writes and of bytes as they are.
pub(crate) fn joined(head: &impl Serialize, content: &[u8]) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(head)?;
    let mut bytes = u32::try_from(json.len()).map_err(io::Error::other)?.to_le_bytes().to_vec();
    bytes.extend(json);
    bytes.extend(content);
    Ok(bytes)
}

/// The parts of what [`joined`] made.
pub(crate) fn parted<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<(T, &[u8])> {
    let short = || io::Error::other("it is too short");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let (json, content) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
    Ok((serde_json::from_slice(json)?, content))
}

struct Payload {
    bytes: Vec<u8>,
    intact: bool,
}

/// The next record; none at the end, or where the rest makes no record.
fn next_record(reader: &mut impl Read) -> io::Result<Option<Payload>> {
    let mut head = [0; HEAD];
    if !filled(reader, &mut head)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MAX_RECORD {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    reader.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Ok(None);
    }
    let intact = crc32fast::hash(&bytes) == u32::from_le_bytes([e, f, g, h]);
    Ok(Some(Payload { bytes, intact }))
}

/// Whether the whole of `buffer` could be read.
fn filled(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where the reading of which segment had come to; 0 for none.
fn read_so_far(file: &Path) -> (u64, u64) {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// A segment as it is after it was looked through.
struct Checked {
    length: u64,
    /// How many records wait in it.
    records: u64,
    /// Where the first of them is.
    cursor: u64,
}

/// Looks through a segment that was read up to `read`. Of one that is damaged a copy is kept, and the records that are whole stay:
/// behind damage, which may be of a record's length, the next one is searched for.
fn check(path: &Path, read: u64) -> io::Result<Checked> {
    let bytes = fs::read(path)?;
    if !bytes.starts_with(MAGIC) {
        if !bytes.is_empty() {
            set_aside(path)?;
        }
        return Ok(Checked { length: 0, records: 0, cursor: 0 });
    }
    let (mut at, mut whole) = (MAGIC.len(), Vec::new());
    while at < bytes.len() {
        match record_at(&bytes[at..]) {
            Some(length) => {
                whole.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
    let end = whole.last().map_or(MAGIC.len(), |last: &std::ops::Range<usize>| last.end);
    let gaps = whole.iter().map(|range| range.len()).sum::<usize>() + MAGIC.len() < end;
    if gaps || bytes.len() > end {
        // A power cut leaves a part of the last record; nobody was told that it was kept. Damage looks alike.
        set_aside(path)?;
        log::error!(
            "The journal {} is damaged, or ends in a record that was not finished: of {} bytes {} make no record and are left \
             out; {} records are whole",
            path.display(),
            bytes.len(),
            bytes.len() - MAGIC.len() - whole.iter().map(|range| range.len()).sum::<usize>(),
            whole.len()
        );
    }
    let waiting: Vec<_> = whole.into_iter().filter(|range| range.start as u64 >= read).collect();
    let cursor = waiting.first().map_or(end, |first| first.start) as u64;
    if !gaps && bytes.len() == end {
        return Ok(Checked { length: end as u64, records: waiting.len() as u64, cursor });
    }
    let mut kept = MAGIC.to_vec();
    waiting.iter().for_each(|range| kept.extend(&bytes[range.clone()]));
    let fresh = path.with_extension("fresh");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
    file.write_all(&kept)?;
    file.sync_all()?;
    // What was read so far is not in the new file: the old cursor would hide what is.
    match fs::remove_file(path.with_file_name(CURSOR)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&fresh, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(Checked { length: kept.len() as u64, records: waiting.len() as u64, cursor: MAGIC.len() as u64 })
}

/// How long the record is with which these bytes begin; none where they begin with no whole one.
fn record_at(bytes: &[u8]) -> Option<usize> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [a, b, c, d, e, f, g, h] = *head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    // Where zeros fill a hole in the file, each makes an empty record.
    if length == 0 || length > MAX_RECORD {
        return None;
    }
    let payload = rest.get(..length)?;
    (crc32fast::hash(payload) == u32::from_le_bytes([e, f, g, h])).then_some(HEAD + length)
}

/// Keeps a copy for whoever can make something of it; the journal is not touched when that fails.
fn set_aside(path: &Path) -> io::Result<()> {
    let copy = path.with_extension("damaged");
    fs::copy(path, &copy).map_err(|error| {
        io::Error::other(format!("{} is damaged, and no copy could be kept: {error}", path.display()))
    })?;
    log::error!("The journal {} is damaged; a copy is kept in {}", path.display(), copy.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Note(u64, String);

    impl Record for Note {
        fn encode(&self) -> io::Result<Vec<u8>> {
            joined(&self.0, self.1.as_bytes())
        }

        fn decode(bytes: &[u8]) -> io::Result<Self> {
            let (position, text) = parted(bytes)?;
            Ok(Self(position, String::from_utf8_lossy(text).into_owned()))
        }
    }

    type Notes = Journal<Note>;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("ha-jenkins-journal-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            Self(folder)
        }

        fn only_segment(&self) -> PathBuf {
            let mut journals = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "journal"));
            let only = journals.next().unwrap();
            assert!(journals.next().is_none());
            only
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn save(position: u64) -> Note {
        Note(position, format!("ä {}", "x".repeat(50)))
    }

    fn drain(journal: &mut Notes) -> Vec<u64> {
        let mut positions = Vec::new();
        while let Some(front) = journal.front(3, 1 << 20).unwrap() {
            positions.extend(front.records.iter().map(|note| note.0));
            journal.stored(&front).unwrap();
        }
        positions
    }

    #[test]
    fn what_was_kept_comes_back_after_a_restart_in_its_order() {
        let folder = Folder::new("order");
        let notes: Vec<Note> = (1..=10).map(save).collect();
        let mut journal = Notes::open(&folder.0).unwrap();
        journal.append(&notes[..4]).unwrap();
        journal.append(&notes[4..]).unwrap();
        drop(journal);
        let mut journal = Notes::open(&folder.0).unwrap();
        assert_eq!(journal.waiting(), 10);
        assert_eq!(journal.front(1, 1 << 20).unwrap().unwrap().records, notes[..1]);
        journal.append(&[save(11)]).unwrap();
        assert_eq!(drain(&mut journal), (1..=11).collect::<Vec<_>>());
        assert_eq!(journal.waiting(), 0);
        journal.append(&[save(12)]).unwrap();
        assert_eq!(drain(&mut journal), [12]);
        drop(journal);
        assert_eq!(Notes::open(&folder.0).unwrap().waiting(), 0);
    }

    #[test]
    fn a_torn_tail_is_cut_wherever_it_is_torn() {
        let folder = Folder::new("torn");
        let mut journal = Notes::open(&folder.0).unwrap();
        journal.append(&[save(1), save(2)]).unwrap();
        let whole = journal.segments[0].length;
        journal.append(&[save(3)]).unwrap();
        drop(journal);
        let path = folder.only_segment();
        let bytes = fs::read(&path).unwrap();
        for end in whole..bytes.len() as u64 {
            fs::write(&path, &bytes[..end as usize]).unwrap();
            let mut journal = Notes::open(&folder.0).unwrap();
            assert_eq!(journal.waiting(), 2, "cut at {end}");
            assert_eq!(fs::metadata(&path).unwrap().len(), whole);
            assert!(end == whole || path.with_extension("damaged").exists());
            if end == whole + 3 {
                journal.append(&[save(4)]).unwrap();
                assert_eq!(drain(&mut journal), [1, 2, 4]);
                fs::write(&path, &bytes).unwrap();
            }
        }
    }

    #[test]
    fn damage_in_the_middle_costs_that_record_alone_and_a_copy_is_kept() {
        let folder = Folder::new("damage");
        let mut journal = Notes::open(&folder.0).unwrap();
        journal.append(&[save(1)]).unwrap();
        let first = journal.segments[0].length as usize;
        journal.append(&[save(2), save(3)]).unwrap();
        drop(journal);
        let path = folder.only_segment();
        let mut bytes = fs::read(&path).unwrap();
        bytes[first + HEAD + 9] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let mut journal = Notes::open(&folder.0).unwrap();
        assert_eq!(journal.waiting(), 2);
        assert_eq!(drain(&mut journal), [1, 3]);
        assert!(path.with_extension("damaged").exists());
    }

    #[test]
    fn damage_to_a_records_length_costs_that_record_alone_too() {
        let folder = Folder::new("length");
        let mut journal = Notes::open(&folder.0).unwrap();
        journal.append(&[save(1)]).unwrap();
        let first = journal.segments[0].length as usize;
        journal.append(&[save(2), save(3), save(4)]).unwrap();
        drop(journal);
        let path = folder.only_segment();
        let whole = fs::read(&path).unwrap();
        for bit in 0..32 {
            let mut bytes = whole.clone();
            bytes[first + bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            let journal = Notes::open(&folder.0).unwrap();
            let front = journal.front(9, 1 << 20).unwrap().unwrap();
            let positions: Vec<u64> = front.records.iter().map(|note| note.0).collect();
            assert_eq!(positions, [1, 3, 4], "bit {bit}");
            assert!(path.with_extension("damaged").exists());
        }
    }

    #[test]
    fn what_was_stored_before_a_kill_is_not_stored_again() {
        let folder = Folder::new("cursor");
        let mut journal = Notes::open(&folder.0).unwrap();
        journal.append(&[save(1), save(2), save(3)]).unwrap();
        let front = journal.front(2, 1 << 20).unwrap().unwrap();
        journal.stored(&front).unwrap();
        journal.append(&[save(4)]).unwrap();
        drop(journal);
        let mut journal = Notes::open(&folder.0).unwrap();
        assert_eq!(journal.waiting(), 2);
        assert_eq!(drain(&mut journal), [3, 4]);
        journal.append(&[save(5)]).unwrap();
        drop(journal);
        assert_eq!(drain(&mut Notes::open(&folder.0).unwrap()), [5]);
    }

    #[test]
    fn what_waits_in_a_damaged_journal_is_there_at_every_start_until_it_is_stored() {
        let folder = Folder::new("damaged-cursor");
        let mut journal = Notes::open(&folder.0).unwrap();
        journal.append(&[save(1), save(2), save(3)]).unwrap();
        let front = journal.front(1, 1 << 20).unwrap().unwrap();
        journal.stored(&front).unwrap();
        journal.append(&[save(4)]).unwrap();
        drop(journal);
        let path = folder.only_segment();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, &bytes).unwrap();
        for _ in 0..2 {
            assert_eq!(Notes::open(&folder.0).unwrap().waiting(), 2);
        }
        assert_eq!(drain(&mut Notes::open(&folder.0).unwrap()), [2, 3]);
    }

    #[test]
    fn a_journal_is_used_by_one_at_a_time() {
        let folder = Folder::new("lock");
        let first = Notes::open(&folder.0).unwrap();
        assert!(Notes::open(&folder.0).is_err());
        drop(first);
        Notes::open(&folder.0).unwrap();
    }
}
