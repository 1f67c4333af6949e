//! Records of builds.

use jni::objects::{JByteArray, JClass, JList, JLongArray, JObjectArray, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jint, jlong};

use crate::bridge::convert::{
    BuildPageType, BuildRowType, RecordsStateType, build_page, build_row, build_rows, longs, optional_bytes,
    optional_text, records_state as records_state_to_java, text, texts, texts_to_java, wait,
};
use crate::bridge::errors::Failure;
use crate::bridge::handles::RECORDS;
use crate::bridge::parcel::from_java;
use crate::{BuildQuery, BuildRow, Records, RecordsSettings, Secret};

pub(super) const NATIVES: &[NativeMethod<'static>] = &[
    native!(open_records(
        url: JString, password: JString, cluster: JString, controller_id: JString, incarnation: JString,
        outbox: JString
    ) -> jlong),
    native!(test_records(
        url: JString, password: JString, cluster: JString, controller_id: JString, incarnation: JString,
        outbox: JString, timeout_millis: jlong
    ) -> JString),
    native!(records_state(handle: jlong) -> RecordsStateType),
    native!(save_build(handle: jlong, row: jbyte[], xml: jbyte[], edit: jboolean)),
    native!(flush_build(handle: jlong, job: JString, number: jint, timeout_millis: jlong) -> jboolean),
    native!(delete_build(handle: jlong, job: JString, number: jint)),
    native!(rename_job(handle: jlong, from: JString, to: JString)),
    native!(delete_job(handle: jlong, job: JString, id: JString)),
    native!(find_build(handle: jlong, job: JString, number: jint) -> BuildRowType),
    native!(query_builds(handle: jlong, query: jbyte[]) -> BuildPageType),
    native!(newest_build(handle: jlong, job: JString, results: JString[], below: jint) -> BuildRowType),
    native!(build_numbers(handle: jlong, job: JString) -> jlong[]),
    native!(running_builds(handle: jlong, controller_id: JString) -> JList),
    native!(highest_number(handle: jlong, job: JString) -> jint),
    native!(adopt_build(
        handle: jlong, job: JString, number: jint, controller_id: JString, incarnation: JString, epoch: jlong
    ) -> jboolean),
    native!(records_counts(handle: jlong) -> jlong[]),
    native!(records_count_names() -> JList),
    native!(close_records(handle: jlong)),
];

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
    row: JByteArray<'local>,
    xml: JByteArray<'local>,
    edit: jboolean,
) -> Result<(), Failure> {
    let records = RECORDS.held(handle)?;
    let xml = optional_bytes(env, "the build.xml", &xml, BuildRow::MAX_XML)?;
    let row = BuildRow { version: 0, xml, ..from_java(env, "the record of a build", &row)? };
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
    query: JByteArray<'local>,
) -> Result<BuildPageType<'local>, Failure> {
    let records = RECORDS.held(handle)?;
    let query: BuildQuery = from_java(env, "what builds are asked for", &query)?;
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
