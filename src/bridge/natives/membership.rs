//! How this controller stands with the cluster, and the other controllers.

use std::path::PathBuf;

use jni::objects::{JByteArray, JClass, JList, JObjectArray, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jint, jlong};

use crate::bridge::convert::{
    LinkStateType, bytes, homes as homes_to_java, link_state, long_text, members as members_to_java,
    millis_of, moments as moments_to_java, optional_text, text, texts, texts_to_java, wait,
};
use crate::bridge::errors::Failure;
use crate::bridge::handles::{CONTROLLERS, held};
use crate::{Controller, Home, Origins, SealKey, Secret, Settings};

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
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
    native!(clock_millis(handle: jlong) -> jlong),
    native!(holds_lease(handle: jlong) -> jboolean),
    native!(members(handle: jlong) -> JList),
    native!(homes(handle: jlong) -> JList),
    native!(moments(handle: jlong, most: jint) -> JList),
    native!(note_moment(handle: jlong, what: JString, text: JString)),
    native!(describe(handle: jlong, facts: JString)),
    native!(forget(handle: jlong, controller_id: JString)),
    native!(close(handle: jlong)),
];

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

fn clock_millis<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<jlong, Failure> {
    Ok(held(handle)?.clock_ms())
}

fn holds_lease<'local>(_: &mut Env<'local>, _: JClass<'local>, handle: jlong) -> Result<jboolean, Failure> {
    Ok(held(handle)?.holds_lease())
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
