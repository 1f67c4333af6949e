//! This controller's membership in a cluster: the one way in.

use std::time::Duration;

use crate::{
    Cancel, Enqueued, Error, Event, Item, LaneOffer, LinkState, Member, NewItem, Phase, Result, Settings,
};

/// This controller's membership in a cluster.
///
/// Thread-safe. No call blocks for longer than 2 s but those that take a timeout; [`Controller::claim`] and
/// [`Controller::next_event`] wait, and are woken by [`Controller::close`] from any thread. After it every call answers
/// [`Error::Closed`].
#[derive(Debug)]
pub struct Controller {
    settings: Settings,
}

fn soon<T>() -> Result<T> {
    Err(Error::Unavailable("not yet there".into()))
}

#[allow(unused_variables, missing_docs)]
impl Controller {
    pub fn open(settings: Settings) -> Result<Self> {
        settings.check()?;
        Ok(Self { settings })
    }

    pub fn test(settings: Settings, timeout: Duration) -> Result<String> {
        soon()
    }

    pub fn link(&self) -> LinkState {
        LinkState { phase: Phase::Connecting, text: String::new(), epoch: 0, redis_clock_offset_ms: 0 }
    }

    pub fn await_joined(&self, timeout: Duration) -> bool {
        false
    }

    pub fn next_queue_id(&self) -> i64 {
        1 << 52
    }

    pub fn raise_queue_ids(&self, floor: i64) {}

    pub fn enqueue(&self, item: NewItem, seen_revision: i64) -> Result<Enqueued> {
        soon()
    }

    pub fn fold(&self, id: i64, seen_revision: i64, payload: &[u8], due_in_ms: i64) -> Result<Enqueued> {
        soon()
    }

    pub fn claim(&self, offers: &[LaneOffer], max: usize, timeout: Duration) -> Result<Vec<Item>> {
        soon()
    }

    pub fn wake(&self) {}

    pub fn assign_number(&self, id: i64, job: &str, floor: i32) -> Result<i32> {
        soon()
    }

    pub fn started(&self, id: i64, number: i32) -> Result<()> {
        soon()
    }

    pub fn finished(&self, id: i64, result: &str) -> Result<()> {
        soon()
    }

    pub fn cancelled(&self, id: i64, why: &str) -> Result<()> {
        soon()
    }

    pub fn release(&self, id: i64, delay_ms: i64, why: &str) -> Result<()> {
        soon()
    }

    pub fn requeue(&self, id: i64, why: &str) -> Result<()> {
        soon()
    }

    pub fn park(&self, id: i64, why: &str) -> Result<()> {
        soon()
    }

    pub fn cancel(&self, id: i64, who: &str) -> Result<Cancel> {
        soon()
    }

    pub fn item(&self, id: i64) -> Result<Option<Item>> {
        soon()
    }

    pub fn items(&self) -> Result<Vec<Item>> {
        soon()
    }

    pub fn next_event(&self, timeout: Duration) -> Result<Option<Event>> {
        soon()
    }

    pub fn announce(&self, topic: &str, subject: &str, number: i64, body: &[u8]) -> Result<()> {
        soon()
    }

    pub fn ask(
        &self,
        controller_id: &str,
        topic: &str,
        body: &[u8],
        request_id: &str,
        timeout: Duration,
    ) -> Result<Vec<u8>> {
        soon()
    }

    pub fn answer(&self, request_id: &str, body: &[u8]) -> Result<()> {
        soon()
    }

    pub fn members(&self) -> Result<Vec<Member>> {
        soon()
    }

    pub fn close(&self) {}
}
