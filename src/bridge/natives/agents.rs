//! Executors, agents, and agents of clouds.

use jni::objects::{JByteArray, JClass, JList, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jint, jlong};

use crate::bridge::convert::{optional_bytes, text, texts_to_java};
use crate::bridge::errors::Failure;
use crate::bridge::handles::held;
use crate::{CloudSlot, NewItem};

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
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
];

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
