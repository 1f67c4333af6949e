//! The native methods of the Java class `Native`: a table for each subject, and a few lines for each method.
//!
//! Their Javadoc says what they do; names and types must be the same on both sides, which loading the library proves.

use std::ffi::CStr;

use jni::objects::{JClass, JList, JString};
use jni::{Env, NativeMethod};
use jni_sys::{jint, jlong};

use super::convert::{list, log_lines, wait};
use super::errors::Failure;
use super::log;
use crate::BUILD;

macro_rules! native {
    ($($native:tt)*) => {{
        #[allow(unused_imports, reason = "each method names some of them")]
        use $crate::bridge::{
            convert::{
                BuildPageType, BuildRowType, CancelOutcomeType, ConfigFormType, EnqueuedType, EventType, ItemTraceType, ItemType,
                LinkStateType, RecordsStateType,
            },
            errors::ThrowHaException,
        };
        jni::native_method! {
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
    }};
}

mod agents;
mod bus;
mod forms;
mod held;
mod membership;
mod queue;
mod records;
mod shared;

/// Each of this file's own, and behind them those of each subject.
const OWN: &[NativeMethod<'static>] = &[
    native!(build() -> JString),
    native!(natives() -> JList),
    native!(drain_log(level: jint, timeout_millis: jlong) -> JList),
    native!(wake_log()),
];

fn all() -> impl Iterator<Item = &'static [NativeMethod<'static>]> {
    [
        OWN,
        membership::NATIVES,
        queue::NATIVES,
        held::NATIVES,
        bus::NATIVES,
        shared::NATIVES,
        agents::NATIVES,
        records::NATIVES,
        forms::NATIVES,
    ]
    .into_iter()
}

/// Gives the class its native methods; fails if it does not declare one of them just so.
pub(super) fn register(env: &mut Env<'_>, class: &JClass<'_>) -> jni::errors::Result<()> {
    for natives in all() {
        // SAFETY: `native_method!` made each function from the signature beside it, and all take the class (static).
        unsafe { env.register_native_methods(class, natives)? };
    }
    Ok(())
}

fn natives<'local>(env: &mut Env<'local>, _: JClass<'local>) -> Result<JList<'local>, Failure> {
    let natives: Vec<_> = all().flatten().collect();
    list(env, &natives, |env, native| {
        // SAFETY: NativeMethod is documented to be a transparent wrapper of JNINativeMethod.
        let native =
            unsafe { std::mem::transmute_copy::<NativeMethod<'static>, jni_sys::JNINativeMethod>(native) };
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
