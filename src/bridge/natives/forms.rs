//! The history of configurations.

use jni::objects::{JByteArray, JClass, JList, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jint, jlong};

use crate::ConfigForm;
use crate::bridge::convert::{
    ConfigFormType, config_form, config_forms, optional_bytes, text, texts_to_java,
};
use crate::bridge::errors::Failure;
use crate::bridge::handles::RECORDS;
use crate::bridge::parcel::from_java;

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(record_form(handle: jlong, form: jbyte[], text: jbyte[], most: jint)),
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
    form: JByteArray<'local>,
    text: JByteArray<'local>,
    most: jint,
) -> Result<(), Failure> {
    let text = optional_bytes(env, "the configuration", &text, ConfigForm::MAX_BYTES)?;
    let form = ConfigForm { text, ..from_java(env, "the form of a configuration", &form)? };
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
