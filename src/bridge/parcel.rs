//! How a value crosses the bridge as one: a text of its parts by their names, as serde makes it, and beside it its bytes.
//!
//! The Java side is `Parcel`. A part is named once in each language, in the struct and in the record; one that only one of
//! them has is a defect, and says so.

use jni::Env;
use jni::objects::JByteArray;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::convert::optional_bytes;
use super::errors::Failure;
use crate::Error;

/// Longest text, bytes: that of a build's record, which the library cuts to what it stores.
const MAX_TEXT: usize = 64 << 20;

/// A value from Java, without its bytes; `what` names it for the error.
pub(super) fn from_java<T: DeserializeOwned>(
    env: &Env<'_>,
    what: &str,
    text: &JByteArray<'_>,
) -> Result<T, Failure> {
    let text = optional_bytes(env, what, text, MAX_TEXT)?
        .ok_or_else(|| Error::Invalid(format!("{what} is missing")))?;
    Ok(serde_json::from_slice(&text)
        .map_err(|error| Error::Invalid(format!("{what} cannot be read: {error}")))?)
}

/// A value for Java, without its bytes.
pub(super) fn to_java<'local>(
    env: &mut Env<'local>,
    value: &impl Serialize,
) -> Result<JByteArray<'local>, Failure> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Error::Bug(format!("a value cannot be told to Java: {error}")))?;
    Ok(env.byte_array_from_slice(&text)?)
}

/// Bytes for Java, null for none.
pub(super) fn bytes_to_java<'local>(
    env: &mut Env<'local>,
    bytes: Option<&[u8]>,
) -> Result<JByteArray<'local>, Failure> {
    match bytes {
        Some(bytes) => Ok(env.byte_array_from_slice(bytes)?),
        None => Ok(JByteArray::null()),
    }
}
