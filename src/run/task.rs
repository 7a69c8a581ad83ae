//! A task: which objects of a source one `observe` is to read, out of a list of keys or a part of a plan.
//!
//! A part of a plan is the plan with fewer objects. It brings the sizes and tags that the listing told, so the source need
//! not be listed again for each of a thousand tasks; in return the evidence must know the plan, or an object that no task
//! observed would be silence.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::aws::AccountId;
use crate::store::Entry;

use super::UserError;
use super::plan::{Plan, Request, plan};

/// What is to be observed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Task {
    /// All of the source that was asked for.
    #[default]
    Whole,
    /// Of that the objects with these keys.
    Keys(BTreeSet<String>),
    /// A part of a plan.
    Planned(PlannedPart),
}

/// A part of a plan that the evidence knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedPart {
    /// The listing among the evidence that holds the whole plan.
    pub(super) listing: String,
    accounts: BTreeSet<AccountId>,
    objects: Vec<Entry>,
}

#[derive(Deserialize)]
struct WrittenPlan {
    listing: Option<String>,
    #[serde(default)]
    accounts: BTreeSet<AccountId>,
    objects: Vec<WrittenObject>,
}

#[derive(Deserialize)]
struct WrittenObject {
    key: String,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    tag: String,
}

impl Task {
    /// Reads one key a line, or JSON as `thirdtrail plan --format json` prints it, whole or with fewer objects; `name`
    /// tells where the text came from.
    ///
    /// # Errors
    /// When it is neither, or names nothing.
    pub fn parse(name: &str, text: &str) -> Result<Self, UserError> {
        let wrong = |reason: String| {
            UserError::new(
                format!("cannot read the objects in `{name}`: {reason}"),
                "give one key a line, or the output of `thirdtrail plan --format json`",
            )
        };
        if !text.trim_start().starts_with('{') {
            let keys = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            return Self::of_keys(keys).ok_or_else(|| wrong("it names none".to_owned()));
        }
        let WrittenPlan { listing, accounts, objects } =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let task = match listing {
            None => Self::of_keys(objects.into_iter().map(|object| object.key).collect()),
            Some(_) if objects.is_empty() => None,
            Some(listing) => {
                let entry =
                    |object: WrittenObject| Entry { key: object.key, size_bytes: object.bytes, tag: object.tag };
                let objects = objects.into_iter().map(entry).collect();
                Some(Self::Planned(PlannedPart { listing, accounts, objects }))
            }
        };
        task.ok_or_else(|| wrong("it names none".to_owned()))
    }

    fn of_keys(keys: BTreeSet<String>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self::Keys(keys))
    }

    /// Its objects, where all that is needed of them is known without listing the source.
    #[must_use]
    pub fn planned(&self) -> Option<&[Entry]> {
        match self {
            Self::Planned(part) => Some(&part.objects),
            Self::Whole | Self::Keys(_) => None,
        }
    }
}

impl PlannedPart {
    /// The plan of this part, for the selection that the whole was made for.
    ///
    /// # Errors
    /// When an object is not among what is asked for.
    pub(super) fn plan(&self, request: &Request) -> Result<Plan, UserError> {
        let mut planned = plan(self.objects.clone(), request)?;
        if planned.objects.len() < self.objects.len() {
            let kept: BTreeSet<&String> = planned.objects.iter().map(|entry| &entry.key).collect();
            let stranger = self.objects.iter().find(|entry| !kept.contains(&entry.key));
            return Err(no_object(stranger.map_or("", |entry| &entry.key)));
        }
        // Whose trails lie at the source decides what is kept of roles, and this part may hold few of them.
        planned.accounts.extend(&self.accounts);
        Ok(planned)
    }
}

/// A key that the source or the selection does not have.
pub(super) fn no_object(key: &str) -> UserError {
    UserError::new(
        format!("`{key}` is no object to be read at this source"),
        "name keys below SOURCE, as `thirdtrail plan --format json` lists them",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Task, &str>) {
        let got = Task::parse("standard input", text);
        assert_eq!(
            got.as_ref().map_err(|error| error.what.as_str()),
            expected.as_ref().map_err(|what| *what),
            "{text}"
        );
    }

    #[test]
    fn tasks_are_lists_of_keys_or_parts_of_a_plan() {
        let keys = |keys: &[&str]| Ok(Task::Keys(keys.iter().map(|key| (*key).to_owned()).collect()));
        check("a.json\r\n\n  b c.json \na.json", keys(&["a.json", "b c.json"]));
        check(r#"{"objects": [{"key": "a.json", "bytes": 7, "tag": "x"}], "listed": 9}"#, keys(&["a.json"]));
        check(r#"{"listing": null, "objects": [{"key": "a.json"}]}"#, keys(&["a.json"]));
        let part = PlannedPart {
            listing: "listings/1.json".to_owned(),
            accounts: AccountId::parse("012345678901").into_iter().collect(),
            objects: vec![Entry { key: "a.json".to_owned(), size_bytes: 7, tag: "x".to_owned() }],
        };
        let text = r#"{"listing": "listings/1.json", "accounts": ["012345678901"],
            "objects": [{"key": "a.json", "bytes": 7, "tag": "x"}]}"#;
        check(text, Ok(Task::Planned(part)));
        let none = "cannot read the objects in `standard input`: it names none";
        for empty in ["", "\n \n", r#"{"objects": []}"#, r#"{"listing": "l", "objects": []}"#] {
            check(empty, Err(none));
        }
        assert!(Task::parse("x", "{").unwrap_err().what.contains("EOF while parsing"));
    }
}
