//! One connection to Redis.
//!
//! The socket is ours rather than the client crate's, because a wait on it must end when another thread says so, and because
//! a deadline must hold for an answer as a whole.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::redis::{Cmd, Parser, Pipeline, Value, pipe};
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::url::Place;
use super::{Address, Fault, Script, Way, cluster, names, number, script, sentinel, text};

enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => &socket.tcp,
            Self::Tls(tls) => &tls.sock.tcp,
        }
    }

    /// From now on nothing outlasts it, however the bytes trickle: a handshake's reads and writes neither.
    fn until(&mut self, deadline: Instant) {
        match self {
            Self::Plain(socket) => socket.deadline = deadline,
            Self::Tls(tls) => tls.sock.deadline = deadline,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

/// A socket on which nothing outlasts a deadline.
struct Socket {
    tcp: TcpStream,
    deadline: Instant,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(left(self.deadline)?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(left(self.deadline)?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// Lets another thread end a wait: holds the socket that its owner uses just now.
#[derive(Default)]
pub(crate) struct KillSwitch(Mutex<Option<(TcpStream, u64)>>);

impl KillSwitch {
    /// Names the connection that [`KillSwitch::kill`] shall cut, and the session in which it is used.
    pub fn arm(&self, wire: &Wire, session: u64) {
        *self.0.lock() = wire.stream.socket().try_clone().ok().map(|socket| (socket, session));
    }

    /// As [`KillSwitch::kill`], if it is used in an earlier session.
    pub fn kill_before(&self, session: u64) {
        let mut armed = self.0.lock();
        if armed.as_ref().is_some_and(|(_, of)| *of < session)
            && let Some((socket, _)) = armed.take()
        {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Cuts the connection; who waits on it gets a fault at once.
    pub fn kill(&self) {
        if let Some((socket, _)) = self.0.lock().take() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// One connection to Redis. After a fault other than [`Fault::Server`] it must be dropped: answers might be off by one.
pub(crate) struct Wire {
    stream: Stream,
    parser: Parser,
    /// Which process of Redis this is, "" where it does not say.
    pub server: String,
    /// Where it is.
    pub place: Place,
}

impl Wire {
    /// Connects and logs in.
    pub fn connect(address: &Address, client_name: &str, timeout: Duration) -> Result<Self, Fault> {
        let deadline = Instant::now() + timeout;
        let place = match &address.way {
            Way::Direct => address.places.first().cloned().ok_or_else(nowhere)?,
            Way::Sentinels(master) => sentinel::primary(address, master, deadline)?,
            Way::Nodes(key) => cluster::owner(address, key, deadline)?,
        };
        let mut wire = Self::open(address, place, timeout)?;
        let mut login = address.login();
        if address.database != 0 {
            login.cmd("SELECT").arg(address.database);
        }
        let wanted = login.len();
        login.cmd("CLIENT").arg("SETNAME").arg(client_name);
        login.cmd("INFO").arg("server");
        login.cmd("INFO").arg("replication");
        let answers = wire.pipeline(&login, deadline).map_err(|fault| match fault {
            Fault::Broken(error) => Fault::NoConnection(error),
            other => other,
        })?;
        let info: String = answers.iter().rev().take(2).map(text).collect();
        let say =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        wire.server = say("run_id:").to_owned();
        if address.way != Way::Direct && say("role:") == "slave" {
            return Err(Fault::NoConnection(io::Error::other(format!(
                "{} is a replica: not all know of a failover yet",
                wire.place
            ))));
        }
        match answers.into_iter().take(wanted).find_map(server_error) {
            Some(fault) => Err(fault),
            None => Ok(wire),
        }
    }

    /// Connects and no more.
    pub fn open(address: &Address, place: Place, timeout: Duration) -> Result<Self, Fault> {
        let deadline = Instant::now() + timeout;
        let tcp = connect(&place, deadline).map_err(Fault::NoConnection)?;
        let socket = Socket { tcp, deadline };
        let stream = if address.tls {
            let tls = tls(&place.host).map_err(Fault::NoConnection)?;
            Stream::Tls(Box::new(StreamOwned::new(tls, socket)))
        } else {
            Stream::Plain(socket)
        };
        Ok(Self { stream, parser: Parser::new(), server: String::new(), place })
    }

    /// One command, one answer.
    pub fn call(&mut self, cmd: &Cmd, deadline: Instant) -> Result<Value, Fault> {
        self.call_packed(&cmd.get_packed_command(), deadline)
    }

    fn call_packed(&mut self, bytes: &[u8], deadline: Instant) -> Result<Value, Fault> {
        self.send(bytes, deadline)?;
        match self.receive(deadline)? {
            Value::ServerError(error) => Err(Fault::Server(error)),
            value => Ok(value),
        }
    }

    /// Several commands in one go; an error of one stands in its place.
    pub fn pipeline(&mut self, commands: &Pipeline, deadline: Instant) -> Result<Vec<Value>, Fault> {
        self.send(&commands.get_packed_pipeline(), deadline)?;
        (0..commands.len()).map(|_| self.receive(deadline)).collect()
    }

    /// Runs scripts in one go, each given by its packed command; one answer for each.
    pub fn scripts(&mut self, calls: &[(&Script, &[u8])], deadline: Instant) -> Vec<Result<Value, Fault>> {
        let bytes: Vec<&[u8]> = calls.iter().map(|(_, bytes)| *bytes).collect();
        if let Err(fault) = self.send(&bytes.concat(), deadline) {
            return vec![Err(fault)];
        }
        let mut results = Vec::with_capacity(calls.len());
        for _ in calls {
            let result = self.receive(deadline);
            let broken = result.is_err();
            results.push(result.and_then(|value| match value {
                Value::ServerError(error) => Err(Fault::Server(error)),
                value => Ok(value),
            }));
            if broken {
                return results;
            }
        }
        for (result, (script, bytes)) in results.iter_mut().zip(calls) {
            if matches!(&result, Err(fault) if fault.is_no_script()) {
                *result = self.script_packed(script, bytes, deadline);
            }
        }
        results
    }

    /// Runs a script, making it known first where Redis does not know it (yet, or any more).
    pub fn script(&mut self, script: &Script, cmd: &Cmd, deadline: Instant) -> Result<Value, Fault> {
        self.script_packed(script, &cmd.get_packed_command(), deadline)
    }

    fn script_packed(&mut self, script: &Script, bytes: &[u8], deadline: Instant) -> Result<Value, Fault> {
        let mut result = self.call_packed(bytes, deadline);
        // Somebody may flush the scripts again and again; not for ever.
        for _ in 0..5 {
            if !matches!(&result, Err(fault) if fault.is_no_script()) {
                break;
            }
            self.call(&script.load(), deadline)?;
            result = self.call_packed(bytes, deadline);
        }
        result
    }

    /// As [`Wire::script`], then waits until a replica has it too; whether one has.
    pub fn script_held(
        &mut self,
        script: &Script,
        cmd: &Cmd,
        wait: Duration,
        deadline: Instant,
    ) -> Result<(Value, Result<bool, Fault>), Fault> {
        let mut both = pipe();
        both.add_command(cmd.clone());
        both.cmd("WAIT").arg(1).arg(wait.as_millis().max(1) as u64);
        for _ in 0..5 {
            let mut answers = self.pipeline(&both, deadline)?.into_iter();
            let (answer, held) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
            match answer {
                Value::ServerError(error) => {
                    let fault = Fault::Server(error);
                    if !fault.is_no_script() {
                        return Err(fault);
                    }
                    self.call(&script.load(), deadline)?;
                }
                answer => {
                    let held = match held {
                        Value::ServerError(error) => Err(Fault::Server(error)),
                        held => Ok(number(&held) > 0),
                    };
                    return Ok((answer, held));
                }
            }
        }
        self.script(script, cmd, deadline).map(|answer| (answer, Ok(false)))
    }

    /// Makes all scripts known.
    pub fn load_scripts(&mut self, deadline: Instant) -> Result<(), Fault> {
        let mut pipe = pipe();
        for script in script::all() {
            pipe.add_command(script.load());
        }
        match self.pipeline(&pipe, deadline)?.into_iter().find_map(server_error) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), Fault> {
        self.stream.until(deadline);
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
        .map_err(Fault::Broken)
    }

    fn receive(&mut self, deadline: Instant) -> Result<Value, Fault> {
        self.stream.until(deadline);
        self.parser.parse_value(&mut self.stream).map_err(|error| {
            let kind = match error.is_timeout() {
                true => io::ErrorKind::TimedOut,
                false if error.is_io_error() => io::ErrorKind::UnexpectedEof,
                false => io::ErrorKind::InvalidData,
            };
            Fault::Broken(io::Error::new(kind, error.to_string()))
        })
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn server_error(value: Value) -> Option<Fault> {
    match value {
        Value::ServerError(error) => Some(Fault::Server(error)),
        _ => None,
    }
}

fn nowhere() -> Fault {
    Fault::NoConnection(io::ErrorKind::NotFound.into())
}

fn connect(place: &Place, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "its name leads to no address");
    for address in names::addresses(place, deadline)? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn tls(host: &str) -> io::Result<ClientConnection> {
    // A failure is not kept: an admin who installs the missing authorities need not restart Jenkins.
    static CONFIG: OnceCell<Arc<ClientConfig>> = OnceCell::new();
    let config = CONFIG.get_or_try_init(trusting_this_machine)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)
}

/// Trusts the machine's own roots, so that a company's private authority is trusted where the machine trusts it.
fn trusting_this_machine() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(io::Error::other(
            "this machine has no certificate authorities: install the package ca-certificates",
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
