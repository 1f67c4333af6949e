//! What the controllers share beside the queue: what is done once, settings, states, milestones.

use std::time::Duration;

use jni::objects::{JByteArray, JClass, JList, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jlong};

use crate::bridge::convert::{optional_bytes, text, texts_to_java};
use crate::bridge::errors::Failure;
use crate::bridge::handles::held;
use crate::{Error, Milestone, NewItem, Pen, SharedState, Turn};

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(begin(handle: jlong, what: JString, remember_millis: jlong) -> JString),
    native!(done(handle: jlong, what: JString, note: JString, remember_millis: jlong)),
    native!(not_done(handle: jlong, what: JString)),
    native!(store_setting(
        handle: jlong, path: JString, base: jlong, version: jlong, digest: JString, author: JString, body: jbyte[]
    ) -> jlong),
    native!(kept_setting(handle: jlong, path: JString) -> jbyte[]),
    native!(kept_settings(handle: jlong) -> JList),
    native!(take_state(handle: jlong, name: JString, known: jlong) -> jbyte[]),
    native!(store_state(
        handle: jlong, name: JString, base: jlong, version: jlong, body: jbyte[], give: jboolean
    ) -> jboolean),
    native!(state(handle: jlong, name: JString, known: jlong) -> jbyte[]),
    native!(milestone(handle: jlong, job: JString, build: jlong, passed: JString) -> JList),
    native!(forget_milestones(handle: jlong, job: JString)),
];

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
