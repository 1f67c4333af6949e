//! The library as Java sees it: the one part that knows of the JVM.
//!
//! All native methods belong to the Java class `Native` and stand in tables by subject ([`natives`]), which are registered when
//! the JVM loads the library: a missing or misspelt one fails there, not at its first use. Each is a few lines: take the
//! arguments over ([`convert`]), call the [`Controller`](crate::Controller) or the
//! [`Records`](crate::Records) behind the handle ([`handles`]), hand the
//! answer back. Errors and panics become Java exceptions in one place ([`errors`]).
//!
//! No thread of this library ever attaches to the JVM: Java threads come down and wait. Nothing is called in Java but
//! constructors, `List.of`, and the `of` by which a record is made of its parcel ([`parcel`]).
#![allow(unsafe_code)]
// Public for the library that tests the bridge, and for nobody else.
#![allow(missing_docs)]
// What is more than a few parts crosses as one (parcel.rs); settings cross one by one, so that no secret is part of a text.
#![allow(clippy::too_many_arguments)]

mod convert;
mod errors;
mod handles;
mod log;
mod natives;
mod panics;
mod parcel;

pub use convert::{EventType, event};
pub use errors::{Failure, ThrowHaException};
pub use handles::{Held, held};

use std::ffi::c_void;
use std::panic::catch_unwind;

use jni::objects::JClass;
use jni::refs::LoaderContext;
use jni::{Env, JavaVM, jni_str};

/// Called by the JVM when the library is loaded. Throws `UnsatisfiedLinkError` when the library and the Java classes do
/// not belong together.
///
/// # Safety
///
/// For the JVM only: `vm` must be the running JVM.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn JNI_OnLoad(vm: *mut jni_sys::JavaVM, _reserved: *mut c_void) -> jni_sys::jint {
    let loaded = catch_unwind(|| {
        // SAFETY: the JVM passes itself.
        let vm = unsafe { JavaVM::from_raw(vm) };
        vm.with_top_local_frame(|env| -> jni::errors::Result<()> {
            if let Err(error) = bind(env) {
                env.exception_clear();
                let text = jni::strings::JNIString::new(format!("library and plugin do not match: {error}"));
                return env.throw_new(jni_str!("java/lang/UnsatisfiedLinkError"), text);
            }
            Ok(())
        })
    });
    match loaded {
        // An exception that is pending now is thrown by System.load.
        Ok(Ok(()) | Err(jni::errors::Error::JavaException)) => jni_sys::JNI_VERSION_1_8,
        _ => jni_sys::JNI_ERR,
    }
}

/// Looks up all classes and registers all natives.
fn bind(env: &mut Env<'_>) -> jni::errors::Result<()> {
    panics::install();
    log::install();
    // Not by the thread's context class loader: several copies of the plugin's classes may live in one JVM, and here
    // FindClass asks the class loader of the class that loads this library.
    let class: JClass<'_> = env.find_class(jni_str!("io/jenkins/plugins/ha/bridge/Native"))?;
    let loader = class.get_class_loader(env)?;
    let context = LoaderContext::Loader(&loader);
    convert::bind(env, &context)?;
    errors::bind(env, &context)?;
    natives::register(env, &class)
}
