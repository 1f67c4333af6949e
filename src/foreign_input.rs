//! Whatever others left in Redis or on a disk, reading it ends in what it says or in nothing: never in a panic.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::hostile::{bytes_like, cases, text_like};
use crate::journal::{Journal, Record, parted};
use crate::memory::Memory;
use crate::packed::Packed;
use crate::redis::Fitness;
use crate::seal::Seal;
use crate::shared_folder::Mark;
use crate::stamp::{Heard, Stamp};
use crate::{KeptSetting, NewItem, SealKey};

const CORPUS: &str = "tests/corpus/foreign_input.txt";

const ITEM: &str = "7\nfolder/job\nQ\n3\n12\nlinux\n1000\n1700000000000\n1700000005000\n0\n1\n\na\nb\n5\n1\n42\nSUCCESS\nwhy\n\
                    b:5\n1\n9\n4398046511104012\nalice\nb:5\n2\nmore";
const TRACE: &str = "1700000000000\t1=job\t2=Q\t12=a\tnote=Started by alice\n1700000000100\t2=C\t13=b\n\
                     1700000000200\t2=S\t16=4\n1700000000300\t2=R\n1700000000400\t2=O\t19=c:7\n1700000000500\t2=Q\tfold=x\tof=3";
const MOMENT: &str = "1700000000000\tended\ta\tA\tits lease lapsed\t2\t1\t7 8";
const SETTING: &str = "7\nD\n1700000000000\ndigest\nc\nAlice";
const STAMP: &str = "0123456789abcdef:17:1700000000000:1";
const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
const MARK: &str = "# HA Jenkins\ncluster=one\nid=c0ffee\n";

proptest! {
    #![proptest_config(cases(500, CORPUS))]

    #[test]
    fn lines_from_redis(
        item in text_like(&[ITEM]), trace in text_like(&[TRACE]), moment in text_like(&[MOMENT]),
        setting in text_like(&[SETTING]), stamp in text_like(&[STAMP]), info in text_like(&[INFO]), offset in any::<i64>(),
    ) {
        let memory = Memory::default();
        for offset in [0, 1234, offset] {
            if let Some(packed) = Packed::read(&item, offset) {
                let id = packed.item.id;
                memory.saw(packed, Some(b"payload"));
                memory.change(id, |_| true);
                memory.gone(id);
            }
            crate::trace::read(&trace, offset);
            crate::moments::read(&moment, offset);
        }
        if let Some(kept) = KeptSetting::of("a.xml", &setting) {
            prop_assert_eq!(KeptSetting::of("a.xml", &kept.head()), Some(kept));
        }
        if let Some(stamp) = Stamp::of(&stamp) {
            let heard = Heard::default();
            heard.first(&stamp, "1-0", 0);
            prop_assert!(!heard.first(&stamp, "2-0", 0), "a repetition is no news");
        }
        Fitness::of(&info);
        crate::bus::stream_id(&stamp);
        crate::redis::Place::told(&stamp, &crate::redis::Place { host: "h".into(), port: 1 });
    }

    #[test]
    fn what_is_sealed_opens_unchanged_or_not_at_all(
        sealed in bytes_like(vec![sealed(1), sealed(2), Vec::new()]),
    ) {
        match Seal::new(&SealKey::new([7; 32])).open(&[b"about"], &sealed) {
            Some((body, format)) => {
                prop_assert_eq!(body, b"text\nof it");
                prop_assert!(format == 1 || format == 2);
            }
            None => prop_assert!(sealed != self::sealed(1) && sealed != self::sealed(2)),
        }
    }

    #[test]
    fn marks_of_the_shared_folder(text in text_like(&[MARK])) {
        if let Some(mark) = Mark::of(&text) {
            prop_assert!(!mark.id.is_empty() && !mark.cluster.is_empty());
        }
    }

    #[test]
    fn records_of_journals(bytes in bytes_like(vec![kept(1), Vec::new()])) {
        let _ = NewItem::decode(&bytes);
        let _ = parted::<serde_json::Value>(&bytes);
    }
}

proptest! {
    #![proptest_config(cases(50, CORPUS))]

    /// What of it is whole is stored once more; the rest is set aside, and new records follow.
    #[test]
    fn files_of_a_journal(
        segment in bytes_like(vec![segment()]), cursor in bytes_like(vec![b"1 8".to_vec(), b"1 200".to_vec()]),
    ) {
        let folder = Folder::new();
        fs::create_dir_all(&folder.0).unwrap();
        fs::write(folder.0.join("000000000001.journal"), &segment).unwrap();
        fs::write(folder.0.join("cursor"), &cursor).unwrap();
        let mut journal = Journal::<NewItem>::open(&folder.0).unwrap();
        journal.append(&[item(99)]).unwrap();
        let mut last = 0;
        for _ in 0..10 {
            let Some(front) = journal.front(2, 1 << 20).unwrap() else { break };
            last = front.records.last().map_or(last, |item| item.id);
            journal.stored(&front).unwrap();
        }
        prop_assert_eq!(last, 99, "what was added is read, at the end");
        prop_assert_eq!(journal.waiting(), 0);
    }
}

fn sealed(format: u32) -> Vec<u8> {
    Seal::new(&SealKey::new([7; 32])).wrap(&[b"about"], b"text\nof it", format)
}

fn item(id: i64) -> NewItem {
    NewItem {
        id,
        job: "folder/job".into(),
        lane: "linux".into(),
        priority: 1000,
        quiet_ms: 5000,
        concurrent: true,
        pinned: String::new(),
        payload: b"<payload>\n\0</payload>".to_vec(),
    }
}

fn kept(id: i64) -> Vec<u8> {
    item(id).encode().unwrap()
}

fn segment() -> Vec<u8> {
    let folder = Folder::new();
    let mut journal = Journal::<NewItem>::open(&folder.0).unwrap();
    journal.append(&[item(1), item(2), item(3)]).unwrap();
    fs::read(folder.0.join("000000000001.journal")).unwrap()
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("ha-jenkins-foreign-{}-{count}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
