//! External ids that come from outside: fresh ones from the system's random source, agreed ones from a file or a variable.
//!
//! Never from the command line itself, which others on the machine can read (S42).

use std::path::PathBuf;

use uuid::Builder;

use crate::aws::external_id::ExternalId;

use super::UserError;

/// Bytes of a file that can hold one external id; more is another file.
const FILE_BYTES: u64 = 64 * 1024;

/// A UUID of version 4.
///
/// # Errors
/// When the system has no random source to ask.
pub fn fresh() -> Result<ExternalId, UserError> {
    let wrong = |what: String| UserError::new(what, "check the system's random source");
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| wrong(format!("the system gives no random bytes: {error}")))?;
    let text = Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string();
    ExternalId::parse(&text).map_err(|error| wrong(error.to_string()))
}

/// Where an agreed id lies.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Alone in a file, with or without a line end.
    File(PathBuf),
    /// In an environment variable of that name.
    Variable(String),
}

impl Kept {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the file or variable, without what it holds.
    pub fn read(&self) -> Result<ExternalId, UserError> {
        let (shown, text) = match self {
            Self::File(path) => {
                let shown = path.display().to_string();
                let size = std::fs::metadata(path).map(|found| found.len());
                let text = match size {
                    Ok(size) if size > FILE_BYTES => Err(format!("it has {size} bytes")),
                    _ => std::fs::read_to_string(path).map_err(|error| error.to_string()),
                };
                (shown, text)
            }
            Self::Variable(name) => {
                (name.clone(), std::env::var(name).map_err(|_| "it is not set, or is no text".to_owned()))
            }
        };
        let wrong = |why: String| {
            UserError::new(
                format!("cannot read the external id in `{shown}`: {why}"),
                "put the id there, and nothing else",
            )
        };
        let text = text.map_err(wrong)?;
        ExternalId::parse(text.trim_start_matches('\u{feff}').trim()).map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S41: what is made here is judged a UUID, and is never made twice.
    #[test]
    fn fresh_ids_are_random_uuids() {
        let ids: Vec<String> = (0..100).map(|_| fresh().unwrap().reveal().to_owned()).collect();
        for id in &ids {
            assert_eq!(crate::finding::external_id::strength(id, [], None), "uuid", "{id}");
            assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
        let different: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
    }

    /// S42: what a file holds is not told when it is no id.
    #[test]
    fn an_id_is_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Kept::File(path.clone()).read()
        };
        assert_eq!(read("agreed-id\r\n").unwrap().reveal(), "agreed-id");
        let error = read("secret one\nsecret two\n").unwrap_err().to_string();
        assert!(error.contains("2 to 1224") && !error.contains("secret"), "{error}");
        assert!(Kept::File(folder.path().join("none")).read().is_err());
        assert!(Kept::Variable("THIRDTRAIL_TEST_NO_SUCH_VARIABLE".to_owned()).read().is_err());
    }
}
