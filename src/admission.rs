//! Whether this controller may join: it has the cluster's secrets, its shared folder and its kind of Jenkins, and is no copy.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use ::redis::{Value, cmd};

use crate::heartbeat::{Heartbeat, millis};
use crate::node::random_name;
use crate::redis::{array, number, script, text};
use crate::shared_folder::{Mark, Nonce, SharedFolder};
use crate::{Error, Result};

/// Grows when what one version stores or says can be misread by another: such versions do not work in one cluster.
const PROTOCOL: u32 = 1;
/// How long others are waited for in one go: a heartbeat, and what a network file system may take.
const PATIENCE: Duration = Duration::from_millis(3800);
/// A mark that another controller has just made is waited for so long: a network file system may show it a little later.
const LATE: Duration = Duration::from_millis(2000);
/// So often in a row it is no matter of a slow network file system.
const CERTAIN: u32 = 2;
const PAUSE: Duration = Duration::from_millis(50);
/// How long a beat waits for the folder to be looked at; it goes on in the background.
const LOOK: Duration = Duration::from_millis(100);

/// What a heartbeat knows of joining, its own and that of others.
#[derive(Default)]
pub(crate) struct Admission {
    /// Another member has found what this process wrote.
    vouched: bool,
    /// Since when somebody else has our id.
    twin: Option<Instant>,
    /// What is wrong with the shared folder, and how often in a row that was found. Jenkins has loaded what is there: that it
    /// is mended helps after a restart only.
    folder: Option<(String, u32)>,
    /// The cluster has just refused this controller.
    pub turned_away: bool,
    /// Nonces of others, and what was found once looking has ended.
    looking: HashMap<String, Receiver<bool>>,
}

impl Heartbeat<'_> {
    /// Asks whether this controller may join; `Ok` when it may.
    pub fn admit(&mut self) -> Result<()> {
        let answer = match &self.admission.folder {
            Some((text, CERTAIN..)) => Err(Error::Refused(text.clone())),
            _ => self.look_at_admission(),
        };
        self.admission.turned_away = matches!(answer, Err(Error::Refused(_)));
        answer
    }

    /// Refuses the shared folder: for good when that is certain, or was found before.
    fn wrong_folder(&mut self, error: Error, certainty: u32) -> Error {
        let before = self.admission.folder.as_ref().map_or(0, |(_, times)| *times);
        self.admission.folder = Some((error.to_string(), before + certainty));
        error
    }

    fn look_at_admission(&mut self) -> Result<()> {
        let node = self.node;
        let settings = &node.settings;
        let folder = settings.home.shared.as_deref().map(|shared| (shared, SharedFolder::at(shared)));
        let mut mark = match &folder {
            Some((shared, folder)) => {
                let mark = self.own_mark(shared, folder)?;
                self.check_mark(folder, mark.as_ref()).map_err(|error| self.wrong_folder(error, CERTAIN))?;
                mark
            }
            None => None,
        };
        let (deadline, late) = (Instant::now() + PATIENCE, Instant::now() + LATE);
        let mut nonce: Option<Nonce> = None;
        loop {
            let answer = self.ask_to_join(folder.is_some(), mark.as_ref(), nonce.as_ref())?;
            let word = |index: usize| answer.get(index).map(text).unwrap_or_default();
            let all = || answer.iter().skip(1).map(text).collect::<Vec<_>>().join(", ");
            match (word(0).as_str(), &folder) {
                ("OK", _) => {
                    (self.admission.twin, self.admission.folder) = (None, None);
                    self.admission.vouched |= folder.is_some() && nonce.is_some();
                    return Ok(());
                }
                ("KEY", _) => return Err(self.other_secrets(&all())),
                ("TWIN", _) => return Err(self.twin(&word(1), number(&answer[2]))),
                ("UNLIKE", _) => {
                    return Err(Error::Refused(format!(
                        "This controller is of {}, but {} of {}: one would misread what the other stores. Bring them to the \
                         same versions; to change all, stop all controllers first",
                        self.likeness(),
                        word(1),
                        word(2)
                    )));
                }
                ("MARK", Some((shared, folder))) => {
                    let made = folder.make_mark(&settings.cluster, &random_name());
                    mark = Some(made.map_err(|error| unusable(shared, &error))?);
                    self.check_mark(folder, mark.as_ref())
                        .map_err(|error| self.wrong_folder(error, CERTAIN))?;
                }
                ("FOLDER", Some((shared, folder))) if mark.is_none() && Instant::now() < late => {
                    thread::sleep(PAUSE);
                    mark = self.own_mark(shared, folder)?;
                    self.check_mark(folder, mark.as_ref())
                        .map_err(|error| self.wrong_folder(error, CERTAIN))?;
                }
                ("FOLDER", Some((shared, folder))) => {
                    let expected = Mark { cluster: settings.cluster.clone(), id: word(1) };
                    let origin = &settings.origins.cluster;
                    let error = other_folder(shared, folder, mark.as_ref(), &expected, origin);
                    return Err(self.wrong_folder(error, CERTAIN));
                }
                ("ELSEWHERE", Some((shared, _))) => {
                    let error = Error::Refused(format!(
                        "The jobs folder of this controller ({}) is not the one of the others: {} does not find there what this \
                         controller has just written. Mount the cluster's jobs folder here, and restart this controller; a copy \
                         of it is not enough, since each controller must see what the others write",
                        shown(shared),
                        word(1)
                    ));
                    return Err(self.wrong_folder(error, 1));
                }
                ("ASK", Some((shared, folder))) => {
                    if node.link.closed() {
                        return Err(Error::Closed);
                    }
                    if nonce.is_none() {
                        let made = folder.write_nonce(&random_name());
                        nonce = Some(made.map_err(|error| unusable(shared, &error))?);
                        continue;
                    }
                    if Instant::now() >= deadline {
                        return Err(Error::Unavailable(format!(
                            "Waiting for one of the other controllers ({}) to find in its jobs folder what this controller has \
                             written to {}",
                            all(),
                            shown(shared)
                        )));
                    }
                    thread::sleep(PAUSE);
                }
                (other, _) => return Err(Error::Bug(format!("admit answered {other:?}"))),
            }
        }
    }

    fn ask_to_join(
        &mut self,
        shares: bool,
        mark: Option<&Mark>,
        nonce: Option<&Nonce>,
    ) -> Result<Vec<Value>> {
        let node = self.node;
        let settings = &node.settings;
        let nonce = match nonce {
            Some(nonce) => nonce.text.as_str(),
            None if self.admission.vouched => "-",
            None => "",
        };
        let mut cmd = script::admit.call(&node.keys.meta);
        cmd.arg(node.me())
            .arg(&node.incarnation)
            .arg(&settings.name)
            .arg(&settings.home.host)
            .arg(&settings.home.place)
            .arg(self.likeness())
            .arg(node.seal.keycheck(&settings.cluster))
            .arg(node.facts.lock().as_str())
            .arg(millis(settings.lease))
            .arg(i32::from(shares))
            .arg(mark.map_or("", |mark| mark.id.as_str()))
            .arg(nonce);
        Ok(array(self.call(|wire, deadline| wire.script(&script::admit, &cmd, deadline))?))
    }

    /// What must be the same on all members.
    fn likeness(&self) -> String {
        let own = &self.node.settings.home.likeness;
        let space = if own.is_empty() { "" } else { ", " };
        format!("HA protocol {PROTOCOL}{space}{own}")
    }

    fn own_mark(&self, shared: &Path, folder: &SharedFolder) -> Result<Option<Mark>> {
        let mark = folder.mark().map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Error::Refused(format!(
                "{} does not say to which cluster the jobs folder belongs: put it back from a backup, or delete it while no \
                 controller of any cluster runs",
                folder.mark_file().display()
            )),
            _ => unusable(shared, &error),
        })?;
        Ok(mark)
    }

    fn check_mark(&self, folder: &SharedFolder, mark: Option<&Mark>) -> Result<()> {
        let settings = &self.node.settings;
        check_cluster(folder, mark, &settings.cluster, &settings.origins.cluster)
    }

    fn other_secrets(&self, members: &str) -> Error {
        let settings = &self.node.settings;
        Error::Refused(other_secrets(&settings.cluster, &settings.origins.cluster, members))
    }

    /// For a lease it may be this controller's own earlier self, which was killed on another host; then it is another one.
    fn twin(&mut self, who: &str, left: i64) -> Error {
        let settings = &self.node.settings;
        let since = *self.admission.twin.get_or_insert_with(Instant::now);
        if since.elapsed() <= settings.lease + settings.heartbeat {
            return Error::Unavailable(format!(
                "A controller with this controller's id, {who}, was a member a moment ago: waiting until its lease ends, in \
                 {left} ms, if nobody renews it"
            ));
        }
        Error::Refused(format!(
            "Another running controller, {who}, has the same id as this one ({}): the file {} was copied. Stop this \
             controller, delete its copy of that file, and start it again: it makes an id of its own. The other one goes on",
            settings.home.host, settings.home.id_file
        ))
    }

    /// Looks in the shared folder for what controllers that want to join have written there.
    pub fn vouch(&mut self) -> Result<()> {
        let node = self.node;
        let Some(shared) = &node.settings.home.shared else { return Ok(()) };
        let mut ask = cmd("HGETALL");
        ask.arg(node.keys.vouch());
        let asked = array(self.call(|wire, deadline| wire.call(&ask, deadline))?);
        let pairs: Vec<(String, String)> =
            asked.chunks_exact(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        let answered = |nonce: &str| {
            pairs
                .iter()
                .any(|(field, _)| field.strip_prefix("yes:").or(field.strip_prefix("no:")) == Some(nonce))
        };
        let open: Vec<&String> = pairs
            .iter()
            .filter(|(who, nonce)| !who.contains(':') && who != node.me() && !answered(nonce))
            .map(|(_, nonce)| nonce)
            .collect();
        self.admission.looking.retain(|nonce, _| open.contains(&nonce));
        for nonce in open {
            let found = self.admission.looking.entry(nonce.clone()).or_insert_with(|| {
                let (tell, hear) = channel();
                let (folder, nonce) = (SharedFolder::at(shared), nonce.clone());
                // A folder whose server hangs must not hold up the lease.
                let _ = thread::Builder::new()
                    .name("ha-jenkins-vouch".into())
                    .spawn(move || tell.send(folder.finds(&nonce)));
                hear
            });
            let Ok(found) = found.recv_timeout(LOOK) else { continue };
            let mut cmd = script::vouch.call(&node.keys.meta);
            let home = &node.settings.home.host;
            cmd.arg(nonce).arg(i32::from(found)).arg(format!("{} on {home}", node.settings.name));
            self.call(|wire, deadline| wire.script(&script::vouch, &cmd, deadline))?;
        }
        Ok(())
    }
}

/// Refuses a folder that is another cluster's.
pub(crate) fn check_cluster(
    folder: &SharedFolder,
    mark: Option<&Mark>,
    cluster: &str,
    origin: &str,
) -> Result<()> {
    match mark {
        Some(mark) if mark.cluster != cluster => Err(Error::Refused(format!(
            "The jobs folder belongs to the cluster '{}' (says {}), but this controller is set to join '{cluster}' (by \
             {origin}): two clusters on one jobs folder would build everything twice. Correct the name there, or give this \
             cluster a jobs folder of its own, and restart this controller. To rename the cluster, stop all its controllers and delete that file",
            mark.cluster,
            folder.mark_file().display()
        ))),
        _ => Ok(()),
    }
}

/// What an admin can do about secrets that are not the cluster's.
pub(crate) fn other_secrets(cluster: &str, origin: &str, members: &str) -> String {
    let (who, from) = if members.is_empty() {
        ("which has no living controller now".to_owned(), "a controller that was in it")
    } else {
        (format!("whose controllers are {members}"), "one of them")
    };
    format!(
        "This controller's secrets differ from those of the cluster '{cluster}', {who}. If it belongs to that cluster, stop it \
         and copy the folder secrets/ and the files secret.key and identity.key.enc from {from}. If it does not, copy nothing: \
         another cluster uses this Redis under the same name, so give this one another name in {origin}"
    )
}

fn other_folder(
    shared: &Path,
    folder: &SharedFolder,
    mark: Option<&Mark>,
    expected: &Mark,
    origin: &str,
) -> Error {
    let has = match mark {
        None => "has no mark of a cluster".to_owned(),
        Some(mark) => format!("is marked as {}", mark.id),
    };
    Error::Refused(format!(
        "The jobs folder of this controller ({}) is not the one of the cluster '{}': it {has}, the cluster's is marked as {} \
         (in {}). Mount the cluster's jobs folder here, and restart this controller; or, if this controller belongs to another cluster that uses the same \
         Redis, give that another name in {origin}. If it is the cluster's folder and lost the mark, put it back: a file with \
         the lines cluster={} and id={}",
        shown(shared),
        expected.cluster,
        expected.id,
        folder.mark_file().display(),
        expected.cluster,
        expected.id
    ))
}

fn unusable(shared: &Path, error: &io::Error) -> Error {
    Error::Unavailable(format!("The jobs folder {} cannot be used: {error}", shown(shared)))
}

/// With what is behind a link.
fn shown(folder: &Path) -> String {
    match folder.canonicalize() {
        Ok(real) if real != folder => format!("{}, which is {}", folder.display(), real.display()),
        _ => folder.display().to_string(),
    }
}
