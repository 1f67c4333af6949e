//! The folder that all controllers of a cluster share: whose it is, and whether it really is shared.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where HA Jenkins keeps what is its own.
const FOLDER: &str = ".ha-jenkins";
const MARK: &str = "cluster";
const FIRST_LINE: &str =
    "# HA Jenkins: which cluster builds in this folder. One folder, one cluster. Do not edit or copy.";
/// A network file system may show what another host has written a little later.
const LATE: Duration = Duration::from_millis(2000);
const PAUSE: Duration = Duration::from_millis(50);

/// A folder that is, or should be, shared.
#[derive(Debug, Clone)]
pub(crate) struct SharedFolder(PathBuf);

/// Whose a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub cluster: String,
    /// Made at random when the folder was first used by a cluster.
    pub id: String,
}

impl SharedFolder {
    pub fn at(folder: &Path) -> Self {
        Self(folder.join(FOLDER))
    }

    /// Where the mark is, or would be.
    pub fn mark_file(&self) -> PathBuf {
        self.0.join(MARK)
    }

    /// Whose the folder is; none when no cluster has used it yet.
    pub fn mark(&self) -> io::Result<Option<Mark>> {
        match fs::read_to_string(self.mark_file()) {
            Ok(text) => Mark::of(&text).map(Some).ok_or_else(|| ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Marks the folder as the cluster's, unless another controller was faster; answers the mark that it has.
    pub fn make_mark(&self, cluster: &str, id: &str) -> io::Result<Mark> {
        fs::create_dir_all(&self.0)?;
        let draft = self.0.join(format!("{MARK}-{id}"));
        write(&draft, &Mark { cluster: cluster.to_owned(), id: id.to_owned() }.text())?;
        // A link, unlike a rename, does not replace what is there.
        let made = fs::hard_link(&draft, self.mark_file());
        let made = match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists && !self.mark_file().exists() => {
                // Some file systems have no links.
                fs::rename(&draft, self.mark_file())
            }
            _ => Ok(()),
        };
        let _ = fs::remove_file(&draft);
        made?;
        self.mark()?.ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Writes a nonce for others to find.
    pub fn write_nonce(&self, nonce: &str) -> io::Result<Nonce> {
        fs::create_dir_all(&self.0)?;
        let file = self.nonce_file(nonce);
        write(&file, nonce)?;
        Ok(Nonce { text: nonce.to_owned(), file })
    }

    /// Whether another controller's nonce is here. May wait as long as the folder's server does, and for 2 s besides.
    pub fn finds(&self, nonce: &str) -> bool {
        if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        let deadline = Instant::now() + LATE;
        loop {
            if fs::read_to_string(self.nonce_file(nonce)).is_ok_and(|text| text == nonce) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn nonce_file(&self, nonce: &str) -> PathBuf {
        self.0.join(format!("joining-{nonce}"))
    }
}

impl Mark {
    /// From its file.
    pub fn of(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        Some(Self { cluster: value("cluster")?, id: value("id")? })
    }

    /// As in its file.
    pub fn text(&self) -> String {
        format!("{FIRST_LINE}\ncluster={}\nid={}\n", self.cluster, self.id)
    }
}

/// A nonce in the folder; gone with this.
#[derive(Debug)]
pub(crate) struct Nonce {
    pub text: String,
    file: PathBuf,
}

impl Drop for Nonce {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut open: File = OpenOptions::new().write(true).create(true).truncate(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ha-shared-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn the_first_mark_stays() {
        let root = folder("mark");
        let shared = SharedFolder::at(&root);
        assert_eq!(shared.mark().unwrap(), None);
        let first = shared.make_mark("one", "aa").unwrap();
        assert_eq!(first, Mark { cluster: "one".into(), id: "aa".into() });
        assert_eq!(shared.make_mark("two", "bb").unwrap(), first);
        assert_eq!(shared.mark().unwrap(), Some(first));
        fs::write(shared.mark_file(), "torn").unwrap();
        assert_eq!(shared.mark().unwrap_err().kind(), ErrorKind::InvalidData);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_nonce_is_found_in_its_own_folder_while_it_is_held() {
        let (here, there) = (folder("here"), folder("there"));
        let shared = SharedFolder::at(&here);
        let nonce = shared.write_nonce("c0ffee").unwrap();
        assert!(SharedFolder::at(&here).finds("c0ffee"));
        assert!(!SharedFolder::at(&there).finds("c0ffee"));
        assert!(!shared.finds("../cluster"));
        drop(nonce);
        assert!(!shared.finds("c0ffee"));
        for root in [here, there] {
            fs::remove_dir_all(root).unwrap();
        }
    }
}
