//! RPUSH here, BRPOP there: what one Redis, two processes and the kernel cost. Loses what was taken when the taker dies.

use std::thread;

use redis::{Commands, Connection};

use crate::role::{Drained, IDLE, Queue, now};

const KEY: &str = "bare";

pub struct Bare {
    port: String,
    connection: Connection,
}

impl Bare {
    pub fn connect(port: &str) -> Self {
        Self { port: port.to_owned(), connection: connection(port) }
    }

    fn pop(&mut self, seconds: f64) -> Option<String> {
        self.connection
            .brpop::<_, Option<(String, String)>>(KEY, seconds)
            .unwrap()
            .map(|(_, payload)| payload)
    }
}

fn connection(port: &str) -> Connection {
    redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap().get_connection().unwrap()
}

impl Queue for Bare {
    fn produce(&mut self, payload: String) {
        let _: i64 = self.connection.rpush(KEY, payload).unwrap();
    }

    fn fill(&mut self, count: usize, at_a_time: usize, payload: fn() -> String) {
        thread::scope(|scope| {
            for _ in 0..at_a_time {
                let mut connection = connection(&self.port);
                scope.spawn(move || {
                    for _ in 0..count / at_a_time {
                        let _: i64 = connection.rpush(KEY, payload()).unwrap();
                    }
                });
            }
        });
    }

    fn listen(&mut self, taken: &mut dyn FnMut(&str) -> bool) {
        while let Some(payload) = self.pop(0.0) {
            if taken(&payload) {
                return;
            }
        }
    }

    fn drain(&mut self, _: usize) -> Drained {
        let mut drained = Drained { count: 0, first: 0, last: 0 };
        while self.pop(IDLE.as_secs_f64()).is_some() {
            drained.last = now();
            if drained.count == 0 {
                drained.first = drained.last;
            }
            drained.count += 1;
        }
        drained
    }
}
