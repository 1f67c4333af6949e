//! Whatever stands in the database or in the outbox, reading it ends in a row that tells its damage: never in a panic.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::changes::{Change, Stamped, Writer};
use super::columns::Found;
use super::mounts::mount_of;
use super::packed::Packed;
use super::row::BuildRow;
use super::store::{Fields, Value};
use crate::hostile::{bytes_like, cases, text_like};
use crate::journal::Record;

const CORPUS: &str = "tests/corpus/foreign_rows.txt";
const TABLE: &str =
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n30 22 0:30 / /srv/a\\040b rw - nfs4 filer:/export rw";

fn field() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Int),
        text_like(&["folder/job", "SUCCESS", r#"["a","b"]"#, r#"[["name","value"]]"#]).prop_map(Value::Text),
        vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        Just(Value::Null),
    ]
}

proptest! {
    #![proptest_config(cases(500, CORPUS))]

    #[test]
    fn rows_of_builds(fields in vec(field(), 0..30)) {
        let _ = Found::of(&Fields(fields)).row.checked();
    }

    #[test]
    fn packed_files(content in bytes_like(vec![packed()]), size in prop_oneof![Just(40usize), any::<usize>()]) {
        let sha256 = Packed::of(FILE).unwrap().sha256;
        if let Ok(file) = Packed::unpack(&content, size, &sha256) {
            prop_assert_eq!(file, FILE, "nothing is taken for the file but the file");
        }
    }

    #[test]
    fn changes_in_the_outbox(bytes in bytes_like(vec![change()])) {
        let _ = Stamped::decode(&bytes);
    }

    #[test]
    fn tables_of_mounts(table in text_like(&[TABLE])) {
        mount_of(Path::new("/srv/a b/c"), &table);
    }
}

const FILE: &[u8] = b"<build><result>SUCCESS</result></build>\n";

fn packed() -> Vec<u8> {
    Packed::of(FILE).unwrap().content
}

fn change() -> Vec<u8> {
    let row = BuildRow { job: "job".into(), number: 7, ..BuildRow::default() };
    let by = Writer { controller_id: "a".into(), incarnation: "1".into() };
    let change = Change::Save { row: Box::new(row), edit: true, by, xml: Some(Packed::of(FILE).unwrap()) };
    Stamped { origin: "origin".into(), position: 3, change }.encode().unwrap()
}
