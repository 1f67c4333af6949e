//! Which folders other hosts share: a file there cannot be locked in a way that SQLite could rely on.

use std::path::{Path, PathBuf};

/// File systems that other hosts write, too, or that a host shares with its virtual machines: there locks do not hold.
const NETWORK: &[&str] = &[
    "9p",
    "acfs",
    "afpfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "cvfs",
    "davfs",
    "drvfs",
    "exafs",
    "fakeowner",
    "fhgfs",
    "gfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "lustre_lite",
    "ncpfs",
    "nfs",
    "nfs3",
    "nfs4",
    "ocfs2",
    "orangefs",
    "panfs",
    "prl_fs",
    "pvfs2",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
    "snfs",
    "vboxsf",
    "virtiofs",
    "vmhgfs",
    "wekafs",
];

/// File systems that are on this host alone.
const LOCAL: &[&str] = &[
    "apfs",
    "autofs",
    "bcachefs",
    "btrfs",
    "exfat",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "fuse",
    "fuse.fuse-overlayfs",
    "fuse.lxcfs",
    "fuse.mergerfs",
    "fuse.ntfs-3g",
    "fuse.unionfs",
    "fuseblk",
    "hfsplus",
    "jfs",
    "msdos",
    "nilfs2",
    "ntfs",
    "ntfs3",
    "overlay",
    "ramfs",
    "reiserfs",
    "rootfs",
    "squashfs",
    "tmpfs",
    "ubifs",
    "udf",
    "ufs",
    "vfat",
    "xfs",
    "zfs",
];

/// Whether other hosts write it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Local,
    Network,
    /// One that this list has not heard of.
    Unknown,
}

/// A mount and its file system.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub folder: PathBuf,
    pub file_system: String,
}

impl Mount {
    pub fn kind(&self) -> Kind {
        let name = self.file_system.as_str();
        if LOCAL.contains(&name) {
            Kind::Local
        } else if NETWORK.contains(&name) || name.starts_with("fuse") {
            Kind::Network
        } else {
            Kind::Unknown
        }
    }
}

/// What `path` lies on; none where the table does not say. `table` is in the format of /proc/self/mountinfo; `path` must be
/// without symbolic links.
pub(super) fn mount_of(path: &Path, table: &str) -> Option<Mount> {
    let mut best: Option<Mount> = None;
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
            best = Some(Mount { folder, file_system: kind.to_owned() });
        }
    }
    best
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
        let kind = |path: &str| {
            mount_of(Path::new(path), TABLE)
                .filter(|mount| mount.kind() == Kind::Network)
                .map(|mount| mount.file_system)
        };
        assert_eq!(kind("/var/ha.db"), None);
        assert_eq!(kind("/srv/jenkins home/ha.db").as_deref(), Some("nfs4"));
        assert_eq!(kind("/srv/jenkins homes/ha.db"), None);
        assert_eq!(kind("/srv/jenkins home/local/ha.db"), None);
        assert_eq!(kind("/mnt/over/ha.db").as_deref(), Some("cifs"));
        assert_eq!(kind("/mnt/ssh/ha.db").as_deref(), Some("fuse.sshfs"));
        assert_eq!(kind("/mnt/merged/ha.db"), None);
    }

    #[test]
    fn what_a_virtual_machine_shares_with_others_is_a_network_mount_and_what_is_new_is_unknown() {
        let kind = |name: &str| {
            mount_of(Path::new("/a/b"), &format!("1 0 0:1 / /a rw - {name} x rw")).map(|mount| mount.kind())
        };
        for name in ["virtiofs", "vboxsf", "9p", "drvfs", "fuse.grpcfuse", "fuse.juicefs", "wekafs"] {
            assert_eq!(kind(name), Some(Kind::Network), "{name}");
        }
        for name in ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuseblk"] {
            assert_eq!(kind(name), Some(Kind::Local), "{name}");
        }
        assert_eq!(kind("newfs"), Some(Kind::Unknown));
    }

    #[test]
    fn a_table_that_cannot_be_read_names_no_mount() {
        for table in ["", "garbage", "1 2 3 - ", " - nfs"] {
            assert_eq!(mount_of(Path::new("/a"), table), None, "{table}");
        }
    }
}
