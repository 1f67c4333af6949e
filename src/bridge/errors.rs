//! What goes wrong, as Java exceptions. The one place that throws.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::{JString, JThrowable};
use jni::refs::LoaderContext;
use jni::{Env, bind_java_type};

use super::panics;
use crate::Error;

/// Why a native method has no answer.
#[derive(Debug)]
pub enum Failure {
    /// The controller, or the records, say so.
    Controller(Error),
    /// A defect closed the handle; the text says which.
    Poisoned(String),
    /// The JVM says so; an exception may be pending.
    Jvm(jni::errors::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Controller(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Self {
        Self::Jvm(error)
    }
}

/// Throws the subclass of `HaException` that fits, and answers null or 0.
#[derive(Debug)]
pub struct ThrowHaException;

impl<T: Default> ErrorPolicy<T, Failure> for ThrowHaException {
    type Captures<'unowned: 'native, 'native> = ();

    fn on_error<'unowned: 'native, 'native>(
        env: &mut Env<'unowned>,
        _: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        // What the JVM itself has thrown, OutOfMemoryError say, goes on.
        if !env.exception_check() {
            throw(env, failure)?;
        }
        Ok(T::default())
    }

    fn on_panic<'unowned: 'native, 'native>(
        env: &mut Env<'unowned>,
        _: &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        // Its destructor could panic, too.
        std::mem::forget(payload);
        env.exception_clear();
        throw(env, Error::Bug(panics::last()).into())?;
        Ok(T::default())
    }
}

macro_rules! exceptions {
    ($($name:ident => $java:literal,)*) => {
        $(bind_java_type! {
            $name => $java,
            constructors { fn new(text: JString) },
            is_instance_of = { JThrowable },
        })*

        /// Looks up all exception classes and their constructors.
        pub(super) fn bind(env: &mut Env<'_>, context: &LoaderContext<'_, '_>) -> jni::errors::Result<()> {
            $(look_up!($name, env, context);)*
            Ok(())
        }
    };
}

macro_rules! look_up {
    ($name:ident, $env:ident, $context:ident) => {
        <$name<'_> as jni::refs::Reference>::lookup_class($env, $context)?
    };
}

exceptions! {
    Unavailable => "io.jenkins.plugins.ha.bridge.HaException$Unavailable",
    Fenced => "io.jenkins.plugins.ha.bridge.HaException$Fenced",
    Refused => "io.jenkins.plugins.ha.bridge.HaException$Refused",
    NotFound => "io.jenkins.plugins.ha.bridge.HaException$NotFound",
    Conflict => "io.jenkins.plugins.ha.bridge.HaException$Conflict",
    Invalid => "io.jenkins.plugins.ha.bridge.HaException$Invalid",
    Closed => "io.jenkins.plugins.ha.bridge.HaException$Closed",
    Bug => "io.jenkins.plugins.ha.bridge.HaException$Bug",
}

fn throw(env: &mut Env<'_>, failure: Failure) -> jni::errors::Result<()> {
    let error = match failure {
        Failure::Controller(error) => error,
        Failure::Jvm(error) => Error::Bug(format!("the bridge to Java: {error}")),
        Failure::Poisoned(defect) => {
            let text = JString::new(env, format!("closed by a defect of the library: {defect}"))?;
            let exception = Closed::new(env, &text)?;
            return thrown(env.throw(JThrowable::from(exception)));
        }
    };
    let text = JString::new(env, error.to_string())?;
    let exception: JThrowable<'_> = match error {
        Error::Unavailable(_) => Unavailable::new(env, &text)?.into(),
        Error::Fenced(_) => Fenced::new(env, &text)?.into(),
        Error::Refused(_) => Refused::new(env, &text)?.into(),
        Error::NotFound(_) => NotFound::new(env, &text)?.into(),
        Error::Conflict(_) => Conflict::new(env, &text)?.into(),
        Error::Invalid(_) => Invalid::new(env, &text)?.into(),
        Error::Closed => Closed::new(env, &text)?.into(),
        Error::Bug(_) => Bug::new(env, &text)?.into(),
    };
    thrown(env.throw(exception))
}

/// To have thrown is a success here.
fn thrown(outcome: jni::errors::Result<()>) -> jni::errors::Result<()> {
    match outcome {
        Err(jni::errors::Error::JavaException) => Ok(()),
        other => other,
    }
}
