//! Queue ids, from blocks leased ahead so that giving one out never touches the network.

use parking_lot::Mutex;

/// Ids in a block.
pub(crate) const BLOCK: i64 = 256;
/// Ids from here on were made up without Redis. They fit into a double, as JavaScript wants it.
pub(crate) const EMERGENCY: i64 = 1 << 52;

/// Leased queue ids.
pub(crate) struct Ids(Mutex<Blocks>);

struct Blocks {
    /// The next id and the last one of the block in use.
    next: i64,
    last: i64,
    /// The block after it.
    spare: Option<(i64, i64)>,
    /// Ids up to it are taken.
    floor: i64,
    /// The highest id ever leased: a wiped Redis must not give out again what it gave out before.
    highest: i64,
    emergency: i64,
}

impl Ids {
    pub fn new() -> Self {
        // Two controllers without Redis must not make up the same id: each starts somewhere in 2^51 of them.
        let mut random = [0; 8];
        let _ = getrandom::fill(&mut random);
        let emergency = EMERGENCY + (i64::from_be_bytes(random) & ((1 << 51) - 1));
        Self(Mutex::new(Blocks { next: 1, last: 0, spare: None, floor: 0, highest: 0, emergency }))
    }

    /// An id, and whether a block should be leased soon.
    pub fn next(&self) -> (i64, bool) {
        let mut blocks = self.0.lock();
        if blocks.next > blocks.last
            && let Some((next, last)) = blocks.spare.take()
        {
            (blocks.next, blocks.last) = (next, last);
        }
        if blocks.next > blocks.last {
            blocks.emergency += 1;
            return (blocks.emergency, true);
        }
        let id = blocks.next;
        blocks.next += 1;
        (id, blocks.wants())
    }

    /// Ids up to `floor` are taken.
    pub fn raise(&self, floor: i64) {
        if floor >= EMERGENCY {
            return;
        }
        let mut blocks = self.0.lock();
        blocks.floor = blocks.floor.max(floor);
        blocks.next = blocks.next.max(blocks.floor + 1);
        let floor = blocks.floor;
        blocks.spare =
            blocks.spare.map(|(next, last)| (next.max(floor + 1), last)).filter(|(next, last)| next <= last);
    }

    /// The floor to lease above, if a block is wanted.
    pub fn wanted(&self) -> Option<i64> {
        let blocks = self.0.lock();
        blocks.wants().then_some(blocks.floor.max(blocks.highest))
    }

    /// The highest id known to be taken.
    pub fn highest(&self) -> i64 {
        let blocks = self.0.lock();
        blocks.floor.max(blocks.highest)
    }

    /// A block was leased: the [`BLOCK`] ids up to `last`.
    pub fn leased(&self, last: i64) {
        if !(BLOCK..EMERGENCY).contains(&last) {
            log::error!(
                "Redis counts queue ids up to {last}, which nobody gave: look at who can write to Redis. Ids that need no \
                 counter are given"
            );
            return;
        }
        let mut blocks = self.0.lock();
        let next = (last - BLOCK + 1).max(blocks.floor + 1);
        blocks.highest = blocks.highest.max(last);
        if next > last {
            return;
        }
        if blocks.next > blocks.last {
            (blocks.next, blocks.last) = (next, last);
        } else {
            blocks.spare = Some((next, last));
        }
    }
}

impl Blocks {
    fn wants(&self) -> bool {
        self.spare.is_none() && self.last - self.next + 1 < BLOCK / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_blocks_above_the_floor() {
        let ids = Ids::new();
        assert!(ids.next().0 > EMERGENCY);
        ids.raise(100);
        ids.raise(EMERGENCY + 5);
        assert_eq!(ids.wanted(), Some(100));
        ids.leased(256);
        assert_eq!(ids.next(), (101, false));
        ids.raise(200);
        assert_eq!(ids.next(), (201, true));
        assert_eq!(ids.wanted(), Some(256));
        ids.leased(512);
        assert_eq!(ids.wanted(), None);
        ids.raise(300);
        assert_eq!(ids.next(), (301, false));
    }
}
