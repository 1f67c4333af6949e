//! Events, announcements and commands.

use jni::objects::{JByteArray, JClass, JString};
use jni::{Env, NativeMethod};
use jni_sys::jlong;

use crate::bridge::convert::{EventType, bytes, event, text, wait};
use crate::bridge::errors::Failure;
use crate::bridge::handles::held;

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(next_event(handle: jlong, timeout_millis: jlong) -> EventType),
    native!(announce(handle: jlong, topic: JString, subject: JString, number: jlong, body: jbyte[])),
    native!(ask(
        handle: jlong, controller_id: JString, topic: JString, body: jbyte[], request_id: JString,
        timeout_millis: jlong
    ) -> jbyte[]),
    native!(answer(handle: jlong, request_id: JString, body: jbyte[])),
];

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
