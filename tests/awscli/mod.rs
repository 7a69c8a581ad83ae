//! AWS's own validator of trails, the code behind `aws cloudtrail validate-logs`, as a second opinion.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a second opinion that cannot be heard has failed")]

use std::path::Path;

use serde_json::{Value, json};

use crate::python::{Python, run};
use crate::signed::{BUCKET, PREFIX, Signed};
use crate::write;

/// The validator, if it can be had.
pub(crate) fn python() -> Result<Python, String> {
    Python::new()?.with(&["awscli==1.46.3"], "awscli.customizations.cloudtrail.validation")
}

/// What AWS's own validator says of a bucket with these files.
pub(crate) fn says(python: &Python, trail: &Signed) -> Value {
    let folder = tempfile::tempdir().unwrap();
    write(&trail.files, &folder.path().join(BUCKET).join(PREFIX));
    std::fs::write(folder.path().join("signatures.json"), json!(trail.signatures).to_string()).unwrap();
    std::fs::write(folder.path().join("keys.json"), &trail.keys).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/awscli/validate.py");
    let said = run(python.command().arg(script).arg(folder.path()).arg(BUCKET).arg(PREFIX));
    serde_json::from_str(&said.unwrap_or_else(|error| panic!("{error}"))).unwrap()
}
