//! Writes all files of a run at once: into a folder beside the target, which then takes the target's place.
//!
//! An interrupted run leaves the old folder whole; there is never a mix of two runs. A folder that holds anything that
//! this program did not write is left alone. A place in a bucket has rules of its own (`upload`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::report::{OutputFile, again};
use crate::store::Store;

use super::source::{AwsOptions, in_bucket, open_to_write};
use super::spool::Spool;
use super::{UserError, upload};

/// What becomes of files in an output folder that this program did not write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Others {
    /// A folder that holds any is refused.
    #[default]
    Refused,
    /// They stay beside the outputs, unless they have the path of one.
    Stay,
    /// The caller has looked: what is there goes.
    Go,
}

/// Where the files of a run go, checked before the long work.
pub enum Target {
    /// A folder, and what becomes of others' files in it.
    Folder(PathBuf, Others),
    /// A place in a bucket, with its name.
    Bucket(String, Box<dyn Store>),
}

impl Target {
    /// The target that a user names.
    ///
    /// # Errors
    /// It cannot be reached, or holds files of others that are not to stay.
    pub fn open(out: &Path, others: Others, aws: &AwsOptions) -> Result<Self, UserError> {
        let place = out.to_string_lossy();
        if let Some(found) = in_bucket(&place)? {
            let store = open_to_write(&place, found, aws)?;
            upload::check(&store, &place, others)?;
            return Ok(Self::Bucket(place.trim_end_matches('/').to_owned(), Box::new(store)));
        }
        check_for(out, others)?;
        Ok(Self::Folder(out.to_owned(), others))
    }

    /// Writes the files, and answers which files of earlier runs are still there because the bucket would not have them
    /// removed.
    ///
    /// # Errors
    /// When the disk or the bucket refuses.
    pub fn write(&self, files: &[OutputFile], large: &Spool) -> Result<Vec<String>, UserError> {
        match self {
            Self::Folder(out, others) => write_for(out, files, large, Readers::All, *others).map(|()| Vec::new()),
            Self::Bucket(place, store) => upload::write(&**store, place, files, large),
        }
    }

    /// Whether this is the place of that name.
    #[must_use]
    pub fn is(&self, place: &str) -> bool {
        match self {
            Self::Folder(out, _) => {
                fs::canonicalize(out).is_ok_and(|out| fs::canonicalize(place).is_ok_and(|it| it == out))
            }
            Self::Bucket(out, _) => out == place.trim_end_matches('/'),
        }
    }

    /// Where a file of it lies, for people.
    #[must_use]
    pub fn place_of(&self, file: &str) -> String {
        match self {
            Self::Folder(out, _) => out.join(file).display().to_string(),
            Self::Bucket(place, _) => format!("{place}/{file}"),
        }
    }
}

/// What tells of the files of a run.
pub(super) const MANIFEST: &str = "run.json";
/// Where the tables lie among them.
pub(super) const TABLES: &str = "parquet/";

/// What this program writes at the top of an output folder.
pub(super) const OWN: [&str; 10] = [
    "report",
    "report.md",
    "report.json",
    "roles",
    "parquet",
    "run.json",
    "findings.csv",
    "findings.sarif",
    "findings.ocsf.jsonl",
    again::PATH,
];

/// Whether the output folder can take the files of a run; asked before the long work.
///
/// # Errors
/// It is a file, or holds files of others.
pub fn check(out: &Path) -> Result<(), UserError> {
    check_for(out, Others::Refused)
}

/// The same for files that take the place of none: a run's outputs must not make room for them.
///
/// # Errors
/// It is a file, or holds anything.
pub fn check_empty(out: &Path) -> Result<(), UserError> {
    check(out)?;
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        let what = format!("output folder `{}` is not empty", out.display());
        return Err(UserError::new(what, "give a new or empty folder with --out"));
    }
    Ok(())
}

fn check_for(out: &Path, others: Others) -> Result<(), UserError> {
    let shown = out.display();
    if out.is_file() {
        return Err(UserError::new(format!("output folder `{shown}` is a file"), "give another --out"));
    }
    if out.file_name().is_none() {
        return Err(UserError::new(
            format!("output folder `{shown}` has no name of its own, so it cannot be replaced as a whole"),
            "name a folder with --out",
        ));
    }
    if out.is_symlink() && !out.exists() {
        let what = format!("output folder `{shown}` is a link that leads nowhere");
        return Err(UserError::new(what, "make the folder that it names, or give another --out"));
    }
    if fs::read_dir(out).is_err() {
        return check_parent(out);
    }
    let theirs = of_others(out).map_err(|error| {
        UserError::new(format!("cannot look into output folder `{shown}`: {error}"), "check its permissions")
    })?;
    match theirs.first().filter(|_| others == Others::Refused) {
        None => Ok(()),
        Some(path) if path.split('/').any(is_way_back) => Err(UserError::new(
            format!("`{shown}/{path}` is of a policy that `apply.sh --force` or `rollback.sh --force` replaced"),
            "move the role's folder away to keep the way back, or give another --out",
        )),
        Some(path) => Err(UserError::new(
            format!("output folder `{shown}` holds `{path}`, which thirdtrail did not write"),
            "give a new or empty folder with --out",
        )),
    }
}

/// Folders in which scripts keep what they replaced.
fn is_way_back(name: &str) -> bool {
    name == "before" || name.starts_with("put-back-")
}

/// What systems leave in folders that somebody looks at.
const LEFT_BY_LOOKING: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// The files in a folder that no run wrote there, by their paths, sorted: all but those that its `run.json` tells of.
fn of_others(out: &Path) -> std::io::Result<Vec<String>> {
    let told = fs::read(out.join(MANIFEST)).ok().filter(|bytes| is_manifest(bytes));
    let told = told.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut own = told.as_ref().map_or_else(BTreeSet::new, upload::told);
    if told.is_some() {
        own.insert(MANIFEST.to_owned());
    }
    let (mut theirs, mut folders) = (Vec::new(), vec![out.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(out).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let is_nothing = path.file_name().is_some_and(|name| LEFT_BY_LOOKING.iter().any(|one| name == *one));
            if !own.contains(&below) && !is_nothing {
                theirs.push(below);
            }
        }
    }
    theirs.sort_unstable();
    Ok(theirs)
}

/// Whether these are the bytes of the `run.json` of a run.
pub(super) fn is_manifest(bytes: &[u8]) -> bool {
    let read: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    read.is_some_and(|run| {
        run.get("schema")
            .and_then(serde_json::Value::as_str)
            .is_some_and(|schema| schema.starts_with("thirdtrail.run/"))
    })
}

fn check_parent(out: &Path) -> Result<(), UserError> {
    let blocked = out.ancestors().skip(1).find(|path| path.is_file());
    match blocked {
        Some(file) => Err(UserError::new(
            format!("output folder `{}` lies in `{}`, which is a file", out.display(), file.display()),
            "give another --out",
        )),
        None => Ok(()),
    }
}

/// Writes the files and puts them in place.
///
/// # Errors
/// When the disk refuses; the old folder is then still there.
pub fn write(out: &Path, files: &[OutputFile]) -> Result<(), UserError> {
    write_for(out, files, &Spool::default(), Readers::All, Others::Go)
}

/// The same in a folder that is its owner's alone, from its first moment on.
///
/// # Errors
/// When the disk refuses, or knows no owners; the old folder is then still there.
pub fn write_private(out: &Path, files: &[OutputFile]) -> Result<(), UserError> {
    write_for(out, files, &Spool::default(), Readers::Owner, Others::Go)
}

/// Who may read an output folder.
#[derive(Clone, Copy)]
enum Readers {
    /// As many as of any other new folder.
    All,
    /// Nobody but its owner.
    Owner,
}

fn write_for(
    out: &Path,
    files: &[OutputFile],
    large: &Spool,
    readers: Readers,
    others: Others,
) -> Result<(), UserError> {
    write_beside(out, files, large, readers, others).map_err(|error| {
        UserError::new(
            format!("cannot write to `{}`: {error}", out.display()),
            "check the room and the permissions of its parent folder",
        )
    })
}

fn write_beside(
    out: &Path,
    files: &[OutputFile],
    large: &Spool,
    readers: Readers,
    others: Others,
) -> std::io::Result<()> {
    // The folder that a link leads to is replaced, and not the link.
    let out = &if out.is_symlink() { fs::canonicalize(out)? } else { out.to_owned() };
    let parent = match out.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent)?;
    let mut builder = tempfile::Builder::new();
    let fresh = private(&mut builder).prefix(".thirdtrail-").tempdir_in(&parent)?;
    if let Readers::Owner = readers {
        check_private(fresh.path())?;
    }
    let place = |path: &str| -> std::io::Result<PathBuf> {
        let target = fresh.path().join(path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(target)
    };
    for file in files {
        fs::write(place(&file.path)?, &file.bytes)?;
    }
    for file in &large.files {
        large.copy(file, &mut fs::File::create(place(&file.path)?)?)?;
    }
    if let Readers::All = readers {
        open_to_readers(fresh.path(), 0o755)?;
    }
    replace(out, fresh, &parent, others)
}

/// Puts a folder in the place of another, which may be there or not. What goes with the old one is what was looked at
/// before: whatever else came meanwhile is told, or stays.
fn replace(out: &Path, fresh: tempfile::TempDir, parent: &Path, others: Others) -> std::io::Result<()> {
    if !out.exists() {
        fs::rename(fresh.path(), out)?;
        let _ = fresh.keep();
        return Ok(());
    }
    let theirs = if others == Others::Go { Vec::new() } else { of_others(out)? };
    if let Some(path) = theirs.first().filter(|_| others == Others::Refused) {
        return Err(std::io::Error::other(format!("`{path}` came there meanwhile, and would be lost")));
    }
    let mut builder = tempfile::Builder::new();
    // Kept from here on, so that nothing goes by accident.
    let old = private(&mut builder).prefix(".thirdtrail-old-").tempdir_in(parent)?.keep();
    let aside = old.join("out");
    let moved = fs::rename(out, &aside).and_then(|()| {
        fs::rename(fresh.path(), out).inspect_err(|_| {
            let _ = fs::rename(&aside, out);
        })
    });
    if let Err(error) = moved {
        // Only if nothing is in it: else it holds the old folder.
        let _ = fs::remove_dir(&old);
        return Err(error);
    }
    // The folder went away under its guard's name; there is nothing left for it to remove.
    let _ = fresh.keep();
    give_back(&theirs, &aside, out).map_err(|error| {
        let told = format!("{error}; what others had there is in `{}`", aside.display());
        std::io::Error::new(error.kind(), told)
    })?;
    fs::remove_dir_all(&old)
}

/// Moves files from the old folder into the new one, those whose paths it has not.
fn give_back(theirs: &[String], old: &Path, new: &Path) -> std::io::Result<()> {
    for path in theirs {
        let (from, to) = (old.join(path), new.join(path));
        if to.exists() {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(from, to)?;
    }
    Ok(())
}

/// Makes folders that are their owner's alone from their first moment on, where the system knows owners.
#[cfg(unix)]
fn private<'b, 'p, 's>(builder: &'b mut tempfile::Builder<'p, 's>) -> &'b mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private<'b, 'p, 's>(builder: &'b mut tempfile::Builder<'p, 's>) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}

/// What is written is private meanwhile; it is then as open as any other new folder (0o755) or file (0o644).
#[cfg(unix)]
pub(super) fn open_to_readers(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn open_to_readers(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

/// A disk without permissions makes every folder as open as it was mounted.
#[cfg(unix)]
fn check_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(folder)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(std::io::Error::other("the disk cannot keep a folder from other users"))
}

#[cfg(not(unix))]
fn check_private(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder that was open to others is not open again because it is written again.
    #[test]
    fn a_private_folder_is_its_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let (out, file) = (parent.path().join("out"), [OutputFile::new("inventory/1.json", b"{}".to_vec())]);
        let mode = || fs::metadata(&out).unwrap().permissions().mode() & 0o777;
        write(&out, &file).unwrap();
        assert_eq!(mode(), 0o755);
        write_private(&out, &file).unwrap();
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&out, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(check_private(&out).is_err());
    }

    /// What came into the folder while the run was at work is not lost: it is told, or stays.
    #[test]
    fn what_comes_meanwhile_is_not_lost() {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("out");
        let manifest = br#"{"schema": "thirdtrail.run/1", "files": [{"path": "report.md"}]}"#;
        let files = [OutputFile::new("report.md", b"new".to_vec()), OutputFile::new("run.json", manifest.to_vec())];
        let write = |others| write_for(&out, &files, &Spool::default(), Readers::All, others);
        write(Others::Refused).unwrap();
        write(Others::Refused).unwrap();
        fs::create_dir(out.join("shards")).unwrap();
        fs::write(out.join("shards/late"), "theirs").unwrap();
        let error = write(Others::Refused).unwrap_err();
        assert!(error.what.contains("`shards/late` came there meanwhile"), "{error}");
        write(Others::Stay).unwrap();
        assert_eq!(fs::read(out.join("shards/late")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }
}
