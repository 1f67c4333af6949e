//! Seals: whoever can write to Redis must not be able to make a controller act on bytes of their choice.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::SealKey;
use crate::formats::UNKNOWN;

/// Makes and checks seals (HMAC-SHA256) with the cluster's key.
#[derive(Clone)]
pub(crate) struct Seal {
    keyed: Hmac<Sha256>,
}

/// Length of a seal, bytes.
const LENGTH: usize = 32;
/// Stands before the format of a sealed text.
const MARK: &[u8] = b"ha-jenkins format ";

impl Seal {
    pub fn new(key: &SealKey) -> Self {
        // HMAC pads a short key with zeros to the block's length.
        let mut block = [0; 64];
        block[..32].copy_from_slice(key.bytes());
        Self { keyed: Hmac::new(&block.into()) }
    }

    /// The seal of an item's payload.
    pub fn payload(&self, id: i64, job: &str, payload: &[u8]) -> Vec<u8> {
        self.of(&[b"item", id.to_string().as_bytes(), job.as_bytes(), payload])
    }

    /// Whether a payload is as the enqueuer left it.
    pub fn payload_holds(&self, id: i64, job: &str, payload: &[u8], seal: &[u8]) -> bool {
        self.holds(&[b"item", id.to_string().as_bytes(), job.as_bytes(), payload], seal)
    }

    /// The seal of `parts`; each counts with its length, so that none can flow into the next.
    pub fn of(&self, parts: &[&[u8]]) -> Vec<u8> {
        self.over(parts).finalize().into_bytes().to_vec()
    }

    /// Whether `seal` is that of `parts`, in constant time.
    pub fn holds(&self, parts: &[&[u8]], seal: &[u8]) -> bool {
        self.over(parts).verify_slice(seal).is_ok()
    }

    /// A text with its seal before it; `about` says what it is, and counts as in [`Seal::of`]. A format other than 1 stands before
    /// the seal, which covers it.
    pub fn wrap(&self, about: &[&[u8]], body: &[u8], format: u32) -> Vec<u8> {
        if format == 1 {
            return [self.of(&[about, &[body]].concat()), body.to_vec()].concat();
        }
        let format = format.to_string();
        let seal = self.of(&[about, &[MARK, format.as_bytes(), body]].concat());
        [MARK, format.as_bytes(), b"\n", seal.as_slice(), body].concat()
    }

    /// What [`Seal::wrap`] made, and its format; none when it is without the cluster's seal, or is about something else.
    pub fn open<'a>(&self, about: &[&[u8]], sealed: &'a [u8]) -> Option<(&'a [u8], u32)> {
        if let Some(rest) = sealed.strip_prefix(MARK)
            && let Some(end) = rest.iter().position(|byte| *byte == b'\n')
            && let Some((seal, body)) = rest[end + 1..].split_at_checked(LENGTH)
            && self.holds(&[about, &[MARK, &rest[..end], body]].concat(), seal)
        {
            let format = std::str::from_utf8(&rest[..end]).ok().and_then(|format| format.parse().ok());
            return Some((body, format.unwrap_or(UNKNOWN)));
        }
        let (seal, body) = sealed.split_at_checked(LENGTH)?;
        self.holds(&[about, &[body]].concat(), seal).then_some((body, 1))
    }

    /// Tells clusters with other secrets apart, without telling the key.
    pub fn keycheck(&self, cluster: &str) -> String {
        self.of(&[b"keycheck", cluster.as_bytes()]).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seal_holds_for_the_same_bytes_only() {
        let seal = Seal::new(&SealKey::new([1; 32]));
        let mac = seal.payload(7, "a", b"x");
        assert_eq!(mac.len(), LENGTH);
        assert!(seal.payload_holds(7, "a", b"x", &mac));
        assert!(!seal.payload_holds(8, "a", b"x", &mac));
        assert!(!seal.payload_holds(7, "ax", b"", &mac));
        assert!(!seal.payload_holds(7, "a", b"x", b""));
        assert!(!Seal::new(&SealKey::new([2; 32])).payload_holds(7, "a", b"x", &mac));
    }

    #[test]
    fn what_is_wrapped_opens_for_the_same_key_and_matter_only() {
        let seal = Seal::new(&SealKey::new([1; 32]));
        let sealed = seal.wrap(&[b"a", b"b"], b"text", 1);
        assert_eq!(seal.open(&[b"a", b"b"], &sealed), Some((b"text".as_slice(), 1)));
        assert_eq!(seal.open(&[b"a", b"c"], &sealed), None);
        assert_eq!(seal.open(&[b"a", b"b"], &sealed[..LENGTH - 1]), None);
        assert_eq!(Seal::new(&SealKey::new([2; 32])).open(&[b"a", b"b"], &sealed), None);
        assert_eq!(seal.open(&[b"a", b"b"], &seal.wrap(&[b"a", b"b"], b"", 1)), Some((b"".as_slice(), 1)));
        let newer = seal.wrap(&[b"a"], b"text", 2);
        assert_eq!(seal.open(&[b"a"], &newer), Some((b"text".as_slice(), 2)));
        assert_eq!(seal.open(&[b"b"], &newer), None);
        let forged = String::from_utf8_lossy(&newer[..18]).into_owned() + "3";
        assert_eq!(seal.open(&[b"a"], &[forged.as_bytes(), &newer[19..]].concat()), None);
    }
}
