//! What a controller does with the items that it holds or decides on.

use jni::objects::{JByteArray, JClass, JIntArray, JList, JLongArray, JObjectArray, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jint, jlong};

use crate::bridge::convert::{bytes, items as items_to_java, offers, text, wait};
use crate::bridge::errors::Failure;
use crate::bridge::handles::held;

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(claim(handle: jlong, lanes: JString[], rooms: jint[], max: jint, timeout_millis: jlong) -> JList),
    native!(prefer(handle: jlong, first: jlong[])),
    native!(wake(handle: jlong)),
    native!(assign_number(handle: jlong, id: jlong, job: JString, floor: jint) -> jint),
    native!(forget_numbers(handle: jlong, job: JString, highest: jint)),
    native!(started(handle: jlong, id: jlong, number: jint)),
    native!(finished(handle: jlong, id: jlong, result: JString)),
    native!(cancelled(handle: jlong, id: jlong, why: JString)),
    native!(release(handle: jlong, id: jlong, delay_millis: jlong, why: JString)),
    native!(leave_to_others(handle: jlong, id: jlong, pause_millis: jlong, why: JString)),
    native!(requeue(handle: jlong, id: jlong, why: JString)),
    native!(pass(handle: jlong, id: jlong) -> JString),
    native!(rerun(handle: jlong, id: jlong, result: JString, new_id: jlong, payload: jbyte[], most: jint) -> jlong),
    native!(keep(handle: jlong, id: jlong)),
    native!(resume(handle: jlong, id: jlong, number: jint)),
    native!(adopt(handle: jlong, id: jlong)),
    native!(hand_over(handle: jlong, id: jlong, taker: JString) -> jboolean),
    native!(park(handle: jlong, id: jlong, why: JString)),
];

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

fn resume<'local>(
    _: &mut Env<'local>,
    _: JClass<'local>,
    handle: jlong,
    id: jlong,
    number: jint,
) -> Result<(), Failure> {
    Ok(held(handle)?.resume(id, number)?)
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
