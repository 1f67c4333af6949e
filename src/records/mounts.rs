//! Which folders other hosts share: a file there cannot be locked in a way that SQLite could rely on.

use std::path::{Path, PathBuf};

/// File systems that other hosts write, too.
const NETWORK: &[&str] = &[
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "gfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "pvfs2",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
];

/// FUSE file systems that are on this host alone.
const LOCAL_FUSE: &[&str] =
    &["fuse", "fuse.fuse-overlayfs", "fuse.lxcfs", "fuse.mergerfs", "fuse.ntfs-3g", "fuse.unionfs"];

/// A mount that other hosts share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NetworkMount {
    pub folder: PathBuf,
    pub kind: String,
}

/// What `path` lies on, if that is a network mount. `table` is in the format of /proc/self/mountinfo; `path` must be without
/// symbolic links.
pub(super) fn network_mount(path: &Path, table: &str) -> Option<NetworkMount> {
    let mut best: Option<NetworkMount> = None;
    for line in table.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let (Some(folder), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else {
            continue;
        };
        let folder = PathBuf::from(unescape(folder));
        // Of two on the same folder, the later one covers the earlier.
        if path.starts_with(&folder)
            && best
                .as_ref()
                .is_none_or(|best| folder.components().count() >= best.folder.components().count())
        {
            best = Some(NetworkMount { folder, kind: kind.to_owned() });
        }
    }
    best.filter(|mount| is_network(&mount.kind))
}

fn is_network(kind: &str) -> bool {
    NETWORK.contains(&kind) || (kind.starts_with("fuse") && kind != "fuseblk" && !LOCAL_FUSE.contains(&kind))
}

/// `\040` stands for a blank, and so on.
fn unescape(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 4).and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match (bytes[at], code) {
            (b'\\', Some(code)) => {
                plain.push(code);
                at += 4;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:30 / /srv/jenkins\\040home rw - nfs4 filer:/export rw,vers=4.2
31 30 254:1 / /srv/jenkins\\040home/local rw shared:3 - xfs /dev/vdb rw
32 22 0:32 / /mnt/over rw - ext4 /dev/vdc rw
33 22 0:33 / /mnt/over rw - cifs //filer/share rw
34 22 0:34 / /mnt/ssh rw - fuse.sshfs me@host: rw
35 22 0:35 / /mnt/merged rw - fuse.mergerfs a:b rw
";

    #[test]
    fn the_mount_that_holds_the_path_counts() {
        let kind = |path: &str| network_mount(Path::new(path), TABLE).map(|mount| mount.kind);
        assert_eq!(kind("/var/ha.db"), None);
        assert_eq!(kind("/srv/jenkins home/ha.db").as_deref(), Some("nfs4"));
        assert_eq!(kind("/srv/jenkins homes/ha.db"), None);
        assert_eq!(kind("/srv/jenkins home/local/ha.db"), None);
        assert_eq!(kind("/mnt/over/ha.db").as_deref(), Some("cifs"));
        assert_eq!(kind("/mnt/ssh/ha.db").as_deref(), Some("fuse.sshfs"));
        assert_eq!(kind("/mnt/merged/ha.db"), None);
    }

    #[test]
    fn a_table_that_cannot_be_read_names_no_mount() {
        for table in ["", "garbage", "1 2 3 - ", " - nfs"] {
            assert_eq!(network_mount(Path::new("/a"), table), None, "{table}");
        }
    }
}
