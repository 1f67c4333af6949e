//! This controller's membership in a cluster: the one way in.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use ::redis::cmd;
use parking_lot::Mutex;

use crate::admission::{check_cluster, other_secrets};
use crate::heartbeat::Heartbeat;
use crate::lives::Pulse;
use crate::node::Node;
use crate::reader::Reader;
use crate::redis::{Fault, Fitness, array, number, script, text};
use crate::shared_folder::SharedFolder;
use crate::{
    AgentOwner, Cancel, CloudAgent, CloudSlot, Enqueued, Error, Event, Item, KeptSetting, KnownController,
    LaneOffer, LinkState, Member, Milestone, Milestones, Moment, NewItem, Pen, Phase, Result, Settings,
    SharedState, ThreadLife, ToldComputers, Trace, Turn,
};

/// The longest that [`Controller::close`] waits for the threads.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a thread that failed by a defect rests.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// This controller's membership in a cluster.
///
/// Thread-safe. No call blocks for longer than 2 s but those that take a timeout; [`Controller::claim`] and
/// [`Controller::next_event`] wait, and are woken by [`Controller::close`] from any thread. After it every call answers
/// [`Error::Closed`]. While this controller is not joined, calls that need Redis answer [`Error::Unavailable`] or
/// [`Error::Refused`] at once, with the text of [`Controller::link`].
pub struct Controller {
    node: Arc<Node>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Controller {
    /// Starts to join. Returns at once; connecting goes on in the background until it succeeds.
    ///
    /// # Errors
    /// [`Error::Refused`] when the settings cannot be right.
    pub fn open(settings: Settings) -> Result<Self> {
        let node = Arc::new(Node::new(settings)?);
        let controller = Self { node: Arc::clone(&node), threads: Mutex::default() };
        controller.spawn(|node| &node.heartbeat, |node| Heartbeat::new(node).run())?;
        controller.spawn(|node| &node.reader, |node| Reader::new(node).run())?;
        Ok(controller)
    }

    fn spawn(&self, pulse: fn(&Node) -> &Pulse, run: fn(&Node)) -> Result<()> {
        let node = Arc::clone(&self.node);
        let thread = Builder::new()
            .name(pulse(&node).name.into())
            .spawn(move || lasting(&node, pulse(&node), run))
            .map_err(|error| Error::Unavailable(format!("No thread could be started: {error}")))?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// How the library's own threads do. From memory.
    pub fn threads(&self) -> Vec<ThreadLife> {
        vec![self.node.heartbeat.life(), self.node.reader.life()]
    }

    /// The caller vouches for its own threads; or says, in a sentence without its full stop, what is wrong with them: then this
    /// controller leaves the cluster, [`Phase::Refused`], until the caller says "" again. Who has begun to vouch must go on at
    /// least every 10 s, else it leaves, too. From memory.
    pub fn vouch(&self, problem: &str) {
        if self.node.care.vouch(problem) {
            self.node.chores.want(|wanted| wanted.beat = true);
        }
    }

    /// Has a snapshot of the whole queue come as an [`Event::Snapshot`]: the caller could not follow an event. Does not block.
    pub fn reread(&self) {
        self.node.reread.store(true, Ordering::SeqCst);
        self.node.reader_kill.kill();
    }

    /// Tries the settings without joining, for at most `timeout`. Answers a sentence on what was found, server version and
    /// round-trip time, and what of it an admin should change, or "".
    ///
    /// # Errors
    /// [`Error::Refused`] with the sentence that mends it; [`Error::Unavailable`] when Redis does not answer.
    pub fn test(settings: Settings, timeout: Duration) -> Result<(String, String)> {
        let node = Node::new(settings)?;
        if let Some(shared) = &node.settings.home.shared {
            let folder = SharedFolder::at(shared);
            let mark = folder.mark().unwrap_or_default();
            check_cluster(&folder, mark.as_ref(), &node.settings.cluster, &node.settings.origins.cluster)?;
        }
        let explain = |fault: Fault| node.explain(&fault);
        let deadline = Instant::now() + timeout;
        let mut wire = node.connect_anew("test", timeout).map_err(explain)?;
        let fitness = Fitness::ask(&mut wire, deadline).map_err(explain)?;
        fitness.check(&node.address)?;
        wire.load_scripts(deadline).map_err(explain)?;
        let mut keycheck = cmd("HGET");
        keycheck.arg(&node.keys.meta).arg("keycheck");
        let keycheck = text(&wire.call(&keycheck, deadline).map_err(explain)?);
        if !keycheck.is_empty() && keycheck != node.seal.keycheck(&node.settings.cluster) {
            let members = wire.script(&script::members, &script::members.call(&node.keys.meta), deadline);
            let members =
                array(members.map_err(explain)?).chunks_exact(6).map(|six| text(&six[2])).collect::<Vec<_>>();
            let (cluster, origin) = (&node.settings.cluster, &node.settings.origins.cluster);
            let text = other_secrets(cluster, origin, &members.join(", "));
            return Err(Error::Refused(format!("Redis works. {text}")));
        }
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let sent = Instant::now();
            wire.call(&cmd("PING"), deadline).map_err(explain)?;
            fastest = fastest.min(sent.elapsed());
        }
        let warning = fitness.warning(&node.address);
        let found = format!(
            "Redis {} at {} answers in {:.2} ms.",
            fitness.version,
            node.address,
            fastest.as_secs_f64() * 1000.0
        );
        Ok((found, if warning.is_empty() { warning } else { format!("{warning}.") }))
    }

    /// How this controller stands. From memory.
    pub fn link(&self) -> LinkState {
        self.node.link.state()
    }

    /// Waits until joined; false when it is not after `timeout`.
    pub fn await_joined(&self, timeout: Duration) -> bool {
        self.node.link.await_joined(timeout, || false)
    }

    /// A queue id, unique in the cluster, from a block leased ahead. Never touches the network: without a block it is
    /// made up beyond 2^52.
    pub fn next_queue_id(&self) -> i64 {
        let (id, wanted) = self.node.ids.next();
        if wanted {
            self.node.chores.want(|wanted| wanted.ids = true);
        }
        id
    }

    /// Ids up to `floor` are taken already (items of the time before the cluster). Does not block.
    pub fn raise_queue_ids(&self, floor: i64) {
        self.node.ids.raise(floor);
        self.node.chores.want(|wanted| wanted.ids = true);
    }

    /// Stores an item, durably as Redis is configured. Idempotent by its id.
    ///
    /// `seen_revision` is the newest [`Item::job_revision`] of the job that the caller took into account when it decided that
    /// this is no duplicate; -1 to store without such a check. If one of the job's queued or claimed items is newer, nothing
    /// is stored and they are answered.
    pub fn enqueue(&self, item: NewItem, seen_revision: i64) -> Result<Enqueued> {
        self.node.enqueue(item, seen_revision, "")
    }

    /// As [`Controller::enqueue`]; `note` says why it was triggered, for the item's trace.
    pub fn enqueue_noted(&self, item: NewItem, seen_revision: i64, note: &str) -> Result<Enqueued> {
        self.node.enqueue(item, seen_revision, note)
    }

    /// Keeps an item until the cluster has it ([`Controller::store_accepted`]): when it has answered, the item is on the disk of
    /// this controller ([`crate::Home::journal`]), and is there after a restart or a power cut. For what is accepted while Redis
    /// is away. Touches no network.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be written.
    pub fn keep_accepted(&self, item: &NewItem) -> Result<()> {
        self.node.keep_accepted(item)
    }

    /// What was kept by [`Controller::keep_accepted`], also before a restart, and the cluster does not have yet: as it was accepted,
    /// version 0. Of more than 16 MiB, the first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be read.
    pub fn kept_accepted(&self) -> Result<Vec<Item>> {
        self.node.kept_accepted()
    }

    /// Stores what was kept by [`Controller::keep_accepted`], also before a restart, in its order, and forgets it. What the cluster
    /// never takes is put aside, with a line in the log. Answers the first whose id is another item's: it needs another id
    /// ([`Controller::rename_accepted`]) before any behind it is stored.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while Redis or the journal is: what is not stored waits.
    pub fn store_accepted(&self) -> Result<Option<Item>> {
        self.node.store_accepted()
    }

    /// Gives the first of those kept another id and payload; it is stored last then.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `id` is not the first of them.
    pub fn rename_accepted(&self, id: i64, new_id: i64, payload: Vec<u8>) -> Result<()> {
        self.node.rename_accepted(id, new_id, payload)
    }

    /// Replaces the payload of a queued item and, unless `due_in_ms` is -1, the time until it is due. Not accepted when the
    /// item is no longer queued, even if this controller has claimed it meanwhile, or one of the job's queued or claimed items
    /// is newer than `seen_revision`.
    pub fn fold(&self, id: i64, seen_revision: i64, payload: &[u8], due_in_ms: i64) -> Result<Enqueued> {
        self.fold_noted(id, seen_revision, payload, due_in_ms, "")
    }

    /// As [`Controller::fold`]; `note` says why what is folded was triggered, for the item's trace.
    pub fn fold_noted(
        &self,
        id: i64,
        seen_revision: i64,
        payload: &[u8],
        due_in_ms: i64,
        note: &str,
    ) -> Result<Enqueued> {
        self.node.fold(id, seen_revision, payload, (due_in_ms, false), note)
    }

    /// Replaces the payload of an item that this controller has claimed, and that the caller has in its hands: what is built is
    /// what the caller makes of it. Not accepted when it is no longer claimed here or `seen_revision` is not its own any more.
    pub fn fold_held(&self, id: i64, seen_revision: i64, payload: &[u8]) -> Result<Enqueued> {
        self.fold_held_noted(id, seen_revision, payload, "")
    }

    /// As [`Controller::fold_held`], with the note of [`Controller::fold_noted`].
    pub fn fold_held_noted(
        &self,
        id: i64,
        seen_revision: i64,
        payload: &[u8],
        note: &str,
    ) -> Result<Enqueued> {
        self.node.fold(id, seen_revision, payload, (-1, true), note)
    }

    /// From now on these are claimed before all others, in this order, as far as a claim's offers allow; the first 200 count.
    /// Of a job that runs one build at a time one that waits for its turn goes before the one whose turn it is.
    pub fn prefer(&self, first: &[i64]) {
        self.node.prefer(first);
    }

    /// Waits for items this controller can take and claims at most `max` of them. One thread at a time.
    ///
    /// Without offers it only waits. Answers what is ours now, with payloads, in the order of the queue; nothing after
    /// `timeout`, a [`Controller::wake`] or a change of membership.
    pub fn claim(&self, offers: &[LaneOffer], max: usize, timeout: Duration) -> Result<Vec<Item>> {
        self.claim_into(offers, max, timeout, |items| Ok(items.to_vec()))
    }

    /// As [`Controller::claim`], for a caller that must make something of the items first: where `deliver` fails, the next claim
    /// answers them again.
    ///
    /// # Errors
    /// What `deliver` answers, or the claim itself.
    pub fn claim_into<T, E: From<Error>>(
        &self,
        offers: &[LaneOffer],
        max: usize,
        timeout: Duration,
        deliver: impl FnOnce(&[Item]) -> Result<T, E>,
    ) -> Result<T, E> {
        let undelivered = Undelivered { node: &self.node, items: self.node.claim(offers, max, timeout)? };
        let made = deliver(&undelivered.items)?;
        undelivered.delivered();
        Ok(made)
    }

    /// Makes a waiting [`Controller::claim`], or else the next one, return now. Does not block.
    pub fn wake(&self) {
        self.node.wake();
    }

    /// The next build number of a job, used once in the cluster and above `floor`, the highest number the caller knows.
    ///
    /// With an item (`id` other than 0) it becomes starting; repeated, it answers the same number.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the item is not ours any more, [`Error::Conflict`] when it was cancelled: the build must not
    /// start.
    pub fn assign_number(&self, id: i64, job: &str, floor: i32) -> Result<i32> {
        self.node.assign_number(id, job, floor)
    }

    /// The job was deleted, and `highest` is the highest number it used, as far as the caller knows: a job that is made anew
    /// under its name begins with its first build. Without effect where a higher number was given meanwhile. May be repeated.
    pub fn forget_numbers(&self, job: &str, highest: i32) -> Result<()> {
        self.node.forget_numbers(job, highest)
    }

    /// Whose turn it is to do `what`, which is done once in the cluster. Whoever is told [`Turn::First`] or [`Turn::Again`]
    /// does it and then says [`Controller::done`] or [`Controller::not_done`]; until then nobody else is told so while this
    /// controller is a member. Forgotten after `remember`, at most 2^45 ms.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis or the lease is away: ask again, it may still be to do.
    pub fn begin(&self, what: &str, remember: Duration) -> Result<Turn> {
        self.node.begin(what, remember)
    }

    /// What was begun is done: for `remember` all who ask are told so, with `note`. Without effect when another controller has
    /// taken it over, because this one had lost its lease. May be repeated.
    pub fn done(&self, what: &str, note: &str, remember: Duration) -> Result<()> {
        self.node.done(what, note, remember)
    }

    /// What was begun was not done: it is as if nobody had begun it. May be repeated.
    pub fn not_done(&self, what: &str) -> Result<()> {
        self.node.not_done(what)
    }

    /// Redis' clock, in milliseconds since 1970, as of the last heartbeat and the time passed since, whatever this machine's clock
    /// shows; by that one only before the first heartbeat. From memory.
    pub fn clock_ms(&self) -> i64 {
        self.node.link.clock_ms()
    }

    /// The build of a starting item runs.
    pub fn started(&self, id: i64, number: i32) -> Result<()> {
        self.node.started(id, number)
    }

    /// The build has ended; `result` is what Jenkins calls it (SUCCESS, ABORTED, ...). Also for an orphaned item, by its reaper.
    pub fn finished(&self, id: i64, result: &str) -> Result<()> {
        self.node.finished(id, result)
    }

    /// A claimed item ends unbuilt.
    pub fn cancelled(&self, id: i64, why: &str) -> Result<()> {
        self.node.cancelled(id, why)
    }

    /// Hands back a claimed item that cannot be started here; it keeps its place, the others may claim it at once, and this
    /// controller not before `pause_ms` have passed. Where its job forbids concurrent builds, others of the job go first for as
    /// long, 5 s at the most.
    pub fn leave_to_others(&self, id: i64, pause_ms: i64, why: &str) -> Result<()> {
        self.node.leave_to_others(id, pause_ms, why)
    }

    /// Hands a claimed item back; it keeps its place, and may be claimed again after `delay_ms`.
    pub fn release(&self, id: i64, delay_ms: i64, why: &str) -> Result<()> {
        self.node.release(id, delay_ms, why)
    }

    /// Puts an orphaned item back into the queue, at its old place. After ten deaths in a row it is set aside as
    /// unreadable instead: something about it kills controllers.
    pub fn requeue(&self, id: i64, why: &str) -> Result<()> {
        self.node.requeue(id, why)
    }

    /// Hands an orphaned item, on which it falls to this controller to decide, on to the next member; answers whom, none when there
    /// is no other. For what this controller cannot decide on, such as a build of a job that it does not have.
    ///
    /// # Errors
    /// [`Error::Fenced`] for everybody but the reaper.
    pub fn pass(&self, id: i64) -> Result<Option<String>> {
        self.node.pass(id)
    }

    /// The build of an orphaned item has ended as `result`, for its reaper to say, and runs again: in one step the item
    /// ends and a new one, `new_id` from [`Controller::next_queue_id`], takes its place in the queue, with its job, lane
    /// and priority, due at once. Answers the new item's id; repeated, that of the first call.
    ///
    /// None when it has ended and is not run again, and [`Item::why`] says why: somebody wanted it ended
    /// ([`Controller::unwanted`]), or controllers died with it more than `most` times in a row ([`Item::deaths`]); with
    /// None this time is not counted, since its controller was stopped by somebody.
    ///
    /// # Errors
    /// [`Error::Fenced`] for everybody but the reaper.
    pub fn rerun(
        &self,
        id: i64,
        result: &str,
        new_id: i64,
        payload: &[u8],
        most: Option<u32>,
    ) -> Result<Option<i64>> {
        self.node.rerun(id, result, new_id, payload, most)
    }

    /// Takes back an orphaned item whose build never stopped running here, when this controller lost its membership and
    /// the decision fell to itself; it is running again, under the present epoch.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another controller decides, or has decided, on it: the build must be stopped.
    pub fn keep(&self, id: i64) -> Result<()> {
        self.node.keep(id)
    }

    /// Takes back an orphaned item that this controller ran, whoever has to decide on it; it is running again, under the
    /// present epoch. For builds which only their own controller can go on with, such as Pipelines: of such an item nobody
    /// else may decide anything. `number` is that of the build which goes on.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it has ended, never ran here, or went back to the queue and stands for no build or for another one.
    pub fn resume(&self, id: i64, number: i32) -> Result<()> {
        self.node.resume(id, number)
    }

    /// Makes an orphaned item this controller's own, whose decision fell to it: its build goes on here, and the item is
    /// running again under the present epoch. For builds whose state another controller can go on from, such as Pipelines.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the decision is another's, or the earlier owner took it back; [`Error::Conflict`] when it has
    /// ended.
    pub fn adopt(&self, id: i64) -> Result<()> {
        self.node.adopt(id)
    }

    /// Gives a running item, whose build this controller has let go of, to another member: it is orphaned, and it falls to `taker`
    /// to decide on it ([`Controller::adopt`]); should that one die first, to the next. Answers false, with nothing changed, when
    /// the taker is no member. True also when it was given away before. Two round trips.
    ///
    /// With this controller as the taker it stays here after all, and what was sent before and comes late gives it to nobody.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it is no longer held by this controller; [`Error::Conflict`] when it does not run.
    pub fn hand_over(&self, id: i64, taker: &str) -> Result<bool> {
        self.node.hand_over(id, taker)
    }

    /// Jobs have been renamed or moved: what is kept under their old names follows. One round trip.
    ///
    /// `jobs` are their old and new full names. `items` are live items of them: id, place of the job in `jobs`, and the
    /// payload made for the job's new name. What is not named, or has ended, stays as it is. Answers how many items were
    /// moved; calling it again changes nothing more.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an item without its job, and as [`Controller::enqueue`] for what is too large.
    pub fn jobs_moved(&self, jobs: &[(String, String)], items: &[(i64, usize, Vec<u8>)]) -> Result<i64> {
        self.node.jobs_moved(jobs, items)
    }

    /// The job of an item has another configuration than when the item was accepted: where it is claimed, and whether beside
    /// others of its job, goes by what the job says now. Its place in the queue is the same. Nothing happens to what has begun
    /// or ended; calling it again changes nothing more.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a lane with a line break, [`Error::NotFound`].
    pub fn revise(&self, id: i64, lane: &str, concurrent: bool) -> Result<()> {
        self.node.revise(id, lane, concurrent)
    }

    /// Somebody wants the build of a starting or running item ended: should its controller die meanwhile, it is not run
    /// again. `who` is for the record.
    pub fn unwanted(&self, id: i64, who: &str) -> Result<()> {
        self.node.unwanted(id, who)
    }

    /// Whether nobody can have declared this controller dead, by its own monotonic clock. From memory.
    pub fn holds_lease(&self) -> bool {
        self.node.link.lease().is_ok()
    }

    /// Sets a claimed item aside as unreadable; its bytes are kept.
    pub fn park(&self, id: i64, why: &str) -> Result<()> {
        self.node.park(id, why)
    }

    /// Cancels an item wherever it is. `who` is for the record.
    pub fn cancel(&self, id: i64, who: &str) -> Result<Cancel> {
        self.node.cancel(id, who)
    }

    /// An item by id, ended ones for 24 h. One round trip.
    pub fn item(&self, id: i64) -> Result<Option<Item>> {
        self.node.item(id)
    }

    /// What happened to an item, ended ones for a week (the newest 100,000); none where nothing is known. One round trip.
    pub fn trace(&self, id: i64) -> Result<Option<Trace>> {
        self.node.trace(id)
    }

    /// What happened to the controllers of late, newest first; the last thousand are kept. One round trip.
    pub fn moments(&self, most: u32) -> Result<Vec<Moment>> {
        self.node.moments(most)
    }

    /// Notes something that happened to this controller in the timeline: a word, and a line on it, both for people.
    pub fn note_moment(&self, what: &str, text: &str) -> Result<()> {
        self.node.note_moment(what, text)
    }

    /// All live items, oldest first, without payloads. For tools, not for pages.
    pub fn items(&self) -> Result<Vec<Item>> {
        self.node.items()
    }

    /// Waits for the next event; none after `timeout`. One thread at a time.
    pub fn next_event(&self, timeout: Duration) -> Result<Option<Event>> {
        self.next_event_into(timeout, |event| Ok(event.clone()))
    }

    /// As [`Controller::next_event`], for a caller that must make something of the event first: where `deliver` fails, the same
    /// event comes again.
    ///
    /// # Errors
    /// What `deliver` answers, or [`Error::Closed`].
    pub fn next_event_into<T, E: From<Error>>(
        &self,
        timeout: Duration,
        deliver: impl FnOnce(&Event) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let made = self.node.events.next_into(timeout, || self.node.link.closed(), deliver);
        if self.node.link.closed() { Err(Error::Closed.into()) } else { made.transpose() }
    }

    /// Tells all other controllers. `subject` is the full name of the job it is about, or "".
    pub fn announce(&self, topic: &str, subject: &str, number: i64, body: &[u8]) -> Result<()> {
        self.node.announce(topic, subject, number, body)
    }

    /// Stores a setting of the cluster and tells all, if its version is still `base` (0: there is none); without a body it was
    /// deleted. Answers `version` when it was stored, else the present version as a negative number, or 0.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn store_setting(
        &self,
        path: &str,
        base: i64,
        version: i64,
        digest: &str,
        author: &str,
        body: Option<&[u8]>,
    ) -> Result<i64> {
        self.node.store_setting(path, base, version, digest, author, body)
    }

    /// A setting of the cluster with its text; none when it never had one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not sealed by a controller of this cluster.
    pub fn setting(&self, path: &str) -> Result<Option<(KeptSetting, Vec<u8>)>> {
        self.node.setting(path)
    }

    /// All settings of the cluster, the deleted ones too. Their seals are not looked at.
    pub fn settings(&self) -> Result<Vec<KeptSetting>> {
        self.node.settings()
    }

    /// Makes this controller the owner of an agent, unless another member is or waits for it; answers whose it is then. All are
    /// told of a new owner. May be repeated.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn take_agent(&self, agent: &str) -> Result<AgentOwner> {
        self.node.take_agent(agent)
    }

    /// Gives an agent that this controller owns to another member, for which it is kept for some seconds until it comes, or to
    /// nobody (""). Answers false when it was not this controller's, or the other is no member.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn give_agent(&self, agent: &str, to: &str) -> Result<bool> {
        self.node.give_agent(agent, to)
    }

    /// Who has which agent; those of nobody are missing.
    pub fn agents(&self) -> Result<Vec<AgentOwner>> {
        self.node.agents()
    }

    /// Takes a slot, whose id the caller made up, for one more agent of a cloud; answers how many there are when these are `cap`
    /// already (0 for no cap). May be repeated.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn take_cloud_slot(&self, id: &str, cloud: &str, cap: u32) -> Result<Option<u32>> {
        self.node.take_cloud_slot(id, cloud, cap)
    }

    /// Says which agent has a slot and what it is, for whoever has to end it should this controller die; takes the slot back after
    /// this controller was away, and puts it back where Redis lost it. May be repeated.
    ///
    /// # Errors
    /// [`Error::Invalid`] above 1 MiB; [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn keep_cloud_agent(&self, id: &str, cloud: &str, agent: &str, body: &[u8]) -> Result<CloudSlot> {
        self.node.keep_cloud_agent(id, cloud, agent, body)
    }

    /// Gives a slot back. May be repeated.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn end_cloud_agent(&self, id: &str) -> Result<CloudSlot> {
        self.node.end_cloud_agent(id)
    }

    /// Makes a member, this one perhaps, the holder of a slot that is this controller's or of a controller that is gone; false when
    /// another member holds it or `to` is none.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn pass_cloud_agent(&self, id: &str, to: &str) -> Result<bool> {
        self.node.pass_cloud_agent(id, to)
    }

    /// Replaces what this controller says of its executors.
    ///
    /// # Errors
    /// [`Error::Invalid`] above 4 MiB; [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn tell_computers(&self, body: &str) -> Result<()> {
        self.node.tell_computers(body)
    }

    /// What the members say of their executors, this one too. What is not sealed by one of them is left out.
    pub fn computers(&self) -> Result<Vec<ToldComputers>> {
        self.node.computers()
    }

    /// The agents of clouds that exist or are asked for, those of controllers that are gone, too.
    pub fn cloud_agents(&self) -> Result<Vec<CloudAgent>> {
        self.node.cloud_agents()
    }

    /// What a cloud's agent is, as its controller said; nothing when it has not.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not sealed by a controller of this cluster.
    pub fn cloud_agent_text(&self, id: &str) -> Result<Option<Vec<u8>>> {
        self.node.cloud_agent_text(id)
    }

    /// Asks for the pen of a shared state: who has it is alone in changing that state until it gives it back or is no member any
    /// more. Controllers get it in the order of asking, if they ask again at least every half second while it is held. May be
    /// repeated.
    ///
    /// `known` is the version that the caller has already; the text is answered for any other.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member, [`Error::Invalid`] when the state is not
    /// sealed by a controller of this cluster.
    pub fn take_state(&self, name: &str, known: i64) -> Result<Pen> {
        self.node.take_state(name, known)
    }

    /// Stores a shared state whose pen this controller has, and tells all; without a body nothing is stored. Gives the pen back
    /// if told to. Answers false, and stores nothing, when another has the pen or `base` is not the present version. May be
    /// repeated.
    ///
    /// # Errors
    /// As [`Controller::take_state`]; [`Error::Invalid`] for a version that is not above `base`, or too much text.
    pub fn store_state(
        &self,
        name: &str,
        base: i64,
        version: i64,
        body: Option<&[u8]>,
        give: bool,
    ) -> Result<bool> {
        self.node.store_state(name, base, version, body, give)
    }

    /// A shared state, without its pen.
    ///
    /// # Errors
    /// As [`Controller::take_state`].
    pub fn state(&self, name: &str, known: i64) -> Result<SharedState> {
        self.node.state(name, known)
    }

    /// Notes the milestone of a build, and answers those of all builds of its job that have not ended. May be repeated, but then
    /// what was noted before is what the first call noted.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Unavailable`] while this controller is no member.
    pub fn milestone(&self, job: &str, build: i64, milestone: Milestone) -> Result<Milestones> {
        self.node.milestone(job, build, milestone)
    }

    /// Forgets the milestones of a job that is gone.
    ///
    /// # Errors
    /// As [`Controller::milestone`].
    pub fn forget_milestones(&self, job: &str) -> Result<()> {
        self.node.forget_milestones(job)
    }

    /// Asks a controller and waits for its answer. Repeating it with the same `request_id` has no further effect and yields the
    /// same answer.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such controller, [`Error::Unavailable`] when no answer came in time.
    pub fn ask(
        &self,
        controller_id: &str,
        topic: &str,
        body: &[u8],
        request_id: &str,
        timeout: Duration,
    ) -> Result<Vec<u8>> {
        self.node.ask(controller_id, topic, body, request_id, timeout)
    }

    /// Answers an [`Event::Command`].
    pub fn answer(&self, request_id: &str, body: &[u8]) -> Result<()> {
        self.node.answer(request_id, body)
    }

    /// The controllers of the cluster. One round trip.
    pub fn members(&self) -> Result<Vec<Member>> {
        let node = &self.node;
        node.link.membership()?;
        let answer = node.pool.run(&script::members, &script::members.call(&node.keys.meta))?;
        let member = |six: &[::redis::Value]| Member {
            controller_id: text(&six[0]),
            epoch: number(&six[1]),
            name: text(&six[2]),
            url: text(&six[3]),
            version: text(&six[4]),
            lease_ms: number(&six[5]),
        };
        Ok(answer.chunks_exact(6).map(member).collect())
    }

    /// The controllers that are members, or died and are not back. One round trip.
    pub fn homes(&self) -> Result<Vec<KnownController>> {
        self.node.homes()
    }

    /// Replaces what others may want to know of this controller ([`crate::Home::facts`]); kept for later memberships, too.
    pub fn describe(&self, facts: &str) -> Result<()> {
        self.node.describe(facts)
    }

    /// Forgets a controller that is gone.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is a member, [`Error::NotFound`] when it is not known.
    pub fn forget(&self, controller_id: &str) -> Result<()> {
        self.node.forget_controller(controller_id)
    }

    /// Hands claimed items back, leaves the cluster, stops all threads; at most 5 s. May be called twice.
    pub fn close(&self) {
        let node = &self.node;
        if !node.link.close() {
            return;
        }
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        node.chores.want(|wanted| wanted.stop = true);
        node.claimer.kill();
        node.reader_kill.kill();
        node.replies.nudge();
        node.events.nudge();
        for thread in self.threads.lock().drain(..) {
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
                // A thread that was just connecting had nothing to be cut yet.
                node.reader_kill.kill();
                if Instant::now() + CLOSE_TIMEOUT / 2 > deadline {
                    node.beat_kill.kill();
                }
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
        node.pool.clear();
        node.accepted.close();
        node.tell_link(node.link.failed(Phase::Closed, Error::Closed.to_string()));
    }
}

/// Runs a thread's work until the controller is closed: a defect must not end the membership for good, it begins anew.
fn lasting(node: &Node, pulse: &Pulse, run: fn(&Node)) {
    while catch_unwind(AssertUnwindSafe(|| run(node))).is_err() && !node.link.closed() {
        pulse.failed();
        log::error!(
            "The thread {} of ha-jenkins failed and is started again: please report this",
            pulse.name
        );
        std::thread::sleep(AFTER_FAILURE);
    }
}

/// What was claimed, until the caller has it.
struct Undelivered<'a> {
    node: &'a Node,
    items: Vec<Item>,
}

impl Undelivered<'_> {
    fn delivered(mut self) {
        self.items.clear();
    }
}

impl Drop for Undelivered<'_> {
    fn drop(&mut self) {
        if !self.items.is_empty() {
            self.node.claimer.keep(std::mem::take(&mut self.items));
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Controller({} of {}, {:?})", self.node.me(), self.node.settings.cluster, self.link().phase)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::{SealKey, Secret};

    #[test]
    fn a_thread_that_panics_begins_anew_and_that_is_counted() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let node = Node::new(Settings {
            cluster: "test".into(),
            redis_url: Secret::new("redis://127.0.0.1:1"),
            username: None,
            password: None,
            controller_id: "a".into(),
            name: "A".into(),
            url: String::new(),
            version: "1".into(),
            heartbeat: Duration::from_secs(1),
            lease: Duration::from_secs(5),
            key: SealKey::new([7; 32]),
            home: Default::default(),
            origins: Default::default(),
            ahead: 0,
        })
        .unwrap();
        lasting(&node, &node.reader, |_| {
            assert!(RUNS.fetch_add(1, Ordering::SeqCst) > 0, "a defect in the first run");
        });
        assert_eq!(RUNS.load(Ordering::SeqCst), 2);
        assert_eq!(node.reader.life().restarts, 1);
        assert_eq!(node.reader.life().problem, "");
    }
}
