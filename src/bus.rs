//! What controllers tell each other.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::answers::{Asked, Words};
use crate::formats::Kind;
use crate::node::Node;
use crate::redis::{bytes, script};
use crate::{Error, Item, LinkState, Result};

/// Something that happened in the cluster, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// All live items; replaces everything known. Comes after joining and after any gap in what was received.
    Snapshot(Vec<Item>),
    /// An item changed; the payload is there when it was just queued or folded into. Skip it when a newer version is known.
    Item(Item),
    /// Another controller told all.
    Announcement {
        /// Id of the controller that told.
        from: String,
        /// What it is about.
        topic: String,
        /// Whom it is about: a job's full name, or "".
        subject: String,
        /// A build number, or 0.
        number: i64,
        /// The rest, as the topic has it.
        body: Vec<u8>,
    },
    /// Another controller asks this one; answer with [`crate::Controller::answer`]. Delivered at least once, answered once.
    Command {
        /// Id of the controller that asks.
        from: String,
        /// What it asks for.
        topic: String,
        /// The rest, as the topic has it.
        body: Vec<u8>,
        /// What to answer to.
        request_id: String,
    },
    /// This controller's own standing changed.
    Link(LinkState),
    /// The item's controller died while it was starting or running, and it falls to this controller to decide.
    Orphaned(Item),
    /// A controller joined, left or died.
    Members,
}

/// Events on their way to the caller.
#[derive(Default)]
pub(crate) struct Events {
    queue: Mutex<VecDeque<Event>>,
    changed: Condvar,
}

impl Events {
    /// With more than this waiting, the reader pauses; what it misses meanwhile ends in a snapshot.
    const MOST: usize = 20_000;

    pub fn push(&self, events: Vec<Event>) {
        self.queue.lock().extend(events);
        self.changed.notify_all();
    }

    /// Waits for the next event, none after `timeout` or when `closed`, and delivers it; where that fails it stays the next one.
    pub fn next_into<T, E>(
        &self,
        timeout: Duration,
        closed: impl Fn() -> bool,
        deliver: impl FnOnce(&Event) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let mut undelivered = Undelivered { events: self, event: Some(self.next(timeout, closed)?) };
        let made = undelivered.event.as_ref().map(deliver)?;
        if made.is_ok() {
            undelivered.event = None;
        }
        Some(made)
    }

    fn next(&self, timeout: Duration, closed: impl Fn() -> bool) -> Option<Event> {
        let deadline = Instant::now() + timeout;
        let mut queue = self.queue.lock();
        loop {
            if let Some(event) = queue.pop_front() {
                if queue.len() == Self::MOST / 2 {
                    self.changed.notify_all();
                }
                return Some(event);
            }
            if closed() || self.changed.wait_until(&mut queue, deadline).timed_out() {
                return None;
            }
        }
    }

    /// Waits while too much waits already.
    pub fn await_room(&self, closed: impl Fn() -> bool) {
        let mut queue = self.queue.lock();
        if queue.len() > Self::MOST {
            while queue.len() > Self::MOST / 2 && !closed() {
                self.changed.wait_for(&mut queue, Duration::from_secs(1));
            }
        }
    }

    pub fn nudge(&self) {
        drop(self.queue.lock());
        self.changed.notify_all();
    }
}

/// An event until the caller has it, also if its delivery panics.
struct Undelivered<'a> {
    events: &'a Events,
    event: Option<Event>,
}

impl Drop for Undelivered<'_> {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.events.queue.lock().push_front(event);
        }
    }
}

/// Commands to this controller that it has not answered yet.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    /// By request id: who asked, the inbox entry before the command, and the format of the command.
    commands: HashMap<String, (String, String, u32)>,
    /// The entries before the unanswered commands, in order.
    before: BTreeMap<StreamId, String>,
    /// The last entry read.
    read: String,
}

type StreamId = (u64, u64);

impl Inbox {
    /// Notes a command read at `entry`; false if it is known already.
    pub fn command(&self, request_id: &str, from: &str, before: &str, format: u32) -> bool {
        let mut pending = self.0.lock();
        if pending.commands.contains_key(request_id) {
            return false;
        }
        pending.commands.insert(request_id.to_owned(), (from.to_owned(), before.to_owned(), format));
        pending.before.insert(stream_id(before), request_id.to_owned());
        true
    }

    pub fn read(&self, entry: &str) {
        self.0.lock().read = entry.to_owned();
    }

    pub fn last_read(&self) -> String {
        self.0.lock().read.clone()
    }

    /// Who asked, and in which format.
    pub fn asker(&self, request_id: &str) -> Option<(String, u32)> {
        self.0.lock().commands.get(request_id).map(|(from, _, format)| (from.clone(), *format))
    }

    /// Up to where all would be answered once `request_id` is.
    pub fn cursor_without(&self, request_id: &str) -> String {
        let pending = self.0.lock();
        let first = pending.before.iter().find(|(_, id)| *id != request_id);
        match first {
            Some(((ms, seq), _)) => format!("{ms}-{seq}"),
            None => pending.read.clone(),
        }
    }

    pub fn answered(&self, request_id: &str) {
        let mut pending = self.0.lock();
        if let Some((_, before, _)) = pending.commands.remove(request_id) {
            pending.before.remove(&stream_id(&before));
        }
    }
}

/// A stream entry's id, in its order.
pub(crate) fn stream_id(id: &str) -> StreamId {
    let (ms, seq) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or(0), seq.parse().unwrap_or(0))
}

/// What came back to a command; the error says in words why it was not read.
pub(crate) type Answer = Result<Vec<u8>>;

/// Replies that somebody waits for.
#[derive(Default)]
pub(crate) struct Replies {
    awaited: Mutex<HashMap<String, Option<Answer>>>,
    changed: Condvar,
}

impl Replies {
    pub fn arrived(&self, request_id: &str, answer: Answer) {
        if let Some(slot) = self.awaited.lock().get_mut(request_id) {
            *slot = Some(answer);
            self.changed.notify_all();
        }
    }

    pub fn nudge(&self) {
        drop(self.awaited.lock());
        self.changed.notify_all();
    }

    fn wait(&self, request_id: &str, deadline: Instant, closed: impl Fn() -> bool) -> Option<Answer> {
        let mut awaited = self.awaited.lock();
        loop {
            if let Some(answer) = awaited.get(request_id).cloned().flatten() {
                return Some(answer);
            }
            if closed() || self.changed.wait_until(&mut awaited, deadline).timed_out() {
                return awaited.get(request_id).cloned().flatten();
            }
        }
    }
}

const LARGEST: usize = 1 << 20;

impl Node {
    /// See [`crate::Controller::announce`].
    pub fn announce(&self, topic: &str, subject: &str, number: i64, body: &[u8]) -> Result<()> {
        self.link.membership()?;
        small(body)?;
        let stamp = self.stamps.next(self.redis_clock_ms(), self.format(Kind::Announcement));
        let mut cmd = script::announce.call(&self.keys.meta);
        cmd.arg(self.me()).arg(topic).arg(subject).arg(number).arg(body).arg(&stamp).arg(
            self.seal.of(&announcement(
                self.me(),
                topic,
                subject,
                number.to_string().as_bytes(),
                body,
                &stamp,
            )),
        );
        self.pool.run(&script::announce, &cmd).map(|_| ())
    }

    /// See [`crate::Controller::ask`].
    pub fn ask(
        &self,
        to: &str,
        topic: &str,
        body: &[u8],
        request_id: &str,
        timeout: Duration,
    ) -> Result<Vec<u8>> {
        self.link.membership()?;
        small(body)?;
        if request_id.is_empty() || request_id.len() > 200 {
            return Err(Error::Invalid("A request id has 1 to 200 bytes".into()));
        }
        let deadline = Instant::now() + timeout;
        let stamp = self.stamps.next(self.redis_clock_ms(), self.format(Kind::Command));
        let mut cmd = script::ask.call(&self.keys.meta);
        cmd.arg(to)
            .arg(self.me())
            .arg(topic)
            .arg(request_id)
            .arg(body)
            .arg(&stamp)
            .arg(self.seal.of(&command(self.me(), to, topic, request_id, body, &stamp)));
        self.replies.awaited.lock().insert(request_id.to_owned(), None);
        let result = self.pool.run(&script::ask, &cmd).and_then(|answer| {
            let done = answer.get(1).and_then(bytes);
            match Asked::of(&answer)? {
                Asked::Done => Ok(done.and_then(|sealed| self.reply_of(request_id, sealed))),
                Asked::Waits => Ok(self.replies.wait(request_id, deadline, || self.link.closed())),
                Asked::NotFound => {
                    Err(Error::NotFound(format!("There is no controller {to} in the cluster")))
                }
            }
        });
        self.replies.awaited.lock().remove(request_id);
        match result? {
            Some(answer) => answer,
            None if self.link.closed() => Err(Error::Closed),
            None => Err(Error::Unavailable(format!(
                "Controller {to} did not answer {topic:?} within {} ms: repeat it, or look at whether it is alive",
                timeout.as_millis()
            ))),
        }
    }

    /// See [`crate::Controller::answer`].
    pub fn answer(&self, request_id: &str, body: &[u8]) -> Result<()> {
        self.link.membership()?;
        small(body)?;
        let Some((asker, format)) = self.inbox.asker(request_id) else {
            return Err(Error::NotFound(format!("There is no unanswered command {request_id}")));
        };
        // Who asks in an older format reads no newer one.
        let sealed = self.seal.wrap(&reply(request_id), body, self.format(Kind::Reply).min(format));
        self.send_answer(&asker, request_id, &sealed)?;
        self.inbox.answered(request_id);
        Ok(())
    }

    /// Sends a sealed answer, unless there is one already: then that is sent again.
    pub fn send_answer(&self, asker: &str, request_id: &str, sealed: &[u8]) -> Result<()> {
        let mut cmd = script::answer.call(&self.keys.meta);
        cmd.arg(self.me()).arg(asker).arg(request_id).arg(sealed).arg(self.inbox.cursor_without(request_id));
        self.pool.run(&script::answer, &cmd).map(|_| ())
    }

    /// Answers a command of a format that this controller does not know: in words, for whoever asked.
    pub fn refuse(&self, asker: &str, request_id: &str, topic: &str) -> Result<()> {
        let words = format!(
            "The controller {} has an older version of HA Jenkins, which does not know this form of {topic:?}: nothing was done; \
             install the newer version there, too",
            self.settings.name
        );
        // In the first format, which all versions read.
        let sealed = self.seal.wrap(&refusal(request_id), words.as_bytes(), 1);
        self.send_answer(asker, request_id, &sealed)
    }

    /// What a sealed reply says; none if the seal does not hold.
    pub fn reply_of(&self, request_id: &str, sealed: &[u8]) -> Option<Answer> {
        if let Some((body, format)) = self.seal.open(&reply(request_id), sealed) {
            return Some(if self.knows(Kind::Reply, "", format) {
                Ok(body.to_vec())
            } else {
                Err(Error::Refused(
                    "The answer is of a newer version of HA Jenkins than this controller has: install that here, too".into(),
                ))
            });
        }
        if let Some((words, _)) = self.seal.open(&refusal(request_id), sealed) {
            return Some(Err(Error::Refused(String::from_utf8_lossy(words).into_owned())));
        }
        log::warn!("Dropped a reply without the cluster's seal: look at who can write to Redis");
        None
    }
}

/// What the seal of an announcement covers.
pub(crate) fn announcement<'a>(
    from: &'a str,
    topic: &'a str,
    subject: &'a str,
    number: &'a [u8],
    body: &'a [u8],
    stamp: &'a str,
) -> [&'a [u8]; 7] {
    [b"announcement", from.as_bytes(), topic.as_bytes(), subject.as_bytes(), number, body, stamp.as_bytes()]
}

/// What the seal of a command covers.
pub(crate) fn command<'a>(
    from: &'a str,
    to: &'a str,
    topic: &'a str,
    request_id: &'a str,
    body: &'a [u8],
    stamp: &'a str,
) -> [&'a [u8]; 7] {
    [
        b"command",
        from.as_bytes(),
        to.as_bytes(),
        topic.as_bytes(),
        request_id.as_bytes(),
        body,
        stamp.as_bytes(),
    ]
}

fn reply(request_id: &str) -> [&[u8]; 2] {
    [b"reply", request_id.as_bytes()]
}

fn refusal(request_id: &str) -> [&[u8]; 2] {
    [b"refusal", request_id.as_bytes()]
}

fn small(body: &[u8]) -> Result<()> {
    if body.len() > LARGEST {
        return Err(Error::Invalid(format!(
            "A message can have {LARGEST} bytes at the most, not {}",
            body.len()
        )));
    }
    Ok(())
}
