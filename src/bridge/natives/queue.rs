//! The queue: what is put into it, and what is seen of it.

use jni::objects::{JByteArray, JClass, JIntArray, JList, JLongArray, JObjectArray, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jlong};

use crate::NewItem;
use crate::bridge::convert::{
    CancelOutcomeType, EnqueuedType, ItemTraceType, ItemType, bytes, cancel_outcome, enqueued,
    item as item_to_java, items as items_to_java, moved_items, text, texts, trace as trace_to_java,
};
use crate::bridge::errors::Failure;
use crate::bridge::handles::held;
use crate::bridge::parcel::from_java;

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(next_queue_id(handle: jlong) -> jlong),
    native!(raise_queue_ids(handle: jlong, floor: jlong)),
    native!(enqueue(
        handle: jlong, item: jbyte[], payload: jbyte[], seen_revision: jlong, note: JString
    ) -> EnqueuedType),
    native!(keep_accepted(handle: jlong, item: jbyte[], payload: jbyte[])),
    native!(kept_accepted(handle: jlong) -> JList),
    native!(store_accepted(handle: jlong) -> ItemType),
    native!(rename_accepted(handle: jlong, id: jlong, new_id: jlong, payload: jbyte[])),
    native!(fold(
        handle: jlong, id: jlong, seen_revision: jlong, payload: jbyte[], due_in_millis: jlong, note: JString
    ) -> EnqueuedType),
    native!(fold_held(handle: jlong, id: jlong, seen_revision: jlong, payload: jbyte[], note: JString) -> EnqueuedType),
    native!(jobs_moved(
        handle: jlong, from: JString[], to: JString[], ids: jlong[], places: jint[], lengths: jint[], payloads: jbyte[]
    ) -> jlong),
    native!(revise(handle: jlong, id: jlong, lane: JString, concurrent: jboolean)),
    native!(unwanted(handle: jlong, id: jlong, who: JString)),
    native!(cancel(handle: jlong, id: jlong, who: JString) -> CancelOutcomeType),
    native!(item(handle: jlong, id: jlong) -> ItemType),
    native!(trace(handle: jlong, id: jlong) -> ItemTraceType),
    native!(items(handle: jlong) -> JList),
];

fn next_queue_id<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<jlong, Failure> {
    Ok(held(handle)?.next_queue_id())
}

fn raise_queue_ids<'local>(
    _: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    floor: jlong,
) -> Result<(), Failure> {
    held(handle)?.raise_queue_ids(floor);
    Ok(())
}

fn enqueue<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    item: JByteArray<'local>,
    payload: JByteArray<'local>,
    seen_revision: jlong,
    note: JString<'local>,
) -> Result<EnqueuedType<'local>, Failure> {
    let item = new_item(env, &item, &payload)?;
    let note = text(env, "why it was triggered", &note)?;
    let answer = held(handle)?.enqueue_noted(item, seen_revision, &note)?;
    enqueued(env, &answer)
}

fn keep_accepted<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    item: JByteArray<'local>,
    payload: JByteArray<'local>,
) -> Result<(), Failure> {
    let item = new_item(env, &item, &payload)?;
    Ok(held(handle)?.keep_accepted(&item)?)
}

fn new_item(env: &Env<'_>, item: &JByteArray<'_>, payload: &JByteArray<'_>) -> Result<NewItem, Failure> {
    Ok(NewItem { payload: bytes(env, "the payload", payload)?, ..from_java(env, "the item", item)? })
}

fn kept_accepted<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let kept = held(handle)?.kept_accepted()?;
    items_to_java(env, &kept)
}

fn store_accepted<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<ItemType<'local>, Failure> {
    match held(handle)?.store_accepted()? {
        Some(item) => item_to_java(env, &item),
        None => Ok(ItemType::default()),
    }
}

fn rename_accepted<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    new_id: jlong,
    payload: JByteArray<'local>,
) -> Result<(), Failure> {
    let payload = bytes(env, "the payload", &payload)?;
    Ok(held(handle)?.rename_accepted(id, new_id, payload)?)
}

fn fold<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    seen_revision: jlong,
    payload: JByteArray<'local>,
    due_in_millis: jlong,
    note: JString<'local>,
) -> Result<EnqueuedType<'local>, Failure> {
    let payload = bytes(env, "the payload", &payload)?;
    let note = text(env, "why it was triggered", &note)?;
    let answer = held(handle)?.fold_noted(id, seen_revision, &payload, due_in_millis, &note)?;
    enqueued(env, &answer)
}

fn fold_held<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    seen_revision: jlong,
    payload: JByteArray<'local>,
    note: JString<'local>,
) -> Result<EnqueuedType<'local>, Failure> {
    let payload = bytes(env, "the payload", &payload)?;
    let note = text(env, "why it was triggered", &note)?;
    let answer = held(handle)?.fold_held_noted(id, seen_revision, &payload, &note)?;
    enqueued(env, &answer)
}

#[allow(clippy::too_many_arguments)] // lists of records cross the bridge as one list a part
fn jobs_moved<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    from: JObjectArray<'local, JString<'local>>,
    to: JObjectArray<'local, JString<'local>>,
    ids: JLongArray<'local>,
    places: JIntArray<'local>,
    lengths: JIntArray<'local>,
    payloads: JByteArray<'local>,
) -> Result<jlong, Failure> {
    let old = texts(env, "old names", &from)?.unwrap_or_default();
    let jobs: Vec<_> = old.into_iter().zip(texts(env, "new names", &to)?.unwrap_or_default()).collect();
    let items = moved_items(env, &ids, &places, &lengths, &payloads)?;
    Ok(held(handle)?.jobs_moved(&jobs, &items)?)
}

fn revise<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    lane: JString<'local>,
    concurrent: jboolean,
) -> Result<(), Failure> {
    let lane = text(env, "lane", &lane)?;
    Ok(held(handle)?.revise(id, &lane, concurrent)?)
}

fn unwanted<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    who: JString<'local>,
) -> Result<(), Failure> {
    let who = text(env, "who wants it ended", &who)?;
    Ok(held(handle)?.unwanted(id, &who)?)
}

fn cancel<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    who: JString<'local>,
) -> Result<CancelOutcomeType<'local>, Failure> {
    let who = text(env, "who cancels", &who)?;
    let outcome = held(handle)?.cancel(id, &who)?;
    cancel_outcome(env, &outcome)
}

fn item<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
) -> Result<ItemType<'local>, Failure> {
    match held(handle)?.item(id)? {
        Some(item) => item_to_java(env, &item),
        None => Ok(ItemType::default()),
    }
}

fn trace<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
) -> Result<ItemTraceType<'local>, Failure> {
    match held(handle)?.trace(id)? {
        Some(trace) => trace_to_java(env, &trace),
        None => Ok(ItemTraceType::default()),
    }
}

fn items<'local>(env: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<JList<'local>, Failure> {
    let items = held(handle)?.items()?;
    items_to_java(env, &items)
}
