//! What the database could not take yet, on this controller's own disk.
//!
//! A change that is stored twice does no harm: it carries its place.

use std::io;

use serde::{Deserialize, Serialize};

use super::changes::{Change, Stamped};
use super::packed::Packed;
use crate::journal::{Journal, Record, joined, parted};

/// The outbox of one controller.
pub(super) type Outbox = Journal<Stamped>;

/// A change without the bytes that follow it.
#[derive(Serialize, Deserialize)]
struct Head {
    origin: String,
    position: u64,
    change: Change,
    /// Size and checksum of the XML that follows.
    xml: Option<(usize, Vec<u8>)>,
}

impl Record for Stamped {
    fn encode(&self) -> io::Result<Vec<u8>> {
        let xml = match &self.change {
            Change::Save { xml, .. } => xml.as_ref(),
            _ => None,
        };
        let head = Head {
            origin: self.origin.clone(),
            position: self.position,
            change: self.change.clone(),
            xml: xml.map(|xml| (xml.size, xml.sha256.clone())),
        };
        joined(&head, xml.map(|xml| xml.content.as_slice()).unwrap_or_default())
    }

    fn decode(bytes: &[u8]) -> io::Result<Self> {
        let (mut head, content): (Head, _) = parted(bytes)?;
        if let (Change::Save { xml, .. }, Some((size, sha256))) = (&mut head.change, head.xml) {
            *xml = Some(Packed { content: content.to_vec(), size, sha256 });
        }
        Ok(Self { origin: head.origin, position: head.position, change: head.change })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::changes::Writer;
    use crate::records::row::BuildRow;

    #[test]
    fn a_change_is_read_as_it_was_written() {
        let row =
            BuildRow { job: "job ä".into(), number: 7, description: "x".repeat(50), ..BuildRow::default() };
        let saved = Stamped {
            origin: "origin".into(),
            position: 3,
            change: Change::Save {
                row: Box::new(row),
                edit: true,
                by: Writer { controller_id: "a".into(), incarnation: "1".into() },
                xml: Some(Packed::of(b"<xml/>").unwrap()),
            },
        };
        assert_eq!(Stamped::decode(&saved.encode().unwrap()).unwrap(), saved);
    }
}
