//! The history of configurations.

use jni::objects::{JByteArray, JClass, JList, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jint, jlong};

use crate::ConfigForm;
use crate::bridge::convert::{
    ConfigFormType, config_form, config_forms, form_kind, long_text, optional_bytes, text, texts_to_java,
};
use crate::bridge::errors::Failure;
use crate::bridge::handles::RECORDS;

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(record_form(
        handle: jlong, subject: JString, kind: jint, author: JString, controller_id: JString,
        controller_name: JString, note: JString, base: JString, seal: JString, text: jbyte[], most: jint
    )),
    native!(forget_forms(handle: jlong, days: jint)),
    native!(forms(handle: jlong, subject: JString, limit: jint) -> JList),
    native!(form(handle: jlong, id: jlong) -> ConfigFormType),
    native!(deleted_forms(handle: jlong, limit: jint) -> JList),
    native!(newest_forms(handle: jlong) -> JList),
];

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
