//! The bytes of a build.xml or config.xml as they are stored: compressed, with a checksum of what they are unpacked.

use sha2::{Digest, Sha256};

use super::row::BuildRow;

/// Compressed bytes, with size and SHA-256 of what they are unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub content: Vec<u8>,
    pub size: usize,
    pub sha256: Vec<u8>,
}

impl Packed {
    /// Packs a file; none if there is no memory for it.
    pub fn of(xml: &[u8]) -> std::io::Result<Self> {
        Ok(Self {
            content: zstd::bulk::compress(xml, zstd::DEFAULT_COMPRESSION_LEVEL)?,
            size: xml.len(),
            sha256: Sha256::digest(xml).to_vec(),
        })
    }

    /// The bytes as they were; else why they are not.
    pub fn unpack(content: &[u8], size: usize, sha256: &[u8]) -> Result<Vec<u8>, &'static str> {
        if size > BuildRow::MAX_XML {
            return Err("its size is wrong");
        }
        let xml = zstd::bulk::decompress(content, size).map_err(|_| "it cannot be unpacked")?;
        if xml.len() != size || Sha256::digest(&xml).as_slice() != sha256 {
            return Err("its checksum is wrong");
        }
        Ok(xml)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_byte_for_byte_or_not_at_all() {
        let xml = "<build>ä</build>\r\n\0".repeat(100).into_bytes();
        let packed = Packed::of(&xml).unwrap();
        assert!(packed.content.len() < xml.len());
        assert_eq!(Packed::unpack(&packed.content, packed.size, &packed.sha256).unwrap(), xml);
        assert!(Packed::unpack(&packed.content[1..], packed.size, &packed.sha256).is_err());
        assert!(Packed::unpack(&packed.content, packed.size - 1, &packed.sha256).is_err());
        assert!(Packed::unpack(&packed.content, packed.size, &[0; 32]).is_err());
        assert!(Packed::unpack(&packed.content, usize::MAX, &packed.sha256).is_err());
        let empty = Packed::of(b"").unwrap();
        assert_eq!(Packed::unpack(&empty.content, 0, &empty.sha256).unwrap(), b"");
    }
}
