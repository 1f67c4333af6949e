//! Build records in PostgreSQL.
//!
//! Each connection has a small runtime of its own, which runs only while a thread of ours waits for an answer: nothing
//! goes on in the background, and every wait has an end, even if the server has stopped without a word.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::migrations;
use super::store::{Act, Dialect, Fault, Fields, READ_TIMEOUT, Session, Statement, Store, Value};
use super::url::{Server, Tls};

type BoxError = Box<dyn std::error::Error + Sync + Send>;
/// A statement under way.
type Sent<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'a>>;

/// Most connections at a time for reads; the writer has one more.
const READERS: usize = 8;
/// The server gives a statement up a little before we give up the server.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(1800);
/// Changing tables may take longer than anything else.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(120);
/// Statements sent before the first answer is awaited.
const PIPELINE: usize = 64;
/// Whoever changes the tables holds this advisory lock: "haj build".
const MIGRATION_LOCK: i64 = 0x6861_6a20_6275_696c;

/// A PostgreSQL server that keeps build records.
pub(super) struct Postgres {
    server: Server,
    place: String,
    warning: String,
    tls: Option<Arc<ClientConfig>>,
    idle: Mutex<Vec<Connection>>,
    readers: Mutex<usize>,
    reader_left: Condvar,
}

impl Postgres {
    /// Does not connect yet.
    pub fn new(server: Server) -> Result<Self, Fault> {
        let tls = if server.tls == Tls::Never { None } else { Some(tls(&server)?) };
        let warning = if server.tls == Tls::IfOffered && server.remote {
            format!(
                "The database at {server} is on another host, and nothing in its URL asks for encryption: without TLS there, or \
                 with somebody in between, user, password and builds can be read and changed. Add sslmode=verify-full to the \
                 URL (with sslrootcert=/path.pem, if the authority is your own)."
            )
        } else {
            String::new()
        };
        Ok(Self {
            place: server.to_string(),
            warning,
            server,
            tls,
            idle: Mutex::default(),
            readers: Mutex::new(0),
            reader_left: Condvar::new(),
        })
    }

    fn connect(&self, deadline: Instant) -> Result<Connection, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .thread_name("ha-jenkins-records-dns")
            .build()
            .map_err(|error| self.away(&error.to_string()))?;
        let config = &self.server.config;
        let connected = runtime.block_on(async {
            let connecting = async {
                match &self.tls {
                    None => {
                        let (client, connection) = config.connect(NoTls).await?;
                        tokio::spawn(connection);
                        Ok(client)
                    }
                    Some(tls) => {
                        let tls = MakeRustlsConnect::new(ClientConfig::clone(tls));
                        let (client, connection) = config.connect(tls).await?;
                        tokio::spawn(connection);
                        Ok::<_, tokio_postgres::Error>(client)
                    }
                }
            };
            tokio::time::timeout_at(deadline.into(), connecting).await
        });
        let client = match connected {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => {
                runtime.shutdown_background();
                return Err(self.explain(&error));
            }
            Err(_) => {
                runtime.shutdown_background();
                return Err(self.late());
            }
        };
        let connection = Connection { runtime: Some(runtime), client };
        let setup = format!(
            "SET statement_timeout = {0}; SET lock_timeout = {0}; SET idle_in_transaction_session_timeout = 15000",
            STATEMENT_TIMEOUT.as_millis()
        );
        self.batch(&connection, &setup, deadline)?;
        Ok(connection)
    }

    fn batch(&self, connection: &Connection, sql: &str, deadline: Instant) -> Result<(), Fault> {
        match connection.wait(deadline, connection.client.batch_execute(sql)) {
            Some(result) => result.map_err(|error| self.explain(&error)),
            None => Err(self.late()),
        }
    }

    /// Does something with a connection that was idle or, if that has broken meanwhile, with a fresh one. `begin` is what
    /// shows whether it has.
    fn with(&self, deadline: Instant, begin: &str, end: &str, act: Act<'_>) -> Result<(), Fault> {
        let idle = self.idle.lock().pop();
        let mut connection = match idle {
            Some(connection) => match self.batch(&connection, begin, deadline) {
                Ok(()) => connection,
                // The others were likely cut by the same event.
                Err(Fault::Away(_)) => {
                    self.clear();
                    self.begin(begin, deadline)?
                }
                Err(fault) => return Err(fault),
            },
            None => self.begin(begin, deadline)?,
        };
        let done = act(&mut PostgresSession { store: self, connection: &mut connection, deadline });
        let done = match done {
            Ok(()) => self.batch(&connection, end, deadline),
            Err(Fault::Away(text)) => Err(Fault::Away(text)),
            Err(fault) => match self.batch(&connection, "ROLLBACK", deadline) {
                Ok(()) => Err(fault),
                // What broke first counts, but the connection is gone.
                Err(_) => {
                    connection.drop_now();
                    return Err(fault);
                }
            },
        };
        if matches!(done, Err(Fault::Away(_))) || connection.client.is_closed() {
            connection.drop_now();
        } else {
            let mut idle = self.idle.lock();
            if idle.len() <= READERS {
                idle.push(connection);
            }
        }
        done
    }

    fn begin(&self, begin: &str, deadline: Instant) -> Result<Connection, Fault> {
        let connection = self.connect(deadline)?;
        self.batch(&connection, begin, deadline)?;
        Ok(connection)
    }

    fn away(&self, reason: &str) -> Fault {
        Fault::Away(format!("The database at {} does not answer: {reason}", self.place))
    }

    fn late(&self) -> Fault {
        self.away("it did not answer in time")
    }

    fn refused(&self, text: &str) -> Fault {
        Fault::Refused(format!("The database at {} {text}", self.place))
    }

    /// Any other encoding lacks letters that names and descriptions have, and what cannot be stored is lost.
    fn check_encoding(&self, session: &mut dyn Session) -> Result<(), Fault> {
        let rows = session.rows("SELECT current_setting('server_encoding')", &[])?;
        let encoding = rows.first().map_or("", |row| row.text(0));
        if encoding == "UTF8" {
            return Ok(());
        }
        let database = &self.server.database;
        Err(self.refused(&format!(
            "is encoded in {encoding}, in which not every text of a build can be stored: make another with \
             createdb --encoding UTF8 --template template0 {database}_utf8, and name that in the URL"
        )))
    }

    /// Says to an admin what went wrong. Never quotes a statement or its values.
    fn explain(&self, error: &tokio_postgres::Error) -> Fault {
        if let Some(error) = error.as_db_error() {
            return self.explain_server(error.code(), error.message());
        }
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        let mut io = None;
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                io = Some(error.kind());
            }
            let text = error.to_string();
            if !reason.contains(&text) {
                let _ = write!(reason, ": {text}");
            }
            cause = error.source();
        }
        if reason.contains("password missing") {
            return self.refused("wants a password: set it in Manage Jenkins > System > HA");
        }
        if reason.contains("does not support TLS") {
            return self.refused(
                "does not offer TLS: switch it on there (ssl = on), or take sslmode out of the URL",
            );
        }
        if reason.contains("ertificate") || reason.contains("UnknownIssuer") {
            return self.refused(&format!(
                "has a TLS certificate that is not trusted ({reason}): name the authority's certificate with \
                 sslrootcert=/path.pem in the URL"
            ));
        }
        match io {
            Some(std::io::ErrorKind::ConnectionRefused) => self.away("connection refused, is it running?"),
            _ if error.is_closed() => self.away("the connection was closed"),
            _ => self.away(&reason),
        }
    }

    fn explain_server(&self, code: &SqlState, message: &str) -> Fault {
        let sentence = |text: &str| format!("The database at {} {text}", self.place);
        match code {
            &SqlState::INVALID_PASSWORD => {
                self.refused("refused the password: set it in Manage Jenkins > System > HA")
            }
            &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => self.refused(&format!(
                "does not let us in ({message}): look at user and password in Manage Jenkins > System > HA, and at its \
                 pg_hba.conf"
            )),
            &SqlState::INVALID_CATALOG_NAME => self.refused(&format!(
                "has no such database: make it with createdb {}, or correct the URL",
                self.server.database
            )),
            &SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::INVALID_SCHEMA_NAME => self.refused(&format!(
                "forbids this user something ha-jenkins needs ({message}): let it own the database"
            )),
            &SqlState::READ_ONLY_SQL_TRANSACTION => {
                Fault::Away(sentence("is read-only, a standby perhaps: point ha-jenkins to the primary"))
            }
            &SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN => {
                Fault::Away(sentence("has lost its tables: they are made anew"))
            }
            &SqlState::QUERY_CANCELED => Fault::Slow(sentence(
                "took too long: narrow the search by job or time, or look at the load of the database",
            )),
            &SqlState::UNIQUE_VIOLATION
            | &SqlState::T_R_SERIALIZATION_FAILURE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::LOCK_NOT_AVAILABLE => Fault::Clash(sentence("is held up by somebody who changes the same")),
            code => match code.code().get(..2) {
                // Broken off, out of resources, shutting down, trouble with its system.
                Some("08" | "53" | "57" | "58") => self.away(message),
                Some("22" | "23" | "54") => Fault::Unfit(sentence(&format!("cannot take this: {}", code.code()))),
                _ => Fault::Bug(sentence(&format!("answered {} {message}", code.code()))),
            },
        }
    }
}

impl Store for Postgres {
    fn prepare(&self) -> Result<(), Fault> {
        let deadline = Instant::now() + READ_TIMEOUT;
        let mut ready = false;
        self.with(deadline, "", "", &mut |session| {
            self.check_encoding(session)?;
            ready = schema(session)? && migrations::check(session, &self.place)? >= migrations::VERSION;
            Ok(())
        })?;
        if ready {
            return Ok(());
        }
        let deadline = Instant::now() + MIGRATION_TIMEOUT;
        let begin = format!(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
        );
        self.with(deadline, &begin, "COMMIT", &mut |session| migrations::migrate(session, &self.place))
    }

    fn ping(&self) -> Result<(), Fault> {
        self.with(Instant::now() + READ_TIMEOUT, "", "", &mut |session| {
            session.rows("SELECT 1 FROM ha_schema LIMIT 1", &[]).map(drop)
        })
    }

    fn read(&self, act: Act<'_>) -> Result<(), Fault> {
        let deadline = Instant::now() + READ_TIMEOUT;
        {
            let mut readers = self.readers.lock();
            while *readers >= READERS {
                if self.reader_left.wait_until(&mut readers, deadline).timed_out() {
                    return Err(self.away("all connections are in use by other reads"));
                }
            }
            *readers += 1;
        }
        // What is read in several steps is read as of one moment.
        let result = self.with(deadline, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "COMMIT", act);
        *self.readers.lock() -= 1;
        self.reader_left.notify_one();
        result
    }

    fn write(&self, timeout: Duration, act: Act<'_>) -> Result<(), Fault> {
        let begin = format!("BEGIN; SET LOCAL statement_timeout = {}", timeout.as_millis());
        self.with(Instant::now() + timeout, &begin, "COMMIT", act)
    }

    fn clear(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        idle.into_iter().for_each(Connection::drop_now);
    }

    fn test(&self, timeout: Duration) -> Result<String, Fault> {
        let deadline = Instant::now() + timeout;
        let mut found = String::new();
        self.with(deadline, "", "", &mut |session| {
            let rows = session.rows(
                "SELECT current_setting('server_version'), pg_is_in_recovery()::int, \
                 has_schema_privilege(current_schema(), 'CREATE')::int",
                &[],
            )?;
            let Some(row) = rows.first() else { return Err(Fault::Bug("no answer".into())) };
            if row.int(1) != 0 {
                return Err(
                    self.refused("is a standby, which takes no writes: point ha-jenkins to the primary")
                );
            }
            self.check_encoding(session)?;
            let version = if schema(session)? { migrations::check(session, &self.place)? } else { 0 };
            if version < migrations::VERSION && row.int(2) == 0 {
                return Err(self.refused("does not let this user make tables: let it own the database"));
            }
            let mut fastest = Duration::MAX;
            for _ in 0..5 {
                let sent = Instant::now();
                session.rows("SELECT 1", &[])?;
                fastest = fastest.min(sent.elapsed());
            }
            found = format!(
                "PostgreSQL {} at {} answers in {:.2} ms. {}",
                row.text(0),
                self.place,
                fastest.as_secs_f64() * 1000.0,
                self.warning
            );
            Ok(())
        })?;
        self.clear();
        Ok(found.trim_end().to_owned())
    }

    fn warning(&self) -> &str {
        &self.warning
    }

    fn place(&self) -> &str {
        &self.place
    }
}

/// Whether there are tables of ours at all.
fn schema(session: &mut dyn Session) -> Result<bool, Fault> {
    let rows = session.rows("SELECT (to_regclass('ha_schema') IS NOT NULL)::int", &[])?;
    Ok(rows.first().is_some_and(|row| row.int(0) != 0))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.clear();
    }
}

/// One connection, and what drives it.
struct Connection {
    runtime: Option<Runtime>,
    client: Client,
}

impl Connection {
    /// What `future` answers, if it does so before `deadline`; else the connection must be dropped.
    fn wait<T>(&self, deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
        let runtime = self.runtime.as_ref()?;
        runtime.block_on(async { tokio::time::timeout_at(deadline.into(), future).await.ok() })
    }

    fn drop_now(self) {
        drop(self);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not even a name server that does not answer may hold us up.
            runtime.shutdown_background();
        }
    }
}

struct PostgresSession<'a> {
    store: &'a Postgres,
    connection: &'a mut Connection,
    deadline: Instant,
}

impl PostgresSession<'_> {
    fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Fault> {
        self.connection.wait(self.deadline, future).ok_or_else(|| self.store.late())
    }
}

impl Session for PostgresSession<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Fields>, Fault> {
        let sql = dollars(sql);
        let parameters = parameters(values);
        // Unnamed statements: they fit any pooler, and are planned for the values they have.
        let rows = self
            .wait(self.connection.client.query_typed(&sql, &parameters))?
            .map_err(|error| self.store.explain(&error))?;
        rows.iter()
            .map(|row| {
                let fields: Result<Vec<Value>, _> = (0..row.len()).map(|at| row.try_get(at)).collect();
                fields.map(Fields).map_err(|error| Fault::Bug(error.to_string()))
            })
            .collect()
    }

    fn run(&mut self, statements: Vec<Statement>) -> Result<(), Fault> {
        for some in statements.chunks(PIPELINE) {
            let sent: Vec<_> = some
                .iter()
                .map(|statement| (dollars(&statement.sql), parameters(&statement.values)))
                .collect();
            let client = &self.connection.client;
            let mut pending: Vec<Sent<'_>> = Vec::new();
            for (sql, parameters) in &sent {
                pending.push(Box::pin(client.execute_typed(sql, parameters)));
            }
            let mut first = Ok(());
            let mut done = vec![false; pending.len()];
            // Polled in their order, so sent in their order; the first error is the one that tells why.
            let all = std::future::poll_fn(|context| {
                for (at, future) in pending.iter_mut().enumerate() {
                    if !done[at]
                        && let Poll::Ready(result) = future.as_mut().poll(context)
                    {
                        done[at] = true;
                        if let Err(error) = result
                            && first.is_ok()
                        {
                            first = Err(error);
                        }
                    }
                }
                if done.iter().all(|done| *done) { Poll::Ready(()) } else { Poll::Pending }
            });
            self.wait(all)?;
            drop(pending);
            first.map_err(|error| self.store.explain(&error))?;
        }
        Ok(())
    }
}

fn dollars(sql: &str) -> String {
    sql.replace('?', "$")
}

fn parameters(values: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values
        .iter()
        .map(|value| {
            let kind = match value {
                Value::Int(_) => Type::INT8,
                Value::Text(_) | Value::Null => Type::TEXT,
                Value::Bytes(_) => Type::BYTEA,
            };
            (value as &(dyn ToSql + Sync), kind)
        })
        .collect()
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) => int.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(match *kind {
            Type::INT2 => Self::Int(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::BYTEA => Self::Bytes(Vec::from_sql(kind, raw)?),
            _ => Self::Text(String::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::INT2 | Type::INT4 | Type::INT8 | Type::BYTEA | Type::TEXT | Type::VARCHAR | Type::NAME
        )
    }
}

fn tls(server: &Server) -> Result<Arc<ClientConfig>, Fault> {
    let refused = |text: String| Fault::Refused(format!("The database at {server}: {text}"));
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    match &server.root_cert {
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                refused(format!(
                    "the certificates in {} (sslrootcert) cannot be read: {error}",
                    path.display()
                ))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                roots
                    .add(certificate.map_err(|error| unreadable(&error))?)
                    .map_err(|error| unreadable(&error))?;
            }
        }
        None if server.tls == Tls::Verified => {
            for certificate in rustls_native_certs::load_native_certs().certs {
                // One that is malformed says nothing about the others.
                let _ = roots.add(certificate);
            }
        }
        None => {}
    }
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::Bug(error.to_string()))?;
    let config = if server.tls == Tls::Verified || server.root_cert.is_some() {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| refused(format!("no certificate can be verified: {error}")))?;
        builder.with_webpki_verifier(verifier).with_no_client_auth()
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            .with_no_client_auth()
    };
    Ok(Arc::new(config))
}

/// Encrypts for whoever answers: what `sslmode=prefer` and `require` mean to every client of PostgreSQL.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
