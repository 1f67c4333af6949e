//! Records of builds.

use jni::objects::{JByteArray, JClass, JList, JLongArray, JObjectArray, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jboolean, jint, jlong};

use crate::bridge::convert::{
    BuildPageType, BuildRowType, RecordsStateType, build_page, build_row, build_rows, build_state, long_text,
    longs, optional_bytes, optional_text, pairs, records_state as records_state_to_java, text, texts,
    texts_to_java, wait,
};
use crate::bridge::errors::Failure;
use crate::bridge::handles::RECORDS;
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
