//! Values on their way to Java and back.
//!
//! What comes from Java is bounded before it is copied; what goes to Java is built with constructors that were looked up
//! when the library was loaded.

use std::time::Duration;

use jni::objects::{JByteArray, JIntArray, JList, JLongArray, JObject, JObjectArray, JString};
use jni::refs::{LoaderContext, Reference};
use jni::{Env, bind_java_type};
use jni_sys::jlong;

use super::errors::Failure;
use super::log::Line;
use super::parcel::{bytes_to_java, to_java};
use crate::{BuildPage, BuildRow, ConfigForm, RecordsPhase, RecordsState};
use crate::{
    Cancel, Enqueued, Error, Event, Item, KnownController, LaneOffer, LinkState, Member, Moment, NewItem,
    Phase, Trace,
};

/// Longest text taken from Java, bytes.
const MAX_TEXT: usize = 64 << 10;
/// Most lanes offered at once.
const MAX_OFFERS: usize = 4096;
/// Longest wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Local references that building one object takes at the most, with some to spare.
const FRAME: usize = 32;
/// Longest text of a record taken from Java, bytes; the library cuts what is longer than it stores.
const MAX_LONG_TEXT: usize = 64 << 20;
/// Most texts in a list.
const MAX_LIST: usize = 1 << 20;

macro_rules! types {
    ($($name:ident => $java:literal { $($body:tt)* })*) => {
        $(bind_java_type! {
            pub $name => $java,
            type_map = {
                EventType => "io.jenkins.plugins.ha.bridge.Event",
                ItemType => "io.jenkins.plugins.ha.bridge.Item",
                ItemTraceType => "io.jenkins.plugins.ha.bridge.ItemTrace",
                TraceStepType => "io.jenkins.plugins.ha.bridge.ItemTrace$Step",
                LinkStateType => "io.jenkins.plugins.ha.bridge.LinkState",
                PhaseType => "io.jenkins.plugins.ha.bridge.LinkState$Phase",
                CancelOutcomeType => "io.jenkins.plugins.ha.bridge.CancelOutcome",
                RecordsPhaseType => "io.jenkins.plugins.ha.bridge.RecordsState$Phase",
                BuildRowType => "io.jenkins.plugins.ha.bridge.BuildRow",
                ConfigFormType => "io.jenkins.plugins.ha.bridge.ConfigForm",
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
    PhaseType => "io.jenkins.plugins.ha.bridge.LinkState$Phase" {
        fields {
            static connecting { sig = PhaseType, name = "CONNECTING", get = connecting },
            static joined { sig = PhaseType, name = "JOINED", get = joined },
            static lost { sig = PhaseType, name = "LOST", get = lost },
            static refused { sig = PhaseType, name = "REFUSED", get = refused },
            static turned_away { sig = PhaseType, name = "TURNED_AWAY", get = turned_away },
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
        methods { static fn of { sig = (text: jbyte[], payload: jbyte[]) -> ItemType } },
    }
    TraceStepType => "io.jenkins.plugins.ha.bridge.ItemTrace$Step" {
        constructors {
            fn new(
                at_millis: jlong, what: JString, controller: JString, other: JString, number: jint, item: jlong,
                text: JString
            ),
        },
    }
    ItemTraceType => "io.jenkins.plugins.ha.bridge.ItemTrace" {
        constructors { fn new(job: JString, item: ItemType, steps: JList) },
    }
    MomentType => "io.jenkins.plugins.ha.bridge.Moment" {
        constructors {
            fn new(
                at_millis: jlong, what: JString, controller_id: JString, name: JString, text: JString,
                wait_again: jlong, begun: jlong, ids: JString
            ),
        },
    }
    EnqueuedType => "io.jenkins.plugins.ha.bridge.Enqueued" {
        constructors { fn new(accepted: jboolean, revision: jlong, queued: JList) },
    }
    LinkStateType => "io.jenkins.plugins.ha.bridge.LinkState" {
        constructors { fn new(phase: PhaseType, text: JString, epoch: jlong, notice: JString) },
    }
    MemberType => "io.jenkins.plugins.ha.bridge.Member" {
        constructors {
            fn new(
                controller_id: JString, epoch: jlong, name: JString, url: JString, version: JString,
                lease_millis: jlong
            ),
        },
    }
    KnownControllerType => "io.jenkins.plugins.ha.bridge.KnownController" {
        constructors {
            fn new(
                controller_id: JString, name: JString, host: JString, facts: JString, gone_millis: jlong,
                reran: jlong
            ),
        },
    }
    BuildRowType => "io.jenkins.plugins.ha.bridge.BuildRow" {
        methods { static fn of { sig = (text: jbyte[], xml: jbyte[]) -> BuildRowType } },
    }
    BuildPageType => "io.jenkins.plugins.ha.bridge.BuildPage" {
        constructors { fn new(builds: JList, next: JString) },
    }
    ConfigFormType => "io.jenkins.plugins.ha.bridge.ConfigForm" {
        methods { static fn of { sig = (parts: jbyte[], text: jbyte[]) -> ConfigFormType } },
    }
    RecordsPhaseType => "io.jenkins.plugins.ha.bridge.RecordsState$Phase" {
        fields {
            static connecting { sig = RecordsPhaseType, name = "CONNECTING", get = connecting },
            static ready { sig = RecordsPhaseType, name = "READY", get = ready },
            static away { sig = RecordsPhaseType, name = "AWAY", get = away },
            static refused { sig = RecordsPhaseType, name = "REFUSED", get = refused },
            static closed { sig = RecordsPhaseType, name = "CLOSED", get = closed },
        },
    }
    RecordsStateType => "io.jenkins.plugins.ha.bridge.RecordsState" {
        constructors { fn new(phase: RecordsPhaseType, text: JString, waiting: jlong, warning: JString) },
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
    bounded_text(env, what, text, MAX_TEXT)
}

/// A text of a record; null counts as none.
pub(super) fn long_text(env: &Env<'_>, what: &str, text: &JString<'_>) -> Result<String, Failure> {
    Ok(bounded_text(env, what, text, MAX_LONG_TEXT)?.unwrap_or_default())
}

fn bounded_text(
    env: &Env<'_>,
    what: &str,
    text: &JString<'_>,
    most: usize,
) -> Result<Option<String>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    let chars = text.mutf8_chars(env)?;
    let length = chars.to_bytes().len();
    if length > most {
        return Err(Error::Invalid(format!("{what} has {length} bytes, more than {most}")).into());
    }
    Ok(Some(chars.to_string()))
}

/// Texts of a record; null counts as none.
pub(super) fn texts(
    env: &mut Env<'_>,
    what: &str,
    array: &JObjectArray<'_, JString<'_>>,
) -> Result<Option<Vec<String>>, Failure> {
    if array.is_null() {
        return Ok(None);
    }
    let length = array.len(env)?;
    if length > MAX_LIST {
        return Err(Error::Invalid(format!("there are {length} {what}, more than {MAX_LIST}")).into());
    }
    let mut texts = Vec::with_capacity(length);
    for index in 0..length {
        let element = array.get_element(env, index)?;
        texts.push(long_text(env, what, &element)?);
        env.delete_local_ref(element);
    }
    Ok(Some(texts))
}

/// Bytes from Java.
pub(super) fn bytes(env: &Env<'_>, what: &str, array: &JByteArray<'_>) -> Result<Vec<u8>, Failure> {
    optional_bytes(env, what, array, NewItem::MAX_PAYLOAD)?
        .ok_or_else(|| Error::Invalid(format!("{what} is missing")).into())
}

/// Bytes from Java that may be null.
pub(super) fn optional_bytes(
    env: &Env<'_>,
    what: &str,
    array: &JByteArray<'_>,
    most: usize,
) -> Result<Option<Vec<u8>>, Failure> {
    if array.is_null() {
        return Ok(None);
    }
    let length = array.len(env)?;
    if length > most {
        return Err(Error::Invalid(format!("{what} has {length} bytes, more than {most}")).into());
    }
    Ok(Some(env.convert_byte_array(array)?))
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

/// Items whose jobs moved: id, place of the job, payload.
pub(super) fn moved_items(
    env: &mut Env<'_>,
    ids: &JLongArray<'_>,
    places: &JIntArray<'_>,
    lengths: &JIntArray<'_>,
    payloads: &JByteArray<'_>,
) -> Result<Vec<(i64, usize, Vec<u8>)>, Failure> {
    let count = ids.len(env)?;
    if places.len(env)? != count || lengths.len(env)? != count {
        return Err(Error::Invalid("there must be as many places and lengths as ids".to_owned()).into());
    }
    let (mut id, mut place, mut length) = (vec![0; count], vec![0; count], vec![0; count]);
    ids.get_region(env, 0, &mut id)?;
    places.get_region(env, 0, &mut place)?;
    lengths.get_region(env, 0, &mut length)?;
    let payloads = bytes(env, "the payloads", payloads)?;
    let mut rest = payloads.as_slice();
    let mut items = Vec::with_capacity(count);
    for ((id, place), length) in id.into_iter().zip(place).zip(length) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((payload, after)) = rest.split_at_checked(length) else {
            return Err(Error::Invalid("the payloads are shorter than their lengths say".to_owned()).into());
        };
        rest = after;
        items.push((id, usize::try_from(place).unwrap_or(usize::MAX), payload.to_vec()));
    }
    Ok(items)
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
        let text = to_java(env, item)?;
        let payload = bytes_to_java(env, item.payload.as_deref())?;
        Ok(ItemType::of(env, text, payload)?)
    })
}

pub(super) fn trace<'local>(env: &mut Env<'local>, trace: &Trace) -> Result<ItemTraceType<'local>, Failure> {
    let job = JString::new(env, &trace.job)?;
    let it = match &trace.item {
        Some(it) => item(env, it)?,
        None => ItemType::default(),
    };
    let steps = list(env, &trace.steps, |env, step| {
        let what = JString::new(env, step.what.name())?;
        let controller = JString::new(env, &step.controller)?;
        let other = JString::new(env, &step.other)?;
        let text = JString::new(env, &step.text)?;
        Ok(TraceStepType::new(env, step.at_ms, what, controller, other, step.number, step.item, text)?.into())
    })?;
    Ok(ItemTraceType::new(env, job, it, steps)?)
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
        Phase::TurnedAway => PhaseType::turned_away(env),
        Phase::Closed => PhaseType::closed(env),
    }?;
    let text = JString::new(env, &link.text)?;
    let notice = JString::new(env, &link.notice)?;
    Ok(LinkStateType::new(env, phase, text, link.epoch, notice)?)
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

pub(super) fn moments<'local>(env: &mut Env<'local>, moments: &[Moment]) -> Result<JList<'local>, Failure> {
    list(env, moments, |env, moment| {
        let what = JString::new(env, &moment.what)?;
        let id = JString::new(env, &moment.controller)?;
        let name = JString::new(env, &moment.name)?;
        let text = JString::new(env, &moment.text)?;
        let ids = JString::new(env, &moment.ids)?;
        let (wait, begun) = (moment.wait_again, moment.begun);
        Ok(MomentType::new(env, moment.at_ms, what, id, name, text, wait, begun, ids)?.into())
    })
}

pub(super) fn homes<'local>(
    env: &mut Env<'local>,
    homes: &[KnownController],
) -> Result<JList<'local>, Failure> {
    list(env, homes, |env, known| {
        let id = JString::new(env, &known.controller_id)?;
        let name = JString::new(env, &known.name)?;
        let host = JString::new(env, &known.host)?;
        let facts = JString::new(env, &known.facts)?;
        let gone = known.gone.map_or(-1, |gone| jlong::try_from(gone.as_millis()).unwrap_or(jlong::MAX));
        Ok(KnownControllerType::new(env, id, name, host, facts, gone, known.reran)?.into())
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

pub(super) fn records_state<'local>(
    env: &mut Env<'local>,
    state: &RecordsState,
) -> Result<RecordsStateType<'local>, Failure> {
    let phase = match state.phase {
        RecordsPhase::Connecting => RecordsPhaseType::connecting(env),
        RecordsPhase::Ready => RecordsPhaseType::ready(env),
        RecordsPhase::Away => RecordsPhaseType::away(env),
        RecordsPhase::Refused => RecordsPhaseType::refused(env),
        RecordsPhase::Closed => RecordsPhaseType::closed(env),
    }?;
    let text = JString::new(env, &state.text)?;
    let waiting = jlong::try_from(state.waiting).unwrap_or(jlong::MAX);
    let warning = JString::new(env, &state.warning)?;
    Ok(RecordsStateType::new(env, phase, text, waiting, warning)?)
}

pub(super) fn build_page<'local>(
    env: &mut Env<'local>,
    page: &BuildPage,
) -> Result<BuildPageType<'local>, Failure> {
    let builds = build_rows(env, &page.builds)?;
    let next = JString::new(env, &page.next)?;
    Ok(BuildPageType::new(env, builds, next)?)
}

pub(super) fn build_rows<'local>(env: &mut Env<'local>, rows: &[BuildRow]) -> Result<JList<'local>, Failure> {
    list(env, rows, |env, row| Ok(build_row(env, row)?.into()))
}

pub(super) fn build_row<'local>(
    env: &mut Env<'local>,
    row: &BuildRow,
) -> Result<BuildRowType<'local>, Failure> {
    env.with_local_frame_returning_local::<_, BuildRowType<'_>, Failure>(FRAME, |env| {
        let text = to_java(env, row)?;
        let xml = bytes_to_java(env, row.xml.as_deref())?;
        Ok(BuildRowType::of(env, text, xml)?)
    })
}

pub(super) fn config_forms<'local>(
    env: &mut Env<'local>,
    forms: &[ConfigForm],
) -> Result<JList<'local>, Failure> {
    list(env, forms, |env, form| Ok(config_form(env, form)?.into()))
}

pub(super) fn config_form<'local>(
    env: &mut Env<'local>,
    form: &ConfigForm,
) -> Result<ConfigFormType<'local>, Failure> {
    env.with_local_frame_returning_local::<_, ConfigFormType<'_>, Failure>(FRAME, |env| {
        let parts = to_java(env, form)?;
        let text = bytes_to_java(env, form.text.as_deref())?;
        Ok(ConfigFormType::of(env, parts, text)?)
    })
}

pub(super) fn longs<'local>(env: &mut Env<'local>, values: &[jlong]) -> Result<JLongArray<'local>, Failure> {
    let array = JLongArray::new(env, values.len())?;
    array.set_region(env, 0, values)?;
    Ok(array)
}

pub(super) fn texts_to_java<'local>(env: &mut Env<'local>, texts: &[&str]) -> Result<JList<'local>, Failure> {
    list(env, texts, |env, text| Ok(JString::new(env, text)?.into()))
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
