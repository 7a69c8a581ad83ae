//! Writes all files of a run at once: into a folder beside the target, which then takes the target's place.
//!
//! An interrupted run leaves the old folder whole; there is never a mix of two runs. A folder that holds anything that
//! this program did not write is left alone. A place in a bucket has rules of its own (`upload`).

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
    /// They stay beside the outputs, unless they have the name of one.
    Stay,
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
    let Ok(entries) = fs::read_dir(out) else { return check_parent(out) };
    let names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // Others have folders named `roles` too: only `run.json` shows that a run wrote this one.
    let is_ours = names.is_empty() || wrote(&out.join("run.json"));
    match names.iter().find(|name| !is_ours || !OWN.contains(&name.as_str())) {
        Some(name) if others == Others::Refused => Err(UserError::new(
            format!("output folder `{shown}` holds `{name}`, which thirdtrail did not write"),
            "give a new or empty folder with --out, or name it once more with --overwrite: what is not an output stays",
        )),
        _ => check_kept(out),
    }
}

/// What `apply.sh --force` kept of a policy is the only way back to it, so a folder with such files is not replaced.
fn check_kept(out: &Path) -> Result<(), UserError> {
    let folders = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let roles = folders(out.join("roles")).flat_map(folders);
    match roles.map(|role| role.join("before")).find(|kept| kept.is_dir()) {
        None => Ok(()),
        Some(kept) => Err(UserError::new(
            format!("`{}` holds policies that `apply.sh --force` replaced", kept.display()),
            "move the role's folder away to keep the way back, or give another --out",
        )),
    }
}

/// Whether this is the `run.json` of an earlier run.
fn wrote(run: &Path) -> bool {
    fs::read(run).is_ok_and(|bytes| is_manifest(&bytes))
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
    write_for(out, files, &Spool::default(), Readers::All, Others::Refused)
}

/// The same in a folder that is its owner's alone, from its first moment on.
///
/// # Errors
/// When the disk refuses, or knows no owners; the old folder is then still there.
pub fn write_private(out: &Path, files: &[OutputFile]) -> Result<(), UserError> {
    write_for(out, files, &Spool::default(), Readers::Owner, Others::Refused)
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

/// Puts a folder in the place of another, which may be there or not.
fn replace(out: &Path, fresh: tempfile::TempDir, parent: &Path, others: Others) -> std::io::Result<()> {
    if !out.exists() {
        fs::rename(fresh.keep(), out)?;
        return Ok(());
    }
    let mut builder = tempfile::Builder::new();
    let old = private(&mut builder).prefix(".thirdtrail-old-").tempdir_in(parent)?;
    let aside = old.path().join("out");
    fs::rename(out, &aside)?;
    if let Err(error) = fs::rename(fresh.path(), out) {
        fs::rename(&aside, out)?;
        return Err(error);
    }
    // The folder went away under its guard's name; there is nothing left for it to remove.
    let _ = fresh.keep();
    if others == Others::Stay
        && let Err(error) = give_back(&aside, out)
    {
        // What could not be given back is not removed.
        let kept = old.keep().join("out");
        let told = format!("{error}; what others had there is in `{}`", kept.display());
        return Err(std::io::Error::new(error.kind(), told));
    }
    Ok(())
}

/// Moves what others had in the old folder into the new one, if nothing in it has that name.
fn give_back(old: &Path, new: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(old)? {
        let (name, from) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if !OWN.iter().any(|own| name == *own) {
            fs::rename(&from, new.join(&name))?;
        }
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
}
