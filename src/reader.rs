//! The thread that reads what happened in the cluster, and this controller's inbox.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ::redis::{Value, cmd, pipe};

use crate::bus::{announcement, command};
use crate::formats::Kind;
use crate::members::Membership;
use crate::node::Node;
use crate::packed::Packed;
use crate::queue::FORGED;
use crate::redis::{CALL_TIMEOUT, Fault, Wire, array, bytes, number, script, text, unavailable};
use crate::stamp::{FRESH_MS, Heard, Stamp};
use crate::{Event, Item, ItemState, Result};

const BLOCK: Duration = Duration::from_secs(10);
const BATCH: usize = 500;
const REPEATED: &str = "sent twice over a broken connection, or by somebody else who can write to Redis";
const PAUSE: Duration = Duration::from_millis(200);
/// Events rarely come alone. To be woken for each would cost Redis and every controller more than the events themselves.
const GATHER: Duration = Duration::from_millis(5);
/// So many controllers read at that pace; more read more slowly, so that together they cost Redis no more.
const AT_PACE: usize = 4;
const MOST_GATHER: u32 = 8;

/// State of the reader thread.
pub(crate) struct Reader<'a> {
    node: &'a Node,
    wire: Option<Wire>,
    /// The membership for which the last snapshot was taken, 0 when one is due.
    session: u64,
    /// Last event read, and its number.
    seen: String,
    number: i64,
    /// When, by Redis' clock, all that was announced had last been read, ms.
    caught_up: i64,
    announcements: Heard,
    commands: Heard,
}

/// An entry of a stream.
struct Entry {
    id: String,
    fields: HashMap<String, Value>,
}

impl<'a> Reader<'a> {
    pub fn new(node: &'a Node) -> Self {
        Self {
            node,
            wire: None,
            session: 0,
            seen: String::new(),
            number: 0,
            caught_up: 0,
            announcements: Heard::default(),
            commands: Heard::default(),
        }
    }

    /// Runs until the controller is closed.
    pub fn run(&mut self) {
        let node = self.node;
        while !node.link.closed() {
            node.reader.beat();
            if !node.link.await_joined(BLOCK, || false) {
                continue;
            }
            let Ok(membership) = node.link.membership() else { continue };
            node.events.await_room(|| {
                node.reader.beat();
                node.link.closed()
            });
            match self.read(membership) {
                Ok(()) => std::thread::sleep(gather(node.members.load(Ordering::Relaxed))),
                Err(error) => {
                    self.wire = None;
                    if !node.link.closed()
                        && node.link.membership() == Ok(membership)
                        && !node.reread.load(Ordering::SeqCst)
                    {
                        log::debug!("Reading of events broke off: {error}");
                        std::thread::sleep(PAUSE);
                    }
                }
            }
        }
    }

    fn read(&mut self, membership: Membership) -> Result<()> {
        let node = self.node;
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => self.connect(membership)?,
        };
        if node.reread.swap(false, Ordering::SeqCst) {
            self.session = 0;
        }
        if self.session != membership.session {
            self.snapshot(&mut wire, membership)?;
            self.session = membership.session;
        }
        let (began, mut whole) = (node.redis_clock_ms(), true);
        let mut cmd = cmd("XREAD");
        let inbox = node.keys.inbox(node.me());
        cmd.arg("COUNT").arg(BATCH).arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("STREAMS");
        cmd.arg(&node.keys.events).arg(&inbox).arg(&self.seen).arg(node.inbox.last_read());
        let answer =
            wire.call(&cmd, Instant::now() + BLOCK + CALL_TIMEOUT).map_err(|fault| node.explain(&fault))?;
        for stream in array(answer) {
            let mut parts = array(stream).into_iter();
            let name = parts.next().as_ref().map(text).unwrap_or_default();
            let entries: Vec<Entry> =
                array(parts.next().unwrap_or_default()).into_iter().filter_map(Entry::of).collect();
            if name == inbox {
                self.inbox(&mut wire, entries)?;
            } else {
                whole = entries.len() < BATCH;
                self.events(&mut wire, entries, membership)?;
            }
        }
        if whole {
            self.caught_up = began;
        }
        self.wire = Some(wire);
        Ok(())
    }

    fn connect(&mut self, membership: Membership) -> Result<Wire> {
        let node = self.node;
        let explain = |fault: Fault| node.explain(&fault);
        let mut wire = node.connect("reader", CALL_TIMEOUT).map_err(explain)?;
        node.reader_kill.arm(&wire, membership.session);
        if node.inbox.last_read().is_empty() {
            let cursor = cmd("GET").arg(node.keys.cursor(node.me())).to_owned();
            let cursor = text(&wire.call(&cursor, Instant::now() + CALL_TIMEOUT).map_err(explain)?);
            node.inbox.read(if cursor.is_empty() { "0-0" } else { &cursor });
        }
        Ok(wire)
    }

    /// Lists all that lives. The events that come while its pages are read only repeat what they show.
    fn snapshot(&mut self, wire: &mut Wire, membership: Membership) -> Result<()> {
        let node = self.node;
        if self.seen.is_empty() {
            // Nothing of the time before is read.
            self.caught_up = node.redis_clock_ms();
        }
        let mut items: Vec<Item> = Vec::new();
        let mut gone = node.memory.live();
        let mut events = Vec::new();
        let mut after = "0".to_owned();
        let mut position = None;
        while !after.is_empty() {
            node.reader.beat();
            let mut cmd = script::items.call(&node.keys.meta);
            cmd.arg(&after).arg(1);
            let answer = wire.script(&script::items, &cmd, Instant::now() + 5 * CALL_TIMEOUT);
            let answer = array(answer.map_err(|fault| node.explain(&fault))?);
            let generation = answer.get(3).map(text).unwrap_or_default();
            if generation != node.vetted.generation() {
                node.chores.want(|wanted| wanted.beat = true);
                return Err(unavailable(&node.address, "it was wiped"));
            }
            let page = answer.get(4..).unwrap_or_default();
            position.get_or_insert_with(|| {
                (answer.first().map(text).unwrap_or_default(), answer.get(1).map(number).unwrap_or(0))
            });
            after = answer.get(2).map(text).unwrap_or_default();
            for triple in page.chunks_exact(3) {
                self.look_for_forgery(triple);
                if let Some(packed) = Packed::read(&text(&triple[0]), node.link.clock_offset()) {
                    events.extend(self.orphaned(&packed, membership));
                }
            }
            items.extend(node.items_of(page));
        }
        let position = position.unwrap_or_default();
        // Items are told as they are now; what was announced while this controller was away would be told by nobody.
        let announced = self.announced(wire, &position.0)?;
        (self.seen, self.number) = position;
        for item in &items {
            gone.remove(&item.id);
        }
        gone.into_iter().for_each(|id| node.memory.gone(id));
        node.memory.read(self.number);
        let mut told = vec![Event::Snapshot(items)];
        told.extend(announced);
        told.extend(events);
        node.events.push(told);
        Ok(())
    }

    /// What others announced after what was read last, up to `until`; nothing after a start.
    fn announced(&self, wire: &mut Wire, until: &str) -> Result<Vec<Event>> {
        let node = self.node;
        let mut announced = Vec::new();
        let mut after = self.seen.clone();
        while !after.is_empty() && !until.is_empty() {
            let mut cmd = cmd("XRANGE");
            cmd.arg(&node.keys.events).arg(format!("({after}")).arg(until).arg("COUNT").arg(BATCH);
            let answer =
                wire.call(&cmd, Instant::now() + CALL_TIMEOUT).map_err(|fault| node.explain(&fault))?;
            let entries: Vec<Entry> = array(answer).into_iter().filter_map(Entry::of).collect();
            after = entries.last().map(|entry| entry.id.clone()).unwrap_or_default();
            let announcements = entries.iter().filter(|entry| entry.text("k") == "a");
            announced.extend(announcements.filter_map(|entry| self.announcement(entry)));
        }
        Ok(announced)
    }

    /// The event, where it falls to this controller to decide on the item, and it knows its format.
    fn orphaned(&self, packed: &Packed, membership: Membership) -> Option<Event> {
        let item = &packed.item;
        if item.state != ItemState::Orphaned || !self.is_me(&packed.reaper, membership) {
            return None;
        }
        if !self.node.knows(Kind::Item, "", item.format) {
            self.node.leave_orphan(item.id);
            return None;
        }
        Some(Event::Orphaned(item.clone()))
    }

    fn is_me(&self, reaper: &str, membership: Membership) -> bool {
        reaper.strip_prefix(self.node.me()).and_then(|rest| rest.strip_prefix(':'))
            == Some(membership.epoch.to_string().as_str())
    }

    /// A queued item whose seal is wrong is set aside before anybody claims it.
    fn look_for_forgery(&self, triple: &[Value]) {
        let node = self.node;
        let Some(Packed { item, .. }) = Packed::read(&text(&triple[0]), 0) else { return };
        let (payload, seal) = (bytes(&triple[1]).unwrap_or_default(), bytes(&triple[2]).unwrap_or_default());
        if item.state == ItemState::Queued && !node.seal.payload_holds(item.id, &item.job, payload, seal) {
            // An empty seal means 'by the owner' to the script.
            let seen = if seal.is_empty() { b" ".as_slice() } else { seal };
            if let Err(error) = node.set_aside(item.id, FORGED, seen) {
                log::warn!("{error}");
            }
        }
    }

    fn events(&mut self, wire: &mut Wire, entries: Vec<Entry>, membership: Membership) -> Result<()> {
        let node = self.node;
        let mut events = Vec::with_capacity(entries.len());
        let mut fresh = Vec::new();
        let (mut last, mut seen, mut gap) = (self.number, self.seen.clone(), false);
        for entry in entries {
            let number = entry.number("n");
            gap = last.checked_add(1) != Some(number);
            if gap {
                log::warn!("Event {number} of the cluster came after {last}: reading the whole queue");
                break;
            }
            last = number;
            seen.clone_from(&entry.id);
            match entry.text("k").as_str() {
                kind @ ("q" | "i") => {
                    let Some(packed) = Packed::read(&entry.text("m"), node.link.clock_offset()) else {
                        continue;
                    };
                    node.memory.saw(packed.clone(), None);
                    if kind == "q" {
                        fresh.push((events.len(), packed.item.id));
                    }
                    let orphan = self.orphaned(&packed, membership);
                    events.push(Event::Item(packed.item));
                    events.extend(orphan);
                }
                "a" => events.extend(self.announcement(&entry)),
                "m" => events.push(Event::Members),
                _ => {}
            }
        }
        self.payloads(wire, &mut events, &fresh)?;
        // Only now: what fails before is read again.
        (self.number, self.seen) = (last, seen);
        node.memory.read(last);
        if gap {
            self.session = 0;
        }
        node.events.push(events);
        Ok(())
    }

    /// Fetches what was just queued, in one go.
    fn payloads(&self, wire: &mut Wire, events: &mut [Event], fresh: &[(usize, i64)]) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let node = self.node;
        let mut fetch = pipe();
        for (_, id) in fresh {
            fetch.cmd("HMGET").arg(node.keys.item(*id)).arg("payload").arg("mac").arg("v");
        }
        let answers =
            wire.pipeline(&fetch, Instant::now() + 5 * CALL_TIMEOUT).map_err(|fault| node.explain(&fault))?;
        for ((index, _), answer) in fresh.iter().zip(answers) {
            let found = array(answer);
            let (Some(payload), Some(seal)) = (found.first().and_then(bytes), found.get(1).and_then(bytes))
            else {
                // It has ended already.
                continue;
            };
            if let Some(Event::Item(item)) = events.get_mut(*index) {
                if node.seal.payload_holds(item.id, &item.job, payload, seal) {
                    node.memory.payload(item.id, payload);
                    item.payload = node.knows(Kind::Item, "", item.format).then(|| payload.to_vec());
                    continue;
                }
                // Its job may have another name by now, of which the news is on its way.
                let parts = found.get(2).map(text).unwrap_or_default();
                let now = Packed::read(&format!("{}\n{parts}", item.id), 0);
                let moved = now.is_some_and(|now| {
                    now.item.job != item.job && node.seal.payload_holds(item.id, &now.item.job, payload, seal)
                });
                if !moved && let Err(error) = node.set_aside(item.id, FORGED, seal) {
                    log::debug!("{error}");
                }
            }
        }
        Ok(())
    }

    fn announcement(&self, entry: &Entry) -> Option<Event> {
        let node = self.node;
        let (from, topic, subject) = (entry.text("f"), entry.text("t"), entry.text("s"));
        let body = entry.bytes("b");
        if from == node.me() {
            return None;
        }
        let stamp = entry.text("p");
        let sealed = announcement(&from, &topic, &subject, entry.bytes("x"), body, &stamp);
        if !node.seal.holds(&sealed, entry.bytes("c")) {
            log::warn!("Dropped an announcement without the cluster's seal: look at who can write to Redis");
            return None;
        }
        let oldest = self.caught_up - FRESH_MS;
        let heard = Stamp::of(&stamp).filter(|stamp| self.announcements.first(stamp, &entry.id, oldest));
        let Some(stamp) = heard else {
            log::info!("Dropped an announcement of {from} that was made before: {REPEATED}");
            return None;
        };
        if !node.knows(Kind::Announcement, &topic, stamp.format) {
            return None;
        }
        Some(Event::Announcement { topic, subject, number: entry.number("x"), body: body.to_vec(), from })
    }

    fn inbox(&self, wire: &mut Wire, entries: Vec<Entry>) -> Result<()> {
        let node = self.node;
        for entry in entries {
            let request_id = entry.text("r");
            match entry.text("k").as_str() {
                "r" => {
                    if let Some(answer) = node.reply_of(&request_id, entry.bytes("b")) {
                        node.replies.arrived(&request_id, answer);
                    }
                }
                "c" => {
                    let command = self.command(wire, &entry, request_id)?;
                    node.events.push(command.into_iter().collect());
                }
                _ => {}
            }
            node.inbox.read(&entry.id);
        }
        Ok(())
    }

    fn command(&self, wire: &mut Wire, entry: &Entry, request_id: String) -> Result<Option<Event>> {
        let node = self.node;
        let (from, topic, body, stamp) =
            (entry.text("f"), entry.text("t"), entry.bytes("b"), entry.text("p"));
        if !node.seal.holds(&command(&from, node.me(), &topic, &request_id, body, &stamp), entry.bytes("c")) {
            log::warn!("Dropped a command without the cluster's seal: look at who can write to Redis");
            return Ok(None);
        }
        let oldest = node.redis_clock_ms() - FRESH_MS;
        let Some(stamp) = Stamp::of(&stamp).filter(|stamp| stamp.at >= oldest) else {
            // Nobody waits for its answer any more.
            return Ok(None);
        };
        if !self.commands.first(&stamp, &entry.id, oldest) {
            log::info!("Dropped a command of {from} that was given before: {REPEATED}");
            return Ok(None);
        }
        let done = cmd("GET").arg(node.keys.done(&request_id)).to_owned();
        let done = wire.call(&done, Instant::now() + CALL_TIMEOUT).map_err(|fault| node.explain(&fault))?;
        if let Some(sealed) = bytes(&done) {
            node.send_answer(&from, &request_id, sealed)?;
            return Ok(None);
        }
        if !node.knows(Kind::Command, &topic, stamp.format) {
            node.refuse(&from, &request_id, &topic)?;
            return Ok(None);
        }
        if !node.inbox.command(&request_id, &from, &node.inbox.last_read(), stamp.format) {
            return Ok(None);
        }
        Ok(Some(Event::Command { from, topic, body: body.to_vec(), request_id }))
    }
}

/// How long to let events gather before the next look, among so many members.
fn gather(members: usize) -> Duration {
    GATHER * u32::try_from(members / AT_PACE).unwrap_or(MOST_GATHER).clamp(1, MOST_GATHER)
}

impl Entry {
    fn of(value: Value) -> Option<Self> {
        let mut parts = array(value).into_iter();
        let id = text(&parts.next()?);
        let mut fields = HashMap::new();
        let mut values = array(parts.next()?).into_iter();
        while let (Some(name), Some(value)) = (values.next(), values.next()) {
            fields.insert(text(&name), value);
        }
        Some(Self { id, fields })
    }

    fn text(&self, name: &str) -> String {
        self.fields.get(name).map(text).unwrap_or_default()
    }

    fn bytes(&self, name: &str) -> &[u8] {
        self.fields.get(name).and_then(bytes).unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.fields.get(name).map(number).unwrap_or(0)
    }
}
