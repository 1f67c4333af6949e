//! The library with a door for the tests of the bridge: it panics, fails, waits and shows its values when asked. It
//! holds the whole library as it is shipped; what is shipped does not hold this.
//!
//! The Java side is `BridgeDoor` in `tests/java`.

use std::thread::sleep;
use std::time::Duration;

use ha_jenkins::bridge::{EventType, Failure, ThrowHaException, event, held};
use ha_jenkins::{Error, Event, Item, ItemState, LinkState, Phase};
use jni::objects::{JByteArray, JClass, JString};
use jni::{Env, NativeMethod, native_method};
use jni_sys::{jint, jlong};

macro_rules! door {
    ($($native:tt)*) => {
        const _: NativeMethod<'static> = native_method! {
            java_type = "io.jenkins.plugins.ha.bridge.BridgeDoor",
            type_map = { EventType => "io.jenkins.plugins.ha.bridge.Event" },
            static extern fn $($native)*,
            error_policy = ThrowHaException,
        };
    };
}

door!(panic(handle: jlong, secret: JString));
door!(fail(kind: jint, text: JString));
door!(hold(handle: jlong, millis: jlong));
door!(echo_text(text: JString) -> JString);
door!(echo_bytes(bytes: jbyte[]) -> jbyte[]);
door!(write_log(level: jint, text: JString, times: jint));
door!(sample_event(kind: jint) -> EventType);

/// Panics while the handle is in use; with a text made at run time if there is a secret to put into it.
fn panic<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    secret: JString<'local>,
) -> Result<(), Failure> {
    let _held = held(handle)?;
    if secret.is_null() {
        panic!("asked to by a test");
    }
    let secret = secret.try_to_string(env)?;
    panic!("asked to by a test that says {secret}");
}

/// Fails with the error of that number.
fn fail<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    kind: jint,
    text: JString<'local>,
) -> Result<(), Failure> {
    let text = text.try_to_string(env)?;
    Err(Failure::Controller(match kind {
        0 => Error::Unavailable(text),
        1 => Error::Fenced(text),
        2 => Error::Refused(text),
        3 => Error::NotFound(text),
        4 => Error::Conflict(text),
        5 => Error::Invalid(text),
        6 => Error::Closed,
        _ => Error::Bug(text),
    }))
}

/// Keeps the handle in use for a while, as a slow call does.
fn hold<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong, millis: jlong) -> Result<(), Failure> {
    let held = held(handle)?;
    sleep(Duration::from_millis(u64::try_from(millis).unwrap_or_default()));
    held.wake();
    Ok(())
}

fn echo_text<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    text: JString<'local>,
) -> Result<JString<'local>, Failure> {
    let text = text.try_to_string(env)?;
    Ok(JString::new(env, text)?)
}

fn echo_bytes<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    bytes: JByteArray<'local>,
) -> Result<JByteArray<'local>, Failure> {
    let bytes = env.convert_byte_array(&bytes)?;
    Ok(env.byte_array_from_slice(&bytes)?)
}

fn write_log<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    level: jint,
    text: JString<'local>,
    times: jint,
) -> Result<(), Failure> {
    let text = text.try_to_string(env)?;
    let level = match level {
        1 => log::Level::Error,
        2 => log::Level::Warn,
        3 => log::Level::Info,
        4 => log::Level::Debug,
        _ => log::Level::Trace,
    };
    for _ in 0..times {
        log::log!(target: "ha_jenkins::door", level, "{text}");
    }
    Ok(())
}

/// An event of each kind, every field of it different.
fn sample_event<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    kind: jint,
) -> Result<EventType<'local>, Failure> {
    let sample = match kind {
        0 => Event::Snapshot(ALL_STATES.map(sample_item).to_vec()),
        1 => Event::Item(sample_item(ItemState::Queued)),
        2 => Event::Announcement {
            from: "from".into(),
            topic: "topic".into(),
            subject: "subject".into(),
            number: 1 << 40,
            body: vec![1, 2, 255],
        },
        3 => Event::Command {
            from: "from".into(),
            topic: "topic".into(),
            body: vec![],
            request_id: "request".into(),
        },
        4 => Event::Link(LinkState {
            phase: Phase::Refused,
            text: "text".into(),
            epoch: 7,
            redis_clock_offset_ms: 0,
            notice: "notice".into(),
        }),
        5 => Event::Orphaned(Item { payload: None, ..sample_item(ItemState::Orphaned) }),
        6 => Event::Members,
        _ => Event::Snapshot(vec![sample_item(ItemState::Running); 20_000]),
    };
    event(env, &sample)
}

const ALL_STATES: [ItemState; 8] = [
    ItemState::Queued,
    ItemState::Claimed,
    ItemState::Starting,
    ItemState::Running,
    ItemState::Orphaned,
    ItemState::Done,
    ItemState::Cancelled,
    ItemState::Unreadable,
];

fn sample_item(state: ItemState) -> Item {
    Item {
        id: 1 << 41,
        job: "folder/job ä 𝄞".into(),
        state,
        version: 2,
        job_revision: 3,
        lane: "lane".into(),
        priority: 4,
        enqueued_ms: 5,
        due_ms: 6,
        blocked: true,
        concurrent: false,
        pinned: "pinned".into(),
        origin: "origin".into(),
        owner: "owner".into(),
        epoch: 7,
        attempts: 8,
        number: 9,
        result: "result".into(),
        why: "why".into(),
        deaths: 10,
        again: 11,
        payload: Some(vec![0, 1, 2]),
        ..Item::default()
    }
}
