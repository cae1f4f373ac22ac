//! Files that hold secrets: who may read them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who this process is to the file system.
#[derive(Clone, Debug)]
struct Identity {
    user: u32,
    groups: Vec<u32>,
}

impl Identity {
    fn of_this_process() -> Identity {
        let mut groups: Vec<u32> =
            rustix::process::getgroups().unwrap_or_default().into_iter().map(rustix::fs::Gid::as_raw).collect();
        groups.push(rustix::process::getegid().as_raw());
        Identity { user: rustix::process::geteuid().as_raw(), groups }
    }
}

/// What a file's metadata says about its readers.
#[derive(Clone, Copy, Debug)]
struct Access {
    mode: u32,
    user: u32,
    group: u32,
}

/// Reads a file that nobody may read but us: ours alone, or, as a pod mounts a secret, another user's that a group of ours
/// may read. `shown` is what messages call it.
pub(super) fn read(whole: &Path, shown: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("{} cannot be read: {error}", shown.display());
    let metadata = std::fs::metadata(whole).map_err(cannot)?;
    let access = Access { mode: metadata.mode() & 0o777, user: metadata.uid(), group: metadata.gid() };
    if let Some(who) = too_open(access, &Identity::of_this_process()) {
        return Err(format!(
            "{} can be read or written by {who} (mode {:03o}): run `chmod 600 {}`, or have another user own it, with mode \
             440 and a group this process is in",
            shown.display(),
            access.mode,
            whole.display()
        ));
    }
    let bytes = std::fs::read(whole).map_err(cannot)?;
    String::from_utf8(bytes)
        .map_err(|_| format!("{}: expected plain text in UTF-8, got something else", shown.display()))
}

/// Who has access beyond the allowed, if anybody.
fn too_open(file: Access, we: &Identity) -> Option<&'static str> {
    if file.mode & 0o007 != 0 {
        return Some("everybody");
    }
    let mounted_for_us = file.user != we.user && we.groups.contains(&file.group) && file.mode & 0o030 == 0;
    (file.mode & 0o070 != 0 && !mounted_for_us).then_some("its group")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owner_s_alone_or_another_s_that_a_group_of_ours_may_read() {
        let we = Identity { user: 1000, groups: vec![1000, 2000] };
        let ours = |mode| Access { mode, user: 1000, group: 1000 };
        let mounted = |mode| Access { mode, user: 0, group: 2000 };
        for good in [ours(0o600), ours(0o400), mounted(0o440), mounted(0o640), mounted(0o400)] {
            assert_eq!(too_open(good, &we), None, "{good:?}");
        }
        for (bad, who) in [
            (ours(0o640), "its group"),
            (ours(0o604), "everybody"),
            (mounted(0o444), "everybody"),
            (mounted(0o460), "its group"),
            (Access { group: 3000, ..mounted(0o440) }, "its group"),
        ] {
            assert_eq!(too_open(bad, &we), Some(who), "{bad:?}");
        }
    }
}
