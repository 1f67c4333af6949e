//! Values on their way to Java and back.
//!
//! What comes from Java is bounded before it is copied; what goes to Java is built with constructors that were looked up
//! when the library was loaded.

use std::time::Duration;

use jni::objects::{JByteArray, JIntArray, JList, JObject, JObjectArray, JString};
use jni::refs::{LoaderContext, Reference};
use jni::sys::jlong;
use jni::{Env, bind_java_type};

use super::errors::Failure;
use super::log::Line;
use crate::{Cancel, Enqueued, Error, Event, Item, ItemState, LaneOffer, LinkState, Member, NewItem, Phase};

/// Longest text taken from Java, bytes.
const MAX_TEXT: usize = 64 << 10;
/// Most lanes offered at once.
const MAX_OFFERS: usize = 4096;
/// Longest wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Local references that building one object takes at the most, with some to spare.
const FRAME: usize = 24;

macro_rules! types {
    ($($name:ident => $java:literal { $($body:tt)* })*) => {
        $(bind_java_type! {
            pub $name => $java,
            type_map = {
                EventType => "io.jenkins.plugins.ha.bridge.Event",
                ItemType => "io.jenkins.plugins.ha.bridge.Item",
                ItemStateType => "io.jenkins.plugins.ha.bridge.ItemState",
                LinkStateType => "io.jenkins.plugins.ha.bridge.LinkState",
                PhaseType => "io.jenkins.plugins.ha.bridge.LinkState$Phase",
                CancelOutcomeType => "io.jenkins.plugins.ha.bridge.CancelOutcome",
            },
            $($body)*
        })*

        /// Looks up all classes, constructors and constants.
        pub(super) fn bind(env: &mut Env<'_>, context: &LoaderContext<'_, '_>) -> jni::errors::Result<()> {
            $(<$name<'_> as Reference>::lookup_class(env, context)?;)*
            Ok(())
        }
    };
}

types! {
    ListType => "java.util.List" {
        methods { static fn of { sig = (elements: JObject[]) -> JList } },
    }
    ItemStateType => "io.jenkins.plugins.ha.bridge.ItemState" {
        fields {
            static queued { sig = ItemStateType, name = "QUEUED", get = queued },
            static claimed { sig = ItemStateType, name = "CLAIMED", get = claimed },
            static starting { sig = ItemStateType, name = "STARTING", get = starting },
            static running { sig = ItemStateType, name = "RUNNING", get = running },
            static orphaned { sig = ItemStateType, name = "ORPHANED", get = orphaned },
            static done { sig = ItemStateType, name = "DONE", get = done },
            static cancelled { sig = ItemStateType, name = "CANCELLED", get = cancelled },
            static unreadable { sig = ItemStateType, name = "UNREADABLE", get = unreadable },
        },
    }
    PhaseType => "io.jenkins.plugins.ha.bridge.LinkState$Phase" {
        fields {
            static connecting { sig = PhaseType, name = "CONNECTING", get = connecting },
            static joined { sig = PhaseType, name = "JOINED", get = joined },
            static lost { sig = PhaseType, name = "LOST", get = lost },
            static refused { sig = PhaseType, name = "REFUSED", get = refused },
            static closed { sig = PhaseType, name = "CLOSED", get = closed },
        },
    }
    CancelOutcomeType => "io.jenkins.plugins.ha.bridge.CancelOutcome" {
        fields {
            static cancelled { sig = CancelOutcomeType, name = "CANCELLED", get = cancelled },
            static held { sig = CancelOutcomeType, name = "HELD", get = held },
            static too_late { sig = CancelOutcomeType, name = "TOO_LATE", get = too_late },
            static unknown { sig = CancelOutcomeType, name = "UNKNOWN", get = unknown },
        },
    }
    ItemType => "io.jenkins.plugins.ha.bridge.Item" {
        constructors {
            fn new(
                id: jlong, job: JString, state: ItemStateType, version: jlong, job_revision: jlong, lane: JString,
                priority: jint, enqueued_millis: jlong, due_millis: jlong, blocked: jboolean, concurrent: jboolean,
                pinned: JString, origin: JString, owner: JString, epoch: jlong, attempts: jint, number: jint,
                result: JString, why: JString, payload: jbyte[]
            ),
        },
    }
    EnqueuedType => "io.jenkins.plugins.ha.bridge.Enqueued" {
        constructors { fn new(accepted: jboolean, revision: jlong, queued: JList) },
    }
    LinkStateType => "io.jenkins.plugins.ha.bridge.LinkState" {
        constructors { fn new(phase: PhaseType, text: JString, epoch: jlong) },
    }
    MemberType => "io.jenkins.plugins.ha.bridge.Member" {
        constructors {
            fn new(
                controller_id: JString, epoch: jlong, name: JString, url: JString, version: JString,
                lease_millis: jlong
            ),
        },
    }
    LogLineType => "io.jenkins.plugins.ha.bridge.LogLine" {
        constructors { fn new(level: jint, module: JString, text: JString) },
    }
    EventType => "io.jenkins.plugins.ha.bridge.Event" {}
    SnapshotType => "io.jenkins.plugins.ha.bridge.Event$Snapshot" {
        constructors { fn new(items: JList) },
        is_instance_of = { EventType },
    }
    ItemChangedType => "io.jenkins.plugins.ha.bridge.Event$ItemChanged" {
        constructors { fn new(item: ItemType) },
        is_instance_of = { EventType },
    }
    AnnouncementType => "io.jenkins.plugins.ha.bridge.Event$Announcement" {
        constructors { fn new(from: JString, topic: JString, subject: JString, number: jlong, body: jbyte[]) },
        is_instance_of = { EventType },
    }
    CommandType => "io.jenkins.plugins.ha.bridge.Event$Command" {
        constructors { fn new(from: JString, topic: JString, body: jbyte[], request_id: JString) },
        is_instance_of = { EventType },
    }
    LinkChangedType => "io.jenkins.plugins.ha.bridge.Event$LinkChanged" {
        constructors { fn new(state: LinkStateType) },
        is_instance_of = { EventType },
    }
    OrphanedType => "io.jenkins.plugins.ha.bridge.Event$Orphaned" {
        constructors { fn new(item: ItemType) },
        is_instance_of = { EventType },
    }
    MembersChangedType => "io.jenkins.plugins.ha.bridge.Event$MembersChanged" {
        constructors { fn new() },
        is_instance_of = { EventType },
    }
}

/// A text from Java; `what` names it for the error.
pub(super) fn text(env: &Env<'_>, what: &str, text: &JString<'_>) -> Result<String, Failure> {
    optional_text(env, what, text)?.ok_or_else(|| Error::Invalid(format!("{what} is missing")).into())
}

/// A text from Java that may be null.
pub(super) fn optional_text(
    env: &Env<'_>,
    what: &str,
    text: &JString<'_>,
) -> Result<Option<String>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    let chars = text.mutf8_chars(env)?;
    let length = chars.to_bytes().len();
    if length > MAX_TEXT {
        return Err(Error::Invalid(format!("{what} has {length} bytes, more than {MAX_TEXT}")).into());
    }
    Ok(Some(chars.to_string()))
}

/// Bytes from Java.
pub(super) fn bytes(env: &Env<'_>, what: &str, array: &JByteArray<'_>) -> Result<Vec<u8>, Failure> {
    if array.is_null() {
        return Err(Error::Invalid(format!("{what} is missing")).into());
    }
    let length = array.len(env)?;
    let most = NewItem::MAX_PAYLOAD;
    if length > most {
        return Err(Error::Invalid(format!("{what} has {length} bytes, more than {most}")).into());
    }
    Ok(env.convert_byte_array(array)?)
}

/// Lanes and, beside them, rooms.
pub(super) fn offers<'local>(
    env: &mut Env<'local>,
    lanes: &JObjectArray<'_, JString<'_>>,
    rooms: &JIntArray<'_>,
) -> Result<Vec<LaneOffer>, Failure> {
    let length = lanes.len(env)?;
    if length > MAX_OFFERS {
        return Err(Error::Invalid(format!("{length} lanes are offered, more than {MAX_OFFERS}")).into());
    }
    if rooms.len(env)? != length {
        return Err(Error::Invalid("there must be as many rooms as lanes".to_owned()).into());
    }
    let mut room = vec![0; length];
    rooms.get_region(env, 0, &mut room)?;
    let mut offers = Vec::with_capacity(length);
    for (index, room) in room.into_iter().enumerate() {
        let lane = lanes.get_element(env, index)?;
        let offer =
            LaneOffer { lane: text(env, "a lane", &lane)?, room: usize::try_from(room).unwrap_or_default() };
        env.delete_local_ref(lane);
        offers.push(offer);
    }
    Ok(offers)
}

/// A time to wait from Java, as near to it as is allowed.
pub(super) fn wait(millis: jlong) -> Duration {
    millis_of(millis).min(MAX_WAIT)
}

/// Milliseconds from Java; negative ones count as none.
pub(super) fn millis_of(millis: jlong) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

pub(super) fn list<'local, T>(
    env: &mut Env<'local>,
    values: &[T],
    convert: impl for<'frame> Fn(&mut Env<'frame>, &T) -> Result<JObject<'frame>, Failure>,
) -> Result<JList<'local>, Failure> {
    let array = JObjectArray::<JObject<'_>>::new(env, values.len(), JObject::null())?;
    for (index, value) in values.iter().enumerate() {
        // Each in a frame of its own: the table of local references would grow with the list.
        env.with_local_frame(FRAME, |env| -> Result<(), Failure> {
            let object = convert(env, value)?;
            Ok(array.set_element(env, index, object)?)
        })?;
    }
    let list = ListType::of(env, &array)?;
    env.delete_local_ref(array);
    Ok(list)
}

pub(super) fn items<'local>(env: &mut Env<'local>, items: &[Item]) -> Result<JList<'local>, Failure> {
    list(env, items, |env, value| Ok(item(env, value)?.into()))
}

pub(super) fn item<'local>(env: &mut Env<'local>, item: &Item) -> Result<ItemType<'local>, Failure> {
    env.with_local_frame_returning_local::<_, ItemType<'_>, Failure>(FRAME, |env| {
        let job = JString::new(env, &item.job)?;
        let state = item_state(env, item.state)?;
        let lane = JString::new(env, &item.lane)?;
        let pinned = JString::new(env, &item.pinned)?;
        let origin = JString::new(env, &item.origin)?;
        let owner = JString::new(env, &item.owner)?;
        let result = JString::new(env, &item.result)?;
        let why = JString::new(env, &item.why)?;
        let payload = match &item.payload {
            Some(payload) => env.byte_array_from_slice(payload)?,
            None => JByteArray::null(),
        };
        Ok(ItemType::new(
            env,
            item.id,
            job,
            state,
            item.version,
            item.job_revision,
            lane,
            item.priority,
            item.enqueued_ms,
            item.due_ms,
            item.blocked,
            item.concurrent,
            pinned,
            origin,
            owner,
            item.epoch,
            item.attempts,
            item.number,
            result,
            why,
            payload,
        )?)
    })
}

pub(super) fn enqueued<'local>(
    env: &mut Env<'local>,
    enqueued: &Enqueued,
) -> Result<EnqueuedType<'local>, Failure> {
    let queued = items(env, &enqueued.queued)?;
    Ok(EnqueuedType::new(env, enqueued.accepted, enqueued.revision, queued)?)
}

pub(super) fn link_state<'local>(
    env: &mut Env<'local>,
    link: &LinkState,
) -> Result<LinkStateType<'local>, Failure> {
    let phase = match link.phase {
        Phase::Connecting => PhaseType::connecting(env),
        Phase::Joined => PhaseType::joined(env),
        Phase::Lost => PhaseType::lost(env),
        Phase::Refused => PhaseType::refused(env),
        Phase::Closed => PhaseType::closed(env),
    }?;
    let text = JString::new(env, &link.text)?;
    Ok(LinkStateType::new(env, phase, text, link.epoch)?)
}

pub(super) fn members<'local>(env: &mut Env<'local>, members: &[Member]) -> Result<JList<'local>, Failure> {
    list(env, members, |env, member| {
        let id = JString::new(env, &member.controller_id)?;
        let name = JString::new(env, &member.name)?;
        let url = JString::new(env, &member.url)?;
        let version = JString::new(env, &member.version)?;
        Ok(MemberType::new(env, id, member.epoch, name, url, version, member.lease_ms)?.into())
    })
}

pub(super) fn cancel_outcome<'local>(
    env: &mut Env<'local>,
    cancel: &Cancel,
) -> Result<CancelOutcomeType<'local>, Failure> {
    Ok(match cancel {
        Cancel::Cancelled => CancelOutcomeType::cancelled(env),
        Cancel::Asked(_) => CancelOutcomeType::held(env),
        Cancel::TooLate => CancelOutcomeType::too_late(env),
        Cancel::Unknown => CancelOutcomeType::unknown(env),
    }?)
}

pub fn event<'local>(env: &mut Env<'local>, event: &Event) -> Result<EventType<'local>, Failure> {
    Ok(match event {
        Event::Snapshot(live) => {
            let live = items(env, live)?;
            SnapshotType::new(env, live)?.into()
        }
        Event::Item(changed) => {
            let changed = item(env, changed)?;
            ItemChangedType::new(env, changed)?.into()
        }
        Event::Announcement { from, topic, subject, number, body } => {
            let from = JString::new(env, from)?;
            let topic = JString::new(env, topic)?;
            let subject = JString::new(env, subject)?;
            let body = env.byte_array_from_slice(body)?;
            AnnouncementType::new(env, from, topic, subject, *number, body)?.into()
        }
        Event::Command { from, topic, body, request_id } => {
            let from = JString::new(env, from)?;
            let topic = JString::new(env, topic)?;
            let body = env.byte_array_from_slice(body)?;
            let request_id = JString::new(env, request_id)?;
            CommandType::new(env, from, topic, body, request_id)?.into()
        }
        Event::Link(link) => {
            let link = link_state(env, link)?;
            LinkChangedType::new(env, link)?.into()
        }
        Event::Orphaned(orphan) => {
            let orphan = item(env, orphan)?;
            OrphanedType::new(env, orphan)?.into()
        }
        Event::Members => MembersChangedType::new(env)?.into(),
    })
}

pub(super) fn log_lines<'local>(env: &mut Env<'local>, lines: &[Line]) -> Result<JList<'local>, Failure> {
    list(env, lines, |env, line| {
        let module = JString::new(env, &line.module)?;
        let text = JString::new(env, &line.text)?;
        Ok(LogLineType::new(env, line.level as i32, module, text)?.into())
    })
}

fn item_state<'local>(env: &mut Env<'local>, state: ItemState) -> Result<ItemStateType<'local>, Failure> {
    Ok(match state {
        ItemState::Queued => ItemStateType::queued(env),
        ItemState::Claimed => ItemStateType::claimed(env),
        ItemState::Starting => ItemStateType::starting(env),
        ItemState::Running => ItemStateType::running(env),
        ItemState::Orphaned => ItemStateType::orphaned(env),
        ItemState::Done => ItemStateType::done(env),
        ItemState::Cancelled => ItemStateType::cancelled(env),
        ItemState::Unreadable => ItemStateType::unreadable(env),
    }?)
}
