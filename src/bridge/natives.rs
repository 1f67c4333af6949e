//! The native methods of the Java class `Native`: one table, and a few lines for each.
//!
//! Their Javadoc says what they do; names and types must be the same on both sides, which loading the library proves.

use std::ffi::CStr;
use std::path::PathBuf;
use std::time::Duration;

use jni::objects::{JByteArray, JClass, JIntArray, JList, JLongArray, JObjectArray, JString};
use jni::{Env, NativeMethod, native_method};
use jni_sys::{jboolean, jint, jlong};

use super::convert::{
    BuildPageType, BuildRowType, CancelOutcomeType, ConfigFormType, EnqueuedType, EventType, ItemTraceType,
    ItemType, LinkStateType, RecordsStateType, build_page, build_row, build_rows, build_state, bytes,
    cancel_outcome, config_form, config_forms, enqueued, event, form_kind, homes as homes_to_java,
    item as item_to_java, items as items_to_java, link_state, list, log_lines, long_text, longs,
    members as members_to_java, millis_of, moments as moments_to_java, moved_items, offers, optional_bytes,
    optional_text, pairs, records_state as records_state_to_java, text, texts, texts_to_java,
    trace as trace_to_java, wait,
};
use super::errors::{Failure, ThrowHaException};
use super::handles::{CONTROLLERS, RECORDS, held};
use super::log;
use crate::{
    BUILD, BuildQuery, BuildRow, CloudSlot, ConfigForm, Controller, Error, Home, Milestone, NewItem, Origins,
    Pen, Records, RecordsSettings, SealKey, Secret, Settings, SharedState, Turn,
};

macro_rules! native {
    ($($native:tt)*) => {
        native_method! {
            type_map = {
                CancelOutcomeType => "io.jenkins.plugins.ha.bridge.CancelOutcome",
                EnqueuedType => "io.jenkins.plugins.ha.bridge.Enqueued",
                EventType => "io.jenkins.plugins.ha.bridge.Event",
                ItemType => "io.jenkins.plugins.ha.bridge.Item",
                ItemTraceType => "io.jenkins.plugins.ha.bridge.ItemTrace",
                LinkStateType => "io.jenkins.plugins.ha.bridge.LinkState",
                BuildRowType => "io.jenkins.plugins.ha.bridge.BuildRow",
                BuildPageType => "io.jenkins.plugins.ha.bridge.BuildPage",
                ConfigFormType => "io.jenkins.plugins.ha.bridge.ConfigForm",
                RecordsStateType => "io.jenkins.plugins.ha.bridge.RecordsState",
            },
            static fn $($native)*,
            error_policy = ThrowHaException,
        }
    };
}

const NATIVES: &[NativeMethod<'static>] = &[
    native!(build() -> JString),
    native!(natives() -> JList),
    native!(drain_log(level: jint, timeout_millis: jlong) -> JList),
    native!(wake_log()),
    native!(open(
        cluster: JString, redis_url: JString, redis_password: JString, controller_id: JString, name: JString,
        url: JString, version: JString, heartbeat_millis: jlong, lease_millis: jlong, key: jbyte[],
        home: JString[], origins: JString[]
    ) -> jlong),
    native!(test(
        cluster: JString, redis_url: JString, redis_password: JString, controller_id: JString, name: JString,
        url: JString, version: JString, heartbeat_millis: jlong, lease_millis: jlong, key: jbyte[],
        home: JString[], origins: JString[], timeout_millis: jlong
    ) -> JList),
    native!(link(handle: jlong) -> LinkStateType),
    native!(threads(handle: jlong) -> JList),
    native!(vouch(handle: jlong, problem: JString)),
    native!(reread(handle: jlong)),
    native!(await_joined(handle: jlong, timeout_millis: jlong) -> jboolean),
    native!(next_queue_id(handle: jlong) -> jlong),
    native!(raise_queue_ids(handle: jlong, floor: jlong)),
    native!(enqueue(
        handle: jlong, id: jlong, job: JString, lane: JString, priority: jint, quiet_millis: jlong,
        concurrent: jboolean, pinned: JString, payload: jbyte[], seen_revision: jlong, note: JString
    ) -> EnqueuedType),
    native!(keep_accepted(
        handle: jlong, id: jlong, job: JString, lane: JString, priority: jint, quiet_millis: jlong,
        concurrent: jboolean, pinned: JString, payload: jbyte[]
    )),
    native!(kept_accepted(handle: jlong) -> JList),
    native!(store_accepted(handle: jlong) -> ItemType),
    native!(rename_accepted(handle: jlong, id: jlong, new_id: jlong, payload: jbyte[])),
    native!(fold(
        handle: jlong, id: jlong, seen_revision: jlong, payload: jbyte[], due_in_millis: jlong, note: JString
    ) -> EnqueuedType),
    native!(fold_held(handle: jlong, id: jlong, seen_revision: jlong, payload: jbyte[], note: JString) -> EnqueuedType),
    native!(claim(handle: jlong, lanes: JString[], rooms: jint[], max: jint, timeout_millis: jlong) -> JList),
    native!(prefer(handle: jlong, first: jlong[])),
    native!(wake(handle: jlong)),
    native!(assign_number(handle: jlong, id: jlong, job: JString, floor: jint) -> jint),
    native!(forget_numbers(handle: jlong, job: JString, highest: jint)),
    native!(begin(handle: jlong, what: JString, remember_millis: jlong) -> JString),
    native!(done(handle: jlong, what: JString, note: JString, remember_millis: jlong)),
    native!(not_done(handle: jlong, what: JString)),
    native!(clock_millis(handle: jlong) -> jlong),
    native!(started(handle: jlong, id: jlong, number: jint)),
    native!(finished(handle: jlong, id: jlong, result: JString)),
    native!(cancelled(handle: jlong, id: jlong, why: JString)),
    native!(release(handle: jlong, id: jlong, delay_millis: jlong, why: JString)),
    native!(leave_to_others(handle: jlong, id: jlong, pause_millis: jlong, why: JString)),
    native!(requeue(handle: jlong, id: jlong, why: JString)),
    native!(pass(handle: jlong, id: jlong) -> JString),
    native!(rerun(handle: jlong, id: jlong, result: JString, new_id: jlong, payload: jbyte[], most: jint) -> jlong),
    native!(keep(handle: jlong, id: jlong)),
    native!(resume(handle: jlong, id: jlong)),
    native!(adopt(handle: jlong, id: jlong)),
    native!(hand_over(handle: jlong, id: jlong, taker: JString) -> jboolean),
    native!(jobs_moved(
        handle: jlong, from: JString[], to: JString[], ids: jlong[], places: jint[], lengths: jint[], payloads: jbyte[]
    ) -> jlong),
    native!(unwanted(handle: jlong, id: jlong, who: JString)),
    native!(holds_lease(handle: jlong) -> jboolean),
    native!(park(handle: jlong, id: jlong, why: JString)),
    native!(cancel(handle: jlong, id: jlong, who: JString) -> CancelOutcomeType),
    native!(item(handle: jlong, id: jlong) -> ItemType),
    native!(trace(handle: jlong, id: jlong) -> ItemTraceType),
    native!(items(handle: jlong) -> JList),
    native!(next_event(handle: jlong, timeout_millis: jlong) -> EventType),
    native!(announce(handle: jlong, topic: JString, subject: JString, number: jlong, body: jbyte[])),
    native!(ask(
        handle: jlong, controller_id: JString, topic: JString, body: jbyte[], request_id: JString,
        timeout_millis: jlong
    ) -> jbyte[]),
    native!(answer(handle: jlong, request_id: JString, body: jbyte[])),
    native!(members(handle: jlong) -> JList),
    native!(homes(handle: jlong) -> JList),
    native!(moments(handle: jlong, most: jint) -> JList),
    native!(note_moment(handle: jlong, what: JString, text: JString)),
    native!(describe(handle: jlong, facts: JString)),
    native!(store_setting(
        handle: jlong, path: JString, base: jlong, version: jlong, digest: JString, author: JString, body: jbyte[]
    ) -> jlong),
    native!(kept_setting(handle: jlong, path: JString) -> jbyte[]),
    native!(kept_settings(handle: jlong) -> JList),
    native!(tell_computers(handle: jlong, body: JString)),
    native!(computers(handle: jlong) -> JList),
    native!(take_cloud_slot(handle: jlong, id: JString, cloud: JString, cap: jint) -> jint),
    native!(keep_cloud_agent(handle: jlong, id: JString, cloud: JString, agent: JString, body: jbyte[]) -> JString),
    native!(end_cloud_agent(handle: jlong, id: JString) -> JString),
    native!(pass_cloud_agent(handle: jlong, id: JString, to: JString) -> jboolean),
    native!(cloud_agents(handle: jlong) -> JList),
    native!(cloud_agent_text(handle: jlong, id: JString) -> jbyte[]),
    native!(take_agent(handle: jlong, agent: JString) -> JString),
    native!(give_agent(handle: jlong, agent: JString, to: JString) -> jboolean),
    native!(agents(handle: jlong) -> JList),
    native!(take_state(handle: jlong, name: JString, known: jlong) -> jbyte[]),
    native!(store_state(
        handle: jlong, name: JString, base: jlong, version: jlong, body: jbyte[], give: jboolean
    ) -> jboolean),
    native!(state(handle: jlong, name: JString, known: jlong) -> jbyte[]),
    native!(milestone(handle: jlong, job: JString, build: jlong, passed: JString) -> JList),
    native!(forget_milestones(handle: jlong, job: JString)),
    native!(forget(handle: jlong, controller_id: JString)),
    native!(close(handle: jlong)),
    native!(open_records(
        url: JString, password: JString, cluster: JString, controller_id: JString, incarnation: JString,
        outbox: JString
    ) -> jlong),
    native!(test_records(
        url: JString, password: JString, cluster: JString, controller_id: JString, incarnation: JString,
        outbox: JString, timeout_millis: jlong
    ) -> JString),
    native!(records_state(handle: jlong) -> RecordsStateType),
    native!(save_build(
        handle: jlong, job: JString, number: jint, state: jint, queue_id: jlong, controller_id: JString,
        controller_name: JString, incarnation: JString, epoch: jlong, result: JString, started_millis: jlong,
        duration_millis: jlong, display_name: JString, description: JString, keep: jboolean, agent: JString,
        causes: JString[], users: JString[], parameters: JString[], commits: JString[], xml: jbyte[],
        damage: JString, edit: jboolean
    )),
    native!(flush_build(handle: jlong, job: JString, number: jint, timeout_millis: jlong) -> jboolean),
    native!(delete_build(handle: jlong, job: JString, number: jint)),
    native!(rename_job(handle: jlong, from: JString, to: JString)),
    native!(delete_job(handle: jlong, job: JString, id: JString)),
    native!(find_build(handle: jlong, job: JString, number: jint) -> BuildRowType),
    native!(query_builds(
        handle: jlong, jobs: JString[], result: JString, user: JString, cause: JString, parameter_name: JString,
        parameter_value: JString, controller: JString, agent: JString, commit: JString, from_millis: jlong,
        to_millis: jlong, after: JString, limit: jint
    ) -> BuildPageType),
    native!(newest_build(handle: jlong, job: JString, results: JString[], below: jint) -> BuildRowType),
    native!(build_numbers(handle: jlong, job: JString) -> jlong[]),
    native!(running_builds(handle: jlong, controller_id: JString) -> JList),
    native!(highest_number(handle: jlong, job: JString) -> jint),
    native!(adopt_build(
        handle: jlong, job: JString, number: jint, controller_id: JString, incarnation: JString, epoch: jlong
    ) -> jboolean),
    native!(record_form(
        handle: jlong, subject: JString, kind: jint, author: JString, controller_id: JString,
        controller_name: JString, note: JString, base: JString, seal: JString, text: jbyte[], most: jint
    )),
    native!(forget_forms(handle: jlong, days: jint)),
    native!(forms(handle: jlong, subject: JString, limit: jint) -> JList),
    native!(form(handle: jlong, id: jlong) -> ConfigFormType),
    native!(deleted_forms(handle: jlong, limit: jint) -> JList),
    native!(newest_forms(handle: jlong) -> JList),
    native!(records_counts(handle: jlong) -> jlong[]),
    native!(records_count_names() -> JList),
    native!(close_records(handle: jlong)),
];

/// Gives the class its native methods; fails if it does not declare one of them just so.
pub(super) fn register(env: &mut Env<'_>, class: &JClass<'_>) -> jni::errors::Result<()> {
    // SAFETY: `native_method!` made each function from the signature beside it, and all take the class (static).
    unsafe { env.register_native_methods(class, NATIVES) }
}

fn natives<'local>(env: &mut Env<'local>, _: JClass<'local>) -> Result<JList<'local>, Failure> {
    list(env, NATIVES, |env, native| {
        // SAFETY: NativeMethod is documented to be a transparent wrapper of JNINativeMethod.
        let native: jni_sys::JNINativeMethod = unsafe { std::mem::transmute_copy(native) };
        // SAFETY: `native_method!` made both from string literals that end in NUL.
        let (name, signature) = unsafe { (CStr::from_ptr(native.name), CStr::from_ptr(native.signature)) };
        let line = format!("{}{}", name.to_string_lossy(), signature.to_string_lossy());
        Ok(JString::new(env, line)?.into())
    })
}

fn build<'local>(env: &mut Env<'local>, _: JClass<'local>) -> Result<JString<'local>, Failure> {
    Ok(JString::new(env, BUILD)?)
}

fn drain_log<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    level: jint,
    timeout_millis: jlong,
) -> Result<JList<'local>, Failure> {
    log::set_level(level);
    log_lines(env, &log::drain(wait(timeout_millis)))
}

fn wake_log<'local>(_: &mut Env<'local>, _: JClass<'local>) -> Result<(), Failure> {
    log::wake();
    Ok(())
}

fn settings<'local>(
    env: &mut Env<'local>,
    cluster: JString<'local>,
    redis_url: JString<'local>,
    redis_password: JString<'local>,
    controller_id: JString<'local>,
    name: JString<'local>,
    url: JString<'local>,
    version: JString<'local>,
    heartbeat_millis: jlong,
    lease_millis: jlong,
    key: JByteArray<'local>,
    home: JObjectArray<'local, JString<'local>>,
    origins: JObjectArray<'local, JString<'local>>,
) -> Result<Settings, Failure> {
    let password =
        optional_text(env, "the password", &redis_password)?.filter(|password| !password.is_empty());
    Ok(Settings {
        cluster: text(env, "the cluster's name", &cluster)?,
        redis_url: Secret::new(text(env, "the Redis URL", &redis_url)?),
        username: None,
        password: password.map(Secret::new),
        controller_id: text(env, "the controller's id", &controller_id)?,
        name: text(env, "the controller's name", &name)?,
        url: text(env, "the controller's URL", &url)?,
        version: text(env, "the plugin's version", &version)?,
        heartbeat: millis_of(heartbeat_millis),
        lease: millis_of(lease_millis),
        key: SealKey::try_from(bytes(env, "the cluster key", &key)?.as_slice())?,
        home: home_of(env, &home)?,
        origins: origins_of(env, &origins)?,
        ahead: 0,
    })
}

fn home_of<'local>(
    env: &mut Env<'local>,
    home: &JObjectArray<'local, JString<'local>>,
) -> Result<Home, Failure> {
    let mut parts = texts(env, "parts of the home", home)?.unwrap_or_default().into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let (host, place, id_file) = (next(), next(), next());
    let mut folder = || Some(next()).filter(|path| !path.is_empty()).map(PathBuf::from);
    let (shared, journal) = (folder(), folder());
    Ok(Home { host, place, id_file, shared, journal, likeness: next(), facts: next() })
}

fn origins_of<'local>(
    env: &mut Env<'local>,
    origins: &JObjectArray<'local, JString<'local>>,
) -> Result<Origins, Failure> {
    let mut parts = texts(env, "origins", origins)?.unwrap_or_default().into_iter();
    let mut next = || parts.next().unwrap_or_default();
    Ok(Origins { cluster: next(), redis_url: next(), redis_password: next() })
}

fn open<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    cluster: JString<'local>,
    redis_url: JString<'local>,
    redis_password: JString<'local>,
    controller_id: JString<'local>,
    name: JString<'local>,
    url: JString<'local>,
    version: JString<'local>,
    heartbeat_millis: jlong,
    lease_millis: jlong,
    key: JByteArray<'local>,
    home: JObjectArray<'local, JString<'local>>,
    origins: JObjectArray<'local, JString<'local>>,
) -> Result<jlong, Failure> {
    let settings = settings(
        env,
        cluster,
        redis_url,
        redis_password,
        controller_id,
        name,
        url,
        version,
        heartbeat_millis,
        lease_millis,
        key,
        home,
        origins,
    )?;
    Ok(CONTROLLERS.keep(Controller::open(settings)?))
}

fn test<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    cluster: JString<'local>,
    redis_url: JString<'local>,
    redis_password: JString<'local>,
    controller_id: JString<'local>,
    name: JString<'local>,
    url: JString<'local>,
    version: JString<'local>,
    heartbeat_millis: jlong,
    lease_millis: jlong,
    key: JByteArray<'local>,
    home: JObjectArray<'local, JString<'local>>,
    origins: JObjectArray<'local, JString<'local>>,
    timeout_millis: jlong,
) -> Result<JList<'local>, Failure> {
    let settings = settings(
        env,
        cluster,
        redis_url,
        redis_password,
        controller_id,
        name,
        url,
        version,
        heartbeat_millis,
        lease_millis,
        key,
        home,
        origins,
    )?;
    let (found, warning) = Controller::test(settings, wait(timeout_millis))?;
    texts_to_java(env, &[&found, &warning])
}

fn link<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<LinkStateType<'local>, Failure> {
    let link = held(handle)?.link();
    link_state(env, &link)
}

fn threads<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let lives = held(handle)?.threads();
    let lines: Vec<String> = lives
        .iter()
        .map(|life| {
            format!("{}\t{}\t{}\t{}", life.name, life.round_ago.as_millis(), life.restarts, life.problem)
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    texts_to_java(env, &lines)
}

fn vouch<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    problem: JString<'local>,
) -> Result<(), Failure> {
    let problem = text(env, "what is wrong", &problem)?;
    held(handle)?.vouch(&problem);
    Ok(())
}

fn reread<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<(), Failure> {
    held(handle)?.reread();
    Ok(())
}

fn await_joined<'local>(
    _: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    timeout_millis: jlong,
) -> Result<jboolean, Failure> {
    Ok(held(handle)?.await_joined(wait(timeout_millis)))
}

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
    id: jlong,
    job: JString<'local>,
    lane: JString<'local>,
    priority: jint,
    quiet_millis: jlong,
    concurrent: jboolean,
    pinned: JString<'local>,
    payload: JByteArray<'local>,
    seen_revision: jlong,
    note: JString<'local>,
) -> Result<EnqueuedType<'local>, Failure> {
    let item = new_item(env, id, &job, &lane, priority, quiet_millis, concurrent, &pinned, &payload)?;
    let note = text(env, "why it was triggered", &note)?;
    let answer = held(handle)?.enqueue_noted(item, seen_revision, &note)?;
    enqueued(env, &answer)
}

fn keep_accepted<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    job: JString<'local>,
    lane: JString<'local>,
    priority: jint,
    quiet_millis: jlong,
    concurrent: jboolean,
    pinned: JString<'local>,
    payload: JByteArray<'local>,
) -> Result<(), Failure> {
    let item = new_item(env, id, &job, &lane, priority, quiet_millis, concurrent, &pinned, &payload)?;
    Ok(held(handle)?.keep_accepted(&item)?)
}

#[allow(clippy::too_many_arguments)] // the parts of a Java record
fn new_item<'local>(
    env: &mut Env<'local>,
    id: jlong,
    job: &JString<'local>,
    lane: &JString<'local>,
    priority: jint,
    quiet_ms: jlong,
    concurrent: jboolean,
    pinned: &JString<'local>,
    payload: &JByteArray<'local>,
) -> Result<NewItem, Failure> {
    Ok(NewItem {
        id,
        job: text(env, "the job's name", job)?,
        lane: text(env, "the lane", lane)?,
        priority,
        quiet_ms,
        concurrent,
        pinned: text(env, "the controller it is pinned to", pinned)?,
        payload: bytes(env, "the payload", payload)?,
    })
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

fn claim<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    lanes: JObjectArray<'local, JString<'local>>,
    rooms: JIntArray<'local>,
    max: jint,
    timeout_millis: jlong,
) -> Result<JList<'local>, Failure> {
    let controller = held(handle)?;
    let offers = offers(env, &lanes, &rooms)?;
    let max = usize::try_from(max).unwrap_or_default();
    controller.claim_into(&offers, max, wait(timeout_millis), |items| items_to_java(env, items))
}

fn prefer<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    first: JLongArray<'local>,
) -> Result<(), Failure> {
    let controller = held(handle)?;
    let mut ids = vec![0; first.len(env)?];
    first.get_region(env, 0, &mut ids)?;
    controller.prefer(&ids);
    Ok(())
}

fn wake<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<(), Failure> {
    held(handle)?.wake();
    Ok(())
}

fn assign_number<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    job: JString<'local>,
    floor: jint,
) -> Result<jint, Failure> {
    let job = text(env, "the job's name", &job)?;
    Ok(held(handle)?.assign_number(id, &job, floor)?)
}

fn begin<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    what: JString<'local>,
    remember_millis: jlong,
) -> Result<JString<'local>, Failure> {
    let what = text(env, "what is done once", &what)?;
    let answer = match held(handle)?.begin(&what, millis(remember_millis))? {
        Turn::First => "F".into(),
        Turn::Again => "A".into(),
        Turn::Underway => "U".into(),
        Turn::Done(note) => format!("D{note}"),
    };
    Ok(JString::new(env, answer)?)
}

fn done<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    what: JString<'local>,
    note: JString<'local>,
    remember_millis: jlong,
) -> Result<(), Failure> {
    let (what, note) = (text(env, "what is done once", &what)?, text(env, "the note", &note)?);
    Ok(held(handle)?.done(&what, &note, millis(remember_millis))?)
}

fn forget_numbers<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    highest: jint,
) -> Result<(), Failure> {
    let job = text(env, "the job's name", &job)?;
    Ok(held(handle)?.forget_numbers(&job, highest)?)
}

fn not_done<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    what: JString<'local>,
) -> Result<(), Failure> {
    let what = text(env, "what is done once", &what)?;
    Ok(held(handle)?.not_done(&what)?)
}

fn millis(millis: jlong) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn clock_millis<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<jlong, Failure> {
    Ok(held(handle)?.clock_ms())
}

fn started<'local>(
    _: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    number: jint,
) -> Result<(), Failure> {
    Ok(held(handle)?.started(id, number)?)
}

fn finished<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    result: JString<'local>,
) -> Result<(), Failure> {
    let result = text(env, "the result", &result)?;
    Ok(held(handle)?.finished(id, &result)?)
}

fn cancelled<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    why: JString<'local>,
) -> Result<(), Failure> {
    let why = text(env, "the reason", &why)?;
    Ok(held(handle)?.cancelled(id, &why)?)
}

fn release<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    delay_millis: jlong,
    why: JString<'local>,
) -> Result<(), Failure> {
    let why = text(env, "the reason", &why)?;
    Ok(held(handle)?.release(id, delay_millis, &why)?)
}

fn leave_to_others<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    pause_millis: jlong,
    why: JString<'local>,
) -> Result<(), Failure> {
    let why = text(env, "the reason", &why)?;
    Ok(held(handle)?.leave_to_others(id, pause_millis, &why)?)
}

fn requeue<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    why: JString<'local>,
) -> Result<(), Failure> {
    let why = text(env, "the reason", &why)?;
    Ok(held(handle)?.requeue(id, &why)?)
}

fn pass<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
) -> Result<JString<'local>, Failure> {
    match held(handle)?.pass(id)? {
        Some(to) => Ok(JString::new(env, to)?),
        None => Ok(JString::default()),
    }
}

fn rerun<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    result: JString<'local>,
    new_id: jlong,
    payload: JByteArray<'local>,
    most: jint,
) -> Result<jlong, Failure> {
    let result = text(env, "the result", &result)?;
    let payload = bytes(env, "the payload", &payload)?;
    let most = u32::try_from(most).ok();
    Ok(held(handle)?.rerun(id, &result, new_id, &payload, most)?.unwrap_or_default())
}

fn keep<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong, id: jlong) -> Result<(), Failure> {
    Ok(held(handle)?.keep(id)?)
}

fn resume<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong, id: jlong) -> Result<(), Failure> {
    Ok(held(handle)?.resume(id)?)
}

fn adopt<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong, id: jlong) -> Result<(), Failure> {
    Ok(held(handle)?.adopt(id)?)
}

fn hand_over<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    taker: JString<'local>,
) -> Result<jboolean, Failure> {
    let taker = text(env, "the taker", &taker)?;
    Ok(held(handle)?.hand_over(id, &taker)?)
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

fn holds_lease<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<jboolean, Failure> {
    Ok(held(handle)?.holds_lease())
}

fn park<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    why: JString<'local>,
) -> Result<(), Failure> {
    let why = text(env, "the reason", &why)?;
    Ok(held(handle)?.park(id, &why)?)
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

fn next_event<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    timeout_millis: jlong,
) -> Result<EventType<'local>, Failure> {
    let next = held(handle)?.next_event_into(wait(timeout_millis), |next| event(env, next))?;
    Ok(next.unwrap_or_default())
}

fn announce<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    topic: JString<'local>,
    subject: JString<'local>,
    number: jlong,
    body: JByteArray<'local>,
) -> Result<(), Failure> {
    let topic = text(env, "the topic", &topic)?;
    let subject = text(env, "the subject", &subject)?;
    let body = bytes(env, "the body", &body)?;
    Ok(held(handle)?.announce(&topic, &subject, number, &body)?)
}

fn ask<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    controller_id: JString<'local>,
    topic: JString<'local>,
    body: JByteArray<'local>,
    request_id: JString<'local>,
    timeout_millis: jlong,
) -> Result<JByteArray<'local>, Failure> {
    let controller_id = text(env, "the controller's id", &controller_id)?;
    let topic = text(env, "the topic", &topic)?;
    let body = bytes(env, "the body", &body)?;
    let request_id = text(env, "the request's id", &request_id)?;
    let answer = held(handle)?.ask(&controller_id, &topic, &body, &request_id, wait(timeout_millis))?;
    Ok(env.byte_array_from_slice(&answer)?)
}

fn answer<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    request_id: JString<'local>,
    body: JByteArray<'local>,
) -> Result<(), Failure> {
    let request_id = text(env, "the request's id", &request_id)?;
    let body = bytes(env, "the body", &body)?;
    Ok(held(handle)?.answer(&request_id, &body)?)
}

fn members<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let members = held(handle)?.members()?;
    members_to_java(env, &members)
}

fn moments<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    most: jint,
) -> Result<JList<'local>, Failure> {
    let moments = held(handle)?.moments(u32::try_from(most).unwrap_or(1))?;
    moments_to_java(env, &moments)
}

fn note_moment<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    what: JString<'local>,
    note: JString<'local>,
) -> Result<(), Failure> {
    let (what, note) = (text(env, "what happened", &what)?, text(env, "the note", &note)?);
    Ok(held(handle)?.note_moment(&what, &note)?)
}

fn homes<'local>(env: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<JList<'local>, Failure> {
    let homes = held(handle)?.homes()?;
    homes_to_java(env, &homes)
}

fn describe<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    facts: JString<'local>,
) -> Result<(), Failure> {
    let facts = long_text(env, "the facts", &facts)?;
    Ok(held(handle)?.describe(&facts)?)
}

fn store_setting<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    path: JString<'local>,
    base: jlong,
    version: jlong,
    digest: JString<'local>,
    author: JString<'local>,
    body: JByteArray<'local>,
) -> Result<jlong, Failure> {
    let (path, digest) = (text(env, "the path", &path)?, text(env, "the digest", &digest)?);
    let author = text(env, "the author", &author)?;
    let body = optional_bytes(env, "the setting", &body, NewItem::MAX_PAYLOAD)?;
    Ok(held(handle)?.store_setting(&path, base, version, &digest, &author, body.as_deref())?)
}

/// The head, an empty line, the text.
fn kept_setting<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    path: JString<'local>,
) -> Result<JByteArray<'local>, Failure> {
    let path = text(env, "the path", &path)?;
    let Some((kept, body)) = held(handle)?.setting(&path)? else { return Ok(JByteArray::default()) };
    let mut whole = format!("{}\n\n", kept.head()).into_bytes();
    whole.extend_from_slice(&body);
    Ok(env.byte_array_from_slice(&whole)?)
}

/// Paths, each with its head behind a line break.
fn kept_settings<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let kept = held(handle)?.settings()?;
    let lines: Vec<String> = kept.iter().map(|one| format!("{}\n{}", one.path, one.head())).collect();
    texts_to_java(env, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn tell_computers<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    body: JString<'local>,
) -> Result<(), Failure> {
    let body = text(env, "what is said of the executors", &body)?;
    Ok(held(handle)?.tell_computers(&body)?)
}

/// Of each the controller, a line break, and its text.
fn computers<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let told = held(handle)?.computers()?;
    let texts: Vec<String> = told.iter().map(|one| format!("{}\n{}", one.controller_id, one.text)).collect();
    texts_to_java(env, &texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// How many there are when there is no slot left; -1 when one was taken.
fn take_cloud_slot<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: JString<'local>,
    cloud: JString<'local>,
    cap: jint,
) -> Result<jint, Failure> {
    let (id, cloud) = (text(env, "the slot", &id)?, text(env, "the cloud", &cloud)?);
    let full = held(handle)?.take_cloud_slot(&id, &cloud, u32::try_from(cap).unwrap_or(0))?;
    Ok(full.map_or(-1, |count| jint::try_from(count).unwrap_or(jint::MAX)))
}

fn keep_cloud_agent<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: JString<'local>,
    cloud: JString<'local>,
    agent: JString<'local>,
    body: JByteArray<'local>,
) -> Result<JString<'local>, Failure> {
    let (id, cloud) = (text(env, "the slot", &id)?, text(env, "the cloud", &cloud)?);
    let agent = text(env, "the agent", &agent)?;
    let body = optional_bytes(env, "the agent", &body, NewItem::MAX_PAYLOAD)?.unwrap_or_default();
    let slot = held(handle)?.keep_cloud_agent(&id, &cloud, &agent, &body)?;
    Ok(JString::new(env, word_of(slot))?)
}

fn end_cloud_agent<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: JString<'local>,
) -> Result<JString<'local>, Failure> {
    let id = text(env, "the slot", &id)?;
    let slot = held(handle)?.end_cloud_agent(&id)?;
    Ok(JString::new(env, word_of(slot))?)
}

fn word_of(slot: CloudSlot) -> &'static str {
    match slot {
        CloudSlot::Ours => "OURS",
        CloudSlot::Ended => "ENDED",
        CloudSlot::Held => "HELD",
    }
}

fn pass_cloud_agent<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: JString<'local>,
    to: JString<'local>,
) -> Result<jboolean, Failure> {
    let (id, to) = (text(env, "the slot", &id)?, text(env, "its new holder", &to)?);
    Ok(held(handle)?.pass_cloud_agent(&id, &to)?)
}

/// Of each the slot, whether its holder is a member, the holder's id and epoch, the cloud, since when, and the agent, a line each.
fn cloud_agents<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let agents = held(handle)?.cloud_agents()?;
    let lines: Vec<String> = agents
        .iter()
        .map(|one| {
            format!(
                "{}\n{}\n{}\n{}\n{}\n{}\n{}",
                one.id, one.alive, one.controller_id, one.epoch, one.cloud, one.since_ms, one.agent
            )
        })
        .collect();
    texts_to_java(env, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn cloud_agent_text<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: JString<'local>,
) -> Result<JByteArray<'local>, Failure> {
    let id = text(env, "the slot", &id)?;
    match held(handle)?.cloud_agent_text(&id)? {
        Some(body) => Ok(env.byte_array_from_slice(&body)?),
        None => Ok(JByteArray::default()),
    }
}

/// The owner's id, a line break, its epoch.
fn take_agent<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    agent: JString<'local>,
) -> Result<JString<'local>, Failure> {
    let agent = text(env, "the agent", &agent)?;
    let owner = held(handle)?.take_agent(&agent)?;
    Ok(JString::new(env, format!("{}\n{}", owner.controller_id, owner.epoch))?)
}

fn give_agent<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    agent: JString<'local>,
    to: JString<'local>,
) -> Result<jboolean, Failure> {
    let (agent, to) = (text(env, "the agent", &agent)?, text(env, "its new owner", &to)?);
    Ok(held(handle)?.give_agent(&agent, &to)?)
}

/// Of each the agent, the owner's id and its epoch, a line each.
fn agents<'local>(env: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<JList<'local>, Failure> {
    let owners = held(handle)?.agents()?;
    let lines: Vec<String> =
        owners.iter().map(|one| format!("{}\n{}\n{}", one.agent, one.controller_id, one.epoch)).collect();
    texts_to_java(env, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// As [`shared_state`]; where another has the pen, "HELD", a line break and its id.
fn take_state<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    name: JString<'local>,
    known: jlong,
) -> Result<JByteArray<'local>, Failure> {
    let name = text(env, "the state's name", &name)?;
    let whole = match held(handle)?.take_state(&name, known)? {
        Pen::Taken(state) => shared_state(&state),
        Pen::Held(by) => format!("HELD\n{by}").into_bytes(),
    };
    Ok(env.byte_array_from_slice(&whole)?)
}

fn store_state<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    name: JString<'local>,
    base: jlong,
    version: jlong,
    body: JByteArray<'local>,
    give: jboolean,
) -> Result<jboolean, Failure> {
    let name = text(env, "the state's name", &name)?;
    let body = optional_bytes(env, "the state", &body, NewItem::MAX_PAYLOAD)?;
    Ok(held(handle)?.store_state(&name, base, version, body.as_deref(), give)?)
}

fn state<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    name: JString<'local>,
    known: jlong,
) -> Result<JByteArray<'local>, Failure> {
    let name = text(env, "the state's name", &name)?;
    let state = held(handle)?.state(&name, known)?;
    Ok(env.byte_array_from_slice(&shared_state(&state))?)
}

/// "SAME" or "NEW", a line break, the version, a line break, the text if it is new.
fn shared_state(state: &SharedState) -> Vec<u8> {
    let word = if state.body.is_some() { "NEW" } else { "SAME" };
    let mut whole = format!("{word}\n{}\n", state.version).into_bytes();
    whole.extend_from_slice(state.body.as_deref().unwrap_or_default());
    whole
}

/// What was noted of the build before, then build numbers, each with its milestone behind a line break.
fn milestone<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    build: jlong,
    passed: JString<'local>,
) -> Result<JList<'local>, Failure> {
    let (job, word) = (text(env, "the job", &job)?, text(env, "the milestone", &passed)?);
    let noted = match word.as_str() {
        "" => Milestone::Begun,
        "-" => Milestone::Ended,
        ordinal => Milestone::Passed(
            ordinal
                .parse()
                .map_err(|_| Error::Invalid(format!("A milestone is a number: {ordinal:?} is none")))?,
        ),
    };
    let all = held(handle)?.milestone(&job, build, noted)?;
    let word = |ordinal: Option<i64>| ordinal.map(|o| o.to_string()).unwrap_or_default();
    let mut lines = vec![all.before.map_or_else(|| "-".to_owned(), word)];
    lines.extend(all.passed.iter().map(|(build, ordinal)| format!("{build}\n{}", word(*ordinal))));
    texts_to_java(env, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn forget_milestones<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
) -> Result<(), Failure> {
    let job = text(env, "the job", &job)?;
    Ok(held(handle)?.forget_milestones(&job)?)
}

fn forget<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    controller_id: JString<'local>,
) -> Result<(), Failure> {
    let controller_id = text(env, "the controller's id", &controller_id)?;
    Ok(held(handle)?.forget(&controller_id)?)
}

fn close<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<(), Failure> {
    if let Some(controller) = CONTROLLERS.take(handle) {
        controller.close();
    }
    Ok(())
}

fn records_settings<'local>(
    env: &mut Env<'local>,
    url: JString<'local>,
    password: JString<'local>,
    cluster: JString<'local>,
    controller_id: JString<'local>,
    incarnation: JString<'local>,
    outbox: JString<'local>,
) -> Result<RecordsSettings, Failure> {
    let password = optional_text(env, "the password", &password)?.filter(|password| !password.is_empty());
    Ok(RecordsSettings {
        url: Secret::new(text(env, "the database URL", &url)?),
        password: password.map(Secret::new),
        cluster: text(env, "the cluster's name", &cluster)?,
        controller_id: text(env, "the controller's id", &controller_id)?,
        incarnation: text(env, "the incarnation", &incarnation)?,
        outbox: text(env, "the outbox", &outbox)?.into(),
    })
}

fn open_records<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    url: JString<'local>,
    password: JString<'local>,
    cluster: JString<'local>,
    controller_id: JString<'local>,
    incarnation: JString<'local>,
    outbox: JString<'local>,
) -> Result<jlong, Failure> {
    let settings = records_settings(env, url, password, cluster, controller_id, incarnation, outbox)?;
    Ok(RECORDS.keep(Records::open(settings)?))
}

fn test_records<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    url: JString<'local>,
    password: JString<'local>,
    cluster: JString<'local>,
    controller_id: JString<'local>,
    incarnation: JString<'local>,
    outbox: JString<'local>,
    timeout_millis: jlong,
) -> Result<JString<'local>, Failure> {
    let settings = records_settings(env, url, password, cluster, controller_id, incarnation, outbox)?;
    let found = Records::test(settings, wait(timeout_millis))?;
    Ok(JString::new(env, found)?)
}

fn records_state<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<RecordsStateType<'local>, Failure> {
    let state = RECORDS.held(handle)?.state();
    records_state_to_java(env, &state)
}

fn save_build<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    number: jint,
    state: jint,
    queue_id: jlong,
    controller_id: JString<'local>,
    controller_name: JString<'local>,
    incarnation: JString<'local>,
    epoch: jlong,
    result: JString<'local>,
    started_millis: jlong,
    duration_millis: jlong,
    display_name: JString<'local>,
    description: JString<'local>,
    keep: jboolean,
    agent: JString<'local>,
    causes: JObjectArray<'local, JString<'local>>,
    users: JObjectArray<'local, JString<'local>>,
    parameters: JObjectArray<'local, JString<'local>>,
    commits: JObjectArray<'local, JString<'local>>,
    xml: JByteArray<'local>,
    damage: JString<'local>,
    edit: jboolean,
) -> Result<(), Failure> {
    let records = RECORDS.held(handle)?;
    let row = BuildRow {
        job: text(env, "the job's name", &job)?,
        number,
        state: build_state(state)?,
        version: 0,
        queue_id,
        controller_id: long_text(env, "the controller's id", &controller_id)?,
        controller_name: long_text(env, "the controller's name", &controller_name)?,
        incarnation: long_text(env, "the incarnation", &incarnation)?,
        epoch,
        result: long_text(env, "the result", &result)?,
        started_ms: started_millis,
        duration_ms: duration_millis,
        display_name: long_text(env, "the display name", &display_name)?,
        description: long_text(env, "the description", &description)?,
        keep,
        agent: long_text(env, "the agent", &agent)?,
        causes: texts(env, "causes", &causes)?.unwrap_or_default(),
        users: texts(env, "users", &users)?.unwrap_or_default(),
        parameters: pairs(env, "parameters", &parameters)?,
        commits: texts(env, "commits", &commits)?.unwrap_or_default(),
        xml: optional_bytes(env, "the build.xml", &xml, BuildRow::MAX_XML)?,
        damage: long_text(env, "the damage", &damage)?,
    };
    Ok(records.save(row, edit)?)
}

fn flush_build<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    number: jint,
    timeout_millis: jlong,
) -> Result<jboolean, Failure> {
    let job = text(env, "the job's name", &job)?;
    Ok(RECORDS.held(handle)?.flush(&job, number, wait(timeout_millis))?)
}

fn delete_build<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    number: jint,
) -> Result<(), Failure> {
    let job = text(env, "the job's name", &job)?;
    Ok(RECORDS.held(handle)?.delete(&job, number)?)
}

fn rename_job<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    from: JString<'local>,
    to: JString<'local>,
) -> Result<(), Failure> {
    let from = text(env, "the job's old name", &from)?;
    let to = text(env, "the job's new name", &to)?;
    Ok(RECORDS.held(handle)?.rename(&from, &to)?)
}

fn delete_job<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    id: JString<'local>,
) -> Result<(), Failure> {
    let job = text(env, "the job's name", &job)?;
    let id = text(env, "the id of the deletion", &id)?;
    Ok(RECORDS.held(handle)?.delete_job(&job, &id)?)
}

fn find_build<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    number: jint,
) -> Result<BuildRowType<'local>, Failure> {
    let job = text(env, "the job's name", &job)?;
    match RECORDS.held(handle)?.find(&job, number)? {
        Some(row) => build_row(env, &row),
        None => Ok(BuildRowType::default()),
    }
}

fn query_builds<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    jobs: JObjectArray<'local, JString<'local>>,
    result: JString<'local>,
    user: JString<'local>,
    cause: JString<'local>,
    parameter_name: JString<'local>,
    parameter_value: JString<'local>,
    controller: JString<'local>,
    agent: JString<'local>,
    commit: JString<'local>,
    from_millis: jlong,
    to_millis: jlong,
    after: JString<'local>,
    limit: jint,
) -> Result<BuildPageType<'local>, Failure> {
    let records = RECORDS.held(handle)?;
    let query = BuildQuery {
        jobs: texts(env, "jobs", &jobs)?,
        result: long_text(env, "the result", &result)?,
        user: long_text(env, "the user", &user)?,
        cause: long_text(env, "the cause", &cause)?,
        parameter_name: long_text(env, "the parameter's name", &parameter_name)?,
        parameter_value: long_text(env, "the parameter's value", &parameter_value)?,
        controller: long_text(env, "the controller", &controller)?,
        agent: long_text(env, "the agent", &agent)?,
        commit: long_text(env, "the commit", &commit)?,
        from_ms: from_millis,
        to_ms: to_millis,
        after: long_text(env, "the page to go on from", &after)?,
        limit: usize::try_from(limit).unwrap_or_default(),
    };
    let page = records.query(&query)?;
    build_page(env, &page)
}

fn newest_build<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    results: JObjectArray<'local, JString<'local>>,
    below: jint,
) -> Result<BuildRowType<'local>, Failure> {
    let job = text(env, "the job's name", &job)?;
    let results = texts(env, "results", &results)?.unwrap_or_default();
    match RECORDS.held(handle)?.newest(&job, &results, below)? {
        Some(row) => build_row(env, &row),
        None => Ok(BuildRowType::default()),
    }
}

fn build_numbers<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
) -> Result<JLongArray<'local>, Failure> {
    let job = text(env, "the job's name", &job)?;
    let numbers = RECORDS.held(handle)?.numbers(&job)?;
    let pairs: Vec<jlong> =
        numbers.into_iter().flat_map(|(number, version)| [jlong::from(number), version]).collect();
    longs(env, &pairs)
}

fn running_builds<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    controller_id: JString<'local>,
) -> Result<JList<'local>, Failure> {
    let controller_id = text(env, "the controller's id", &controller_id)?;
    let rows = RECORDS.held(handle)?.running(&controller_id)?;
    build_rows(env, &rows)
}

fn highest_number<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
) -> Result<jint, Failure> {
    let job = text(env, "the job's name", &job)?;
    Ok(RECORDS.held(handle)?.highest(&job)?)
}

fn adopt_build<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    job: JString<'local>,
    number: jint,
    controller_id: JString<'local>,
    incarnation: JString<'local>,
    epoch: jlong,
) -> Result<jboolean, Failure> {
    let job = text(env, "the job's name", &job)?;
    let controller_id = text(env, "the controller's id", &controller_id)?;
    let incarnation = text(env, "the incarnation", &incarnation)?;
    Ok(RECORDS.held(handle)?.adopt(&job, number, &controller_id, &incarnation, epoch)?)
}

fn record_form<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    subject: JString<'local>,
    kind: jint,
    author: JString<'local>,
    controller_id: JString<'local>,
    controller_name: JString<'local>,
    note: JString<'local>,
    base: JString<'local>,
    seal: JString<'local>,
    bytes: JByteArray<'local>,
    most: jint,
) -> Result<(), Failure> {
    let form = ConfigForm {
        subject: text(env, "the name of what is configured", &subject)?,
        kind: form_kind(kind)?,
        author: long_text(env, "the author", &author)?,
        controller_id: long_text(env, "the controller's id", &controller_id)?,
        controller_name: long_text(env, "the controller's name", &controller_name)?,
        note: long_text(env, "the note", &note)?,
        base: long_text(env, "the digest of the form before", &base)?,
        seal: long_text(env, "the seal", &seal)?,
        text: optional_bytes(env, "the configuration", &bytes, ConfigForm::MAX_BYTES)?,
        ..ConfigForm::default()
    };
    Ok(RECORDS.held(handle)?.record_form(form, u32::try_from(most).unwrap_or_default())?)
}

fn forget_forms<'local>(
    _: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    days: jint,
) -> Result<(), Failure> {
    Ok(RECORDS.held(handle)?.forget_forms(u32::try_from(days).unwrap_or_default())?)
}

fn forms<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    subject: JString<'local>,
    limit: jint,
) -> Result<JList<'local>, Failure> {
    let subject = text(env, "the name of what is configured", &subject)?;
    let found = RECORDS.held(handle)?.forms(&subject, usize::try_from(limit).unwrap_or_default())?;
    config_forms(env, &found)
}

fn form<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
) -> Result<ConfigFormType<'local>, Failure> {
    match RECORDS.held(handle)?.form(id)? {
        Some(form) => config_form(env, &form),
        None => Ok(ConfigFormType::default()),
    }
}

fn deleted_forms<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    limit: jint,
) -> Result<JList<'local>, Failure> {
    let found = RECORDS.held(handle)?.deleted_forms(usize::try_from(limit).unwrap_or_default())?;
    config_forms(env, &found)
}

fn newest_forms<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JList<'local>, Failure> {
    let found = RECORDS.held(handle)?.newest_forms()?;
    let texts: Vec<&str> =
        found.iter().flat_map(|(subject, digest)| [subject.as_str(), digest.as_str()]).collect();
    texts_to_java(env, &texts)
}

fn records_counts<'local>(
    env: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> Result<JLongArray<'local>, Failure> {
    let counts = RECORDS.held(handle)?.counts();
    longs(env, &counts.map(|count| jlong::try_from(count).unwrap_or(jlong::MAX)))
}

fn records_count_names<'local>(env: &mut Env<'local>, _: JClass<'local>) -> Result<JList<'local>, Failure> {
    texts_to_java(env, &Records::COUNTS)
}

fn close_records<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<(), Failure> {
    if let Some(records) = RECORDS.take(handle) {
        records.close();
    }
    Ok(())
}
