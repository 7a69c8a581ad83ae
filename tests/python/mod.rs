//! Python packages that tests read outputs and documents with, in a folder outside the tree.
//!
//! The folder is `THIRDTRAIL_PYTHON_TOOLS` or `$HOME/.cache/thirdtrail-python`. What cannot be had is an error with its
//! reason, for the test to say and to pass.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

const PIP: [&str; 6] = ["-m", "pip", "--quiet", "--disable-pip-version-check", "--timeout", "20"];

/// A Python with a folder for packages beside it.
pub(crate) struct Python {
    folder: PathBuf,
    program: PathBuf,
}

impl Python {
    /// The Python of the folder, made once.
    pub(crate) fn new() -> Result<Self, String> {
        match std::env::var_os("THIRDTRAIL_PYTHON_TOOLS") {
            Some(folder) => Self::at(PathBuf::from(folder)),
            None => Self::in_cache("thirdtrail-python"),
        }
    }

    /// The Python of a folder in the user's cache, for packages that are too large to share one.
    pub(crate) fn in_cache(name: &str) -> Result<Self, String> {
        let home = std::env::var_os("HOME").ok_or("no home folder")?;
        Self::at(Path::new(&home).join(".cache").join(name))
    }

    /// The Python that has Spark, which is large and needs Java.
    pub(crate) fn with_spark() -> Result<Self, String> {
        run(Command::new("java").arg("-version")).map_err(|_| "no Java".to_owned())?;
        Self::in_cache("thirdtrail-spark")?.with(&["pyspark==4.3.0"], "pyspark")
    }

    fn at(folder: PathBuf) -> Result<Self, String> {
        let program = folder.join("bin/python");
        if !program.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        }
        Ok(Self { folder, program })
    }

    /// A command of it.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// Installs packages where one of the modules cannot be imported.
    pub(crate) fn with(self, packages: &[&str], modules: &str) -> Result<Self, String> {
        if run(self.command().args(["-c", &format!("import {modules}")])).is_err() {
            run(self.command().args(PIP).arg("install").args(packages))?;
        }
        Ok(self)
    }

    /// The files of one package, such as `moto==5.2.5`, without what it needs to run.
    pub(crate) fn files_of(&self, package: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join("files").join(package);
        if !folder.exists() {
            let making = folder.with_extension(std::process::id().to_string());
            run(self.command().args(PIP).args(["install", "--no-deps", "--target"]).arg(&making).arg(package))?;
            std::fs::rename(&making, &folder).map_err(|error| error.to_string())?;
        }
        Ok(folder)
    }
}

/// What a command says, or what it complains about.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
