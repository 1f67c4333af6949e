//! What happened to a queue item, step by step, for people and for who waits for its end.

use std::collections::HashMap;

use crate::node::Node;
use crate::packed::Packed;
use crate::redis::{script, text};
use crate::{Item, Result};

/// What one step was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happened {
    /// [`Step::controller`] took it into the queue; the text says why it was triggered.
    Accepted,
    /// It waits in its quiet period for [`Step::number`] seconds.
    Quiet,
    /// It came into being to run again what was [`Step::item`].
    RunsAgain,
    /// Another trigger was taken into it.
    Folded,
    /// It waits behind another build of its job.
    Blocked,
    /// It is its turn.
    Unblocked,
    /// [`Step::controller`] holds it.
    Claimed,
    /// [`Step::controller`] holds it no more, and it waits again.
    HandedBack,
    /// [`Step::controller`] makes its build, which has [`Step::number`].
    Starting,
    /// Its build runs.
    Running,
    /// [`Step::controller`] is gone while it had it; [`Step::other`] decides what becomes of it.
    Orphaned,
    /// Deciding on it fell to [`Step::other`].
    Passed,
    /// [`Step::controller`] gave its build to [`Step::other`].
    HandedOver,
    /// [`Step::controller`] goes on with the build of another one.
    Adopted,
    /// [`Step::controller`] has it back.
    Kept,
    /// Its build never began, so [`Step::controller`] put it back into the queue.
    Requeued,
    /// Somebody wants it ended, who is in the text.
    Unwanted,
    /// Its build has ended; the text is its result.
    Finished,
    /// [`Step::item`] runs its build again.
    Again,
    /// It ended without a build.
    Cancelled,
    /// It was set aside, since it cannot be read or built.
    SetAside,
    /// Its job has another name, the text.
    Moved,
    /// Redis had lost it, and a controller brought it back; what happened before is not known any more.
    Restored,
    /// Too much happened: some steps are not kept.
    LeftOut,
}

impl Happened {
    /// Its name in JSON, which stays the same over versions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Quiet => "quiet",
            Self::RunsAgain => "runs-again",
            Self::Folded => "folded",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
            Self::Claimed => "claimed",
            Self::HandedBack => "handed-back",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Orphaned => "orphaned",
            Self::Passed => "passed",
            Self::HandedOver => "handed-over",
            Self::Adopted => "adopted",
            Self::Kept => "kept",
            Self::Requeued => "requeued",
            Self::Unwanted => "unwanted",
            Self::Finished => "finished",
            Self::Again => "again",
            Self::Cancelled => "cancelled",
            Self::SetAside => "set-aside",
            Self::Moved => "moved",
            Self::Restored => "restored",
            Self::LeftOut => "left-out",
        }
    }
}

/// One thing that happened to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, ms since 1970 in this controller's clock.
    pub at_ms: i64,
    /// What.
    pub what: Happened,
    /// Id of the controller that did it or was concerned, or "".
    pub controller: String,
    /// Id of another controller, see [`Happened`], or "".
    pub other: String,
    /// The build's number, or 0.
    pub number: i32,
    /// Another item, or 0.
    pub item: i64,
    /// A sentence or a name, see [`Happened`], or "".
    pub text: String,
}

/// What is known of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Full name of its job.
    pub job: String,
    /// The item itself, while Redis has it: without payload.
    pub item: Option<Item>,
    /// Oldest first.
    pub steps: Vec<Step>,
}

impl Node {
    /// See [`crate::Controller::trace`].
    pub fn trace(&self, id: i64) -> Result<Option<Trace>> {
        self.link.membership()?;
        let mut cmd = script::trace.call(&self.keys.meta);
        cmd.arg(id);
        let answer = self.pool.run(&script::trace, &cmd)?;
        let word = |index: usize| answer.get(index).map(text).unwrap_or_default();
        let offset = self.link.clock_offset();
        let item = Packed::read(&word(1), offset).map(|packed| packed.item);
        let (job, steps) = read(&word(0), offset);
        let job = item.as_ref().map_or(job, |item| item.job.clone());
        Ok((item.is_some() || !steps.is_empty()).then_some(Trace { job, item, steps }))
    }
}

/// The places of an item's parts, as `src/lua/item.lua` counts them.
mod part {
    pub const JOB: &str = "1";
    pub const STATE: &str = "2";
    pub const DUE: &str = "8";
    pub const BLOCKED: &str = "9";
    pub const ORIGIN: &str = "12";
    pub const OWNER: &str = "13";
    pub const NUMBER: &str = "16";
    pub const RESULT: &str = "17";
    pub const WHY: &str = "18";
    pub const REAPER: &str = "19";
    pub const AGAIN: &str = "21";
    pub const CANCEL: &str = "23";
}

/// As `src/lua/hand_over.lua` says it.
const GIVEN: &str = "Handed over";

/// The job and the steps from the lines that the scripts wrote; what cannot be read is left out.
pub(crate) fn read(lines: &str, offset: i64) -> (String, Vec<Step>) {
    let mut now: HashMap<&str, &str> = HashMap::new();
    let mut steps = Vec::new();
    for line in lines.lines() {
        let mut words = line.split('\t');
        let Some(at) = words.next().and_then(|at| at.parse::<i64>().ok()) else { continue };
        let changes: HashMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
        let before = now.clone();
        now.extend(changes.iter());
        let change =
            Change { at_ms: at.saturating_sub(offset), at, before: &before, now: &now, changes: &changes };
        change.add_to(&mut steps);
    }
    (now.get(part::JOB).copied().unwrap_or_default().to_owned(), steps)
}

struct Change<'a> {
    at_ms: i64,
    at: i64,
    before: &'a HashMap<&'a str, &'a str>,
    now: &'a HashMap<&'a str, &'a str>,
    changes: &'a HashMap<&'a str, &'a str>,
}

impl Change<'_> {
    fn was(&self, part: &str) -> &str {
        self.before.get(part).copied().unwrap_or_default()
    }

    fn is(&self, part: &str) -> &str {
        self.now.get(part).copied().unwrap_or_default()
    }

    fn step(&self, what: Happened) -> Step {
        Step {
            at_ms: self.at_ms,
            what,
            controller: String::new(),
            other: String::new(),
            number: 0,
            item: 0,
            text: String::new(),
        }
    }

    fn add_to(&self, steps: &mut Vec<Step>) {
        let mut add = |step: Step| steps.push(step);
        let changed = |part: &str| self.changes.contains_key(part);
        if changed("cut") {
            add(self.step(Happened::LeftOut));
        } else if changed("back") {
            add(Step { text: self.is(part::RESULT).into(), ..self.step(Happened::Restored) });
        } else if let Some(why) = self.changes.get("fold") {
            add(Step { text: (*why).into(), ..self.step(Happened::Folded) });
        } else if let Some(of) = self.changes.get("of") {
            let item = of.parse().unwrap_or(0);
            let (controller, text) = (self.is(part::ORIGIN).into(), self.is(part::WHY).into());
            add(Step { controller, item, text, ..self.step(Happened::RunsAgain) });
        } else if let Some(why) = self.changes.get("note") {
            let controller = self.is(part::ORIGIN).into();
            add(Step { controller, text: (*why).into(), ..self.step(Happened::Accepted) });
            if let Ok(due) = self.is(part::DUE).parse::<i64>() {
                let number =
                    i32::try_from(due.saturating_sub(self.at).saturating_add(500) / 1000).unwrap_or(i32::MAX);
                add(Step { number, ..self.step(Happened::Quiet) });
            }
        } else if changed(part::STATE) {
            self.add_state(&mut add);
            return;
        } else if changed(part::JOB) {
            add(Step { text: self.is(part::JOB).into(), ..self.step(Happened::Moved) });
        } else if changed(part::CANCEL) {
            add(Step { text: self.is(part::CANCEL).into(), ..self.step(Happened::Unwanted) });
        } else if changed(part::REAPER) && self.is(part::STATE) == "O" {
            add(Step { other: holder(self.is(part::REAPER)), ..self.step(Happened::Passed) });
        } else if changed(part::NUMBER) {
            self.add_state(&mut add);
        }
        if changed(part::BLOCKED) {
            let blocked = self.is(part::BLOCKED) == "1";
            add(self.step(if blocked { Happened::Blocked } else { Happened::Unblocked }));
        }
    }

    fn add_state(&self, add: &mut impl FnMut(Step)) {
        let (was, is) = (self.was(part::STATE), self.is(part::STATE));
        let (owner, why) = (self.is(part::OWNER).to_owned(), self.is(part::WHY).to_owned());
        let last = self.was(part::OWNER).to_owned();
        let number = self.is(part::NUMBER).parse().unwrap_or(0);
        let reaper = holder(self.is(part::REAPER));
        let judge = if was == "O" { holder(self.was(part::REAPER)) } else { last.clone() };
        match is {
            "C" => add(Step { controller: owner, ..self.step(Happened::Claimed) }),
            "Q" if was == "O" => {
                add(Step { controller: judge, text: why, ..self.step(Happened::Requeued) });
            }
            "Q" => add(Step { controller: last, text: why, ..self.step(Happened::HandedBack) }),
            "S" => add(Step { controller: owner, number, ..self.step(Happened::Starting) }),
            "R" if was == "O" && owner == last => {
                add(Step { controller: owner, number, ..self.step(Happened::Kept) });
            }
            "R" if was == "O" => add(Step { controller: owner, number, ..self.step(Happened::Adopted) }),
            "R" => add(Step { controller: owner, number, ..self.step(Happened::Running) }),
            "O" => {
                let what = if why == GIVEN { Happened::HandedOver } else { Happened::Orphaned };
                let text = if why == GIVEN { String::new() } else { why };
                add(Step { controller: owner, other: reaper, number, text, ..self.step(what) });
            }
            "D" => {
                let text = self.is(part::RESULT).to_owned();
                add(Step { controller: judge.clone(), number, text, ..self.step(Happened::Finished) });
                if let Ok(item) = self.is(part::AGAIN).parse() {
                    add(Step { controller: judge, item, ..self.step(Happened::Again) });
                }
            }
            "X" => add(Step { controller: judge, text: why, ..self.step(Happened::Cancelled) }),
            "U" => add(Step { controller: judge, text: why, ..self.step(Happened::SetAside) }),
            _ => {}
        }
        if is == "Q" && self.changes.get(part::BLOCKED) == Some(&"1") {
            add(self.step(Happened::Blocked));
        }
    }
}

/// Who of `controller:epoch`.
fn holder(who: &str) -> String {
    who.split(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_of_a_trace_is_left_out() {
        let lines = "x\t2=C\n5\n7\t2=?\t=\tmore\n10\t1=job\t2=Q\t12=a\t8=2010\tnote=why = so\n11\t2=C\t13=b\n\n12\tcut=1\n13\t2=D";
        let (job, steps) = read(lines, 3);
        let whats: Vec<_> = steps.iter().map(|step| (step.at_ms, step.what)).collect();
        use Happened::*;
        assert_eq!(job, "job");
        assert_eq!(whats, [(7, Accepted), (7, Quiet), (8, Claimed), (9, LeftOut), (10, Finished)]);
        assert_eq!((steps[0].text.as_str(), steps[1].number), ("why = so", 2));
    }
}
