//! Bytes as somebody else could leave them where the library reads: real ones, damaged; and how often a test tries them.
//!
//! `make fuzz` tries many, from another seed each time. Without it a few are tried, the same each time. What failed once is in
//! `tests/corpus` and is tried first.
#![allow(dead_code)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

/// What readers of numbers, lines and lengths stumble over.
const TOKENS: [&[u8]; 17] = [
    b"",
    b"0",
    b"-1",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9007199254740993",
    b"18446744073709551616",
    b"1e308",
    b"nan",
    b"\n",
    b"\t",
    b":",
    b"=",
    b"\0",
    b"\xff\xfe",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    "\u{202e}\u{1f600}".as_bytes(),
];

/// One change of some bytes; where is a part of 65536 of their length.
#[derive(Debug, Clone)]
pub enum Damage {
    /// A bit is another one.
    Flip(u16, u8),
    /// Nothing comes after this.
    Cut(u16),
    /// So many are missing.
    Drop(u16, u16),
    /// So many are there twice.
    Twice(u16, u16),
    /// Something else is between them.
    Insert(u16, usize),
    /// Something else stands in the place of the word that is there.
    Word(u16, usize),
    /// All of it is something else.
    Anything(Vec<u8>),
}

impl Damage {
    pub fn to(&self, bytes: &[u8]) -> Vec<u8> {
        let at = |part: u16| usize::from(part) * bytes.len() / 65536;
        let span = |part: u16, long: u16| {
            let from = at(part);
            from..bytes.len().min(from + usize::from(long))
        };
        match self {
            Self::Flip(part, bit) => {
                let mut changed = bytes.to_vec();
                if let Some(byte) = changed.get_mut(at(*part)) {
                    *byte ^= 1 << (bit % 8);
                }
                changed
            }
            Self::Cut(part) => bytes[..at(*part)].to_vec(),
            Self::Drop(part, long) => {
                let span = span(*part, *long);
                [&bytes[..span.start], &bytes[span.end..]].concat()
            }
            Self::Twice(part, long) => {
                let span = span(*part, *long);
                [&bytes[..span.end], &bytes[span.start..]].concat()
            }
            Self::Insert(part, token) => {
                [&bytes[..at(*part)], TOKENS[token % TOKENS.len()], &bytes[at(*part)..]].concat()
            }
            Self::Word(part, token) => {
                let parts = |byte: &u8| byte.is_ascii_whitespace() || b":=,-\0\"".contains(byte);
                let from = bytes[..at(*part)].iter().rposition(parts).map_or(0, |at| at + 1);
                let to = bytes[from..].iter().position(parts).map_or(bytes.len(), |long| from + long);
                [&bytes[..from], TOKENS[token % TOKENS.len()], &bytes[to..]].concat()
            }
            Self::Anything(other) => other.clone(),
        }
    }
}

pub fn damage() -> impl Strategy<Value = Damage> {
    let part = any::<u16>;
    prop_oneof![
        2 => (part(), any::<u8>()).prop_map(|(part, bit)| Damage::Flip(part, bit)),
        1 => part().prop_map(Damage::Cut),
        1 => (part(), 1..40u16).prop_map(|(part, long)| Damage::Drop(part, long)),
        1 => (part(), 1..40u16).prop_map(|(part, long)| Damage::Twice(part, long)),
        2 => (part(), any::<usize>()).prop_map(|(part, token)| Damage::Insert(part, token)),
        4 => (part(), any::<usize>()).prop_map(|(part, token)| Damage::Word(part, token)),
        1 => vec(any::<u8>(), 0..64).prop_map(Damage::Anything),
    ]
}

/// One of the samples, damaged in a few places, or whole.
pub fn bytes_like(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (0..samples.len(), vec(damage(), 0..6)).prop_map(move |(which, damages)| {
        damages.iter().fold(samples[which].clone(), |bytes, damage| damage.to(&bytes))
    })
}

/// As [`bytes_like`], as a text.
pub fn text_like(samples: &[&str]) -> impl Strategy<Value = String> {
    let samples = samples.iter().map(|sample| sample.as_bytes().to_vec()).collect();
    bytes_like(samples).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// So many cases, or `HA_FUZZ_TIMES` times as many; failures are kept in this file of `tests/corpus`.
pub fn cases(few: u32, corpus: &'static str) -> ProptestConfig {
    let times: Option<u32> = std::env::var("HA_FUZZ_TIMES").ok().and_then(|times| times.parse().ok());
    ProptestConfig {
        cases: few.saturating_mul(times.unwrap_or(1)),
        max_shrink_iters: 200,
        rng_seed: if times.is_some() { RngSeed::Random } else { RngSeed::Fixed(20_260_101) },
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(corpus))),
        ..ProptestConfig::default()
    }
}
