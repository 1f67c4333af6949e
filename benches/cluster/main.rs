//! How fast the queue is, beside the physical limit, the prior art and BullMQ; prints tables in Markdown.
//!
//! ```text
//! cargo bench --bench cluster -- <dispatch|drain|crowd> [--bullmq <folder>] [--prior-art <class path>] [--quick]
//! ```
//! Every system is driven alike: a process that produces and one or two that take, told by lines on their standard input what
//! to do. `cargo bench --bench cluster -- role <produce|take> <ours|bare> <Redis port> <name>` is how this program plays them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bare;
mod crowd;
mod dispatch;
mod drain;
mod figures;
mod ours;
mod player;
mod role;
#[path = "../../tests/support/mod.rs"]
mod support;

use player::System;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["role", role, "ours", port, name] => role::play(role, &mut ours::Ours::join(port, name)),
        ["role", role, "bare", port, _] => role::play(role, &mut bare::Bare::connect(port)),
        ["dispatch", rest @ ..] => dispatch::measure(&System::all(rest), rest.contains(&"--quick")),
        ["crowd", rest @ ..] => crowd::measure(rest.contains(&"--quick")),
        ["drain", rest @ ..] => drain::measure(&System::all(rest), rest.contains(&"--quick")),
        _ => {
            eprintln!(
                "usage: cluster <dispatch|drain|crowd> [--bullmq <folder>] [--prior-art <class path>] [--quick]"
            );
            std::process::exit(2);
        }
    }
}
