//! What a panic leaves behind: where it was, for the exception and the log.

use std::cell::RefCell;
use std::panic::{PanicHookInfo, set_hook};

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes each panic for the exception that it becomes, and in the log, instead of writing to standard error.
pub(super) fn install() {
    set_hook(Box::new(|info| {
        let text = describe(info);
        log::error!("{text}, in thread {}", std::thread::current().name().unwrap_or("of Java"));
        LAST.with(|last| last.replace(Some(text)));
    }));
}

/// The place, and the text if it is a constant: one made at run time may hold a secret.
fn describe(info: &PanicHookInfo<'_>) -> String {
    let place = match info.location() {
        Some(location) => format!("{}:{}", location.file(), location.line()),
        None => "an unknown place".to_owned(),
    };
    match info.payload().downcast_ref::<&'static str>() {
        Some(text) => format!("panic at {place}: {text}"),
        None => format!("panic at {place}"),
    }
}

/// What the last panic of this thread was.
pub(super) fn last() -> String {
    LAST.with_borrow(|last| last.clone()).unwrap_or_else(|| "panic at an unknown place".to_owned())
}
