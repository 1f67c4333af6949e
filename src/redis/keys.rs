//! Names of the keys; `src/lua/item.lua` says what they hold.

/// The keys of one cluster. All share one hash tag, so one slot.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
    /// `KEYS[1]` of every script.
    pub meta: String,
    /// Stream of what happened.
    pub events: String,
}

impl Keys {
    pub fn of(cluster: &str) -> Self {
        let prefix = format!("{{haj:{cluster}}}:");
        Self { meta: format!("{prefix}meta"), events: format!("{prefix}events"), prefix }
    }

    /// Stream: that controller's claimer shall look for work (`q`), or end its wait (`w`).
    pub fn wake_of(&self, controller: &str) -> String {
        format!("{}wake:{controller}", self.prefix)
    }

    /// Stream of commands to, and replies for, a controller.
    pub fn inbox(&self, controller: &str) -> String {
        format!("{}inbox:{controller}", self.prefix)
    }

    /// Up to where a controller has worked off its inbox.
    pub fn cursor(&self, controller: &str) -> String {
        format!("{}cursor:{controller}", self.prefix)
    }

    /// The reply given to a command.
    pub fn done(&self, request_id: &str) -> String {
        format!("{}done:{request_id}", self.prefix)
    }

    /// What controllers that want to join have written to the shared folder, and who has found it.
    pub fn vouch(&self) -> String {
        format!("{}vouch", self.prefix)
    }

    /// An item.
    pub fn item(&self, id: i64) -> String {
        format!("{}item:{id}", self.prefix)
    }
}
