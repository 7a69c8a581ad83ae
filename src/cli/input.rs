//! A document that a command reads: a file, or standard input.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use crate::policy::located::place_of;
use crate::policy::{DocumentError, PolicyDocument};
use crate::run::UserError;

/// What was read, and what to call it.
pub(super) struct Input {
    /// The file as given, or `standard input`.
    pub(super) name: String,
    bytes: Vec<u8>,
}

impl Input {
    /// Reads it whole; standard input where no file is given.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, UserError> {
        let name = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let mut bytes = Vec::new();
        let read = match file {
            None => std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()),
            Some(path) => std::fs::read(path).map(|read| bytes = read),
        };
        match read {
            Ok(()) => Ok(Self { name, bytes }),
            Err(error) => {
                Err(UserError::new(format!("cannot read `{name}`: {error}"), "check its name and permissions"))
            }
        }
    }

    /// The text without a byte order mark; what of it is text, where not all of it is.
    pub(super) fn text(&self) -> Result<&str, Cow<'_, str>> {
        let bytes = self.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.bytes);
        std::str::from_utf8(bytes)
            .map_err(|error| String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()))
    }

    /// The policy document in it, or where and why there is none.
    pub(super) fn document(&self) -> Result<PolicyDocument, UserError> {
        let wrong = |why: String| {
            let what = format!("cannot read the policy in `{}`: {why}", self.name);
            UserError::new(what, "`thirdtrail policy lint` shows everything that is wrong with it")
        };
        let text = self.text().map_err(|valid| {
            let line = valid.matches('\n').count() + 1;
            wrong(format!("line {line}: not UTF-8"))
        })?;
        text.parse().map_err(|error: DocumentError| {
            // What is no JSON names its line itself.
            let place = place_of(text, &error).map(|place| format!("{place}: ")).unwrap_or_default();
            wrong(format!("{place}{error}"))
        })
    }
}
