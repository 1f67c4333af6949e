//! A TCP proxy that can stall or cut what goes through it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Forwards connections to a server of this machine.
pub struct Proxy {
    pub port: u16,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Faults {
    /// Bytes stay where they are, connections too.
    stalled: AtomicBool,
    /// Answers vanish; requests still arrive.
    deaf: AtomicBool,
    /// New connections are closed at once.
    refusing: AtomicBool,
    ended: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::new(Faults::default());
        let shared = Arc::clone(&faults);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                if shared.refusing.load(Ordering::SeqCst) {
                    continue;
                }
                for end in [&client, &server] {
                    end.set_nodelay(true).unwrap();
                    shared.open.lock().unwrap().push(end.try_clone().unwrap());
                }
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let faults = Arc::clone(&shared);
                thread::spawn(move || pump(from, to, &faults, false));
                let faults = Arc::clone(&shared);
                thread::spawn(move || pump(server, client, &faults, true));
            }
        });
        Self { port, faults }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn stall(&self, stalled: bool) {
        self.faults.stalled.store(stalled, Ordering::SeqCst);
    }

    pub fn lose_answers(&self, deaf: bool) {
        self.faults.deaf.store(deaf, Ordering::SeqCst);
    }

    pub fn refuse(&self, refusing: bool) {
        self.faults.refusing.store(refusing, Ordering::SeqCst);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        for end in self.faults.open.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.faults.ended.store(true, Ordering::SeqCst);
        self.stall(false);
        self.cut();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, faults: &Faults, answers: bool) {
    let mut buffer = [0; 16384];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 {
            break;
        }
        while faults.stalled.load(Ordering::SeqCst) && !faults.ended.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(2));
        }
        if answers && faults.deaf.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
