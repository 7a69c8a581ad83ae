//! `queries`: what is filled into the questions of `queries/`, by the user or from the output of a run.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use serde_json::Value;

use crate::aws::window::{Time, parse_time};
use crate::report::OutputFile;
use crate::report::queries::{Kind, PLACES, Query, Values, all, mistake};

use super::past_run::PastRun;
use super::source::AwsOptions;
use super::{UserError, output};

/// What is wanted.
#[derive(Debug, Default)]
pub struct Wish {
    /// Only these queries; all where none is named.
    pub names: Vec<String>,
    /// The output of a run, whose accounts, days and places are filled in.
    pub of: Option<String>,
    /// Values by the name of their place.
    pub set: Vec<(String, String)>,
    /// How to reach AWS.
    pub aws: AwsOptions,
}

/// A query with what was filled in.
#[derive(Debug)]
pub struct Filled {
    /// As it was.
    pub query: Query,
    /// As it is now.
    pub text: String,
    /// What is left to be filled in.
    pub left: BTreeSet<&'static str>,
}

/// The queries, filled in.
///
/// # Errors
/// A query that there is not, a value that cannot stand in SQL, and an output that cannot be read.
pub fn queries(wish: &Wish) -> Result<Vec<Filled>, UserError> {
    let mut values = match &wish.of {
        Some(out) => of_run(&PastRun::open(out, &wish.aws)?, out)?,
        None => Values::new(),
    };
    let mut typed = BTreeSet::new();
    for (name, value) in &wish.set {
        if let Some(what) = mistake(name, value) {
            return Err(UserError::new(what, "see `thirdtrail queries --help`"));
        }
        let Some((known, kind)) = PLACES.iter().find(|(known, _)| known == name) else { continue };
        let values = values.entry(known).or_default();
        let value = if *kind == Kind::Bucket { value.trim_end_matches('/') } else { value };
        // What is typed takes the place of what a run tells.
        if typed.insert(*known) {
            values.clear();
        }
        values.push(value.to_owned());
    }
    values.entry("database").or_insert_with(|| vec!["thirdtrail".to_owned()]);
    let database = values.get("database").map(|names| names.concat()).unwrap_or_default();
    values.entry("trail").or_insert_with(|| vec![format!("{database}.trail")]);
    let wanted = chosen(&wish.names)?;
    Ok(wanted
        .into_iter()
        .map(|query| {
            let (text, left) = query.filled(&values);
            Filled { query, text, left }
        })
        .collect())
}

fn chosen(names: &[String]) -> Result<Vec<Query>, UserError> {
    let all = all();
    if let Some(name) = names.iter().find(|name| all.iter().all(|query| query.name() != name.trim_end_matches(".sql")))
    {
        return Err(UserError::new(format!("there is no query `{name}`"), "see `thirdtrail queries --list`"));
    }
    let is_wanted =
        |query: &Query| names.is_empty() || names.iter().any(|name| query.name() == name.trim_end_matches(".sql"));
    Ok(all.into_iter().filter(is_wanted).collect())
}

/// What the output of a run tells: its accounts, its window, and where it and its trail lie, if in a bucket.
fn of_run(past: &PastRun, out: &str) -> Result<Values, UserError> {
    let manifest = past.manifest()?;
    let report: Value =
        serde_json::from_slice(&past.get("report.json")?).map_err(|error| past.bad_file("report.json", &error))?;
    let list = |place: &str| report.pointer(place).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let with_account = list("/coverage/accounts").chain(list("/roles"));
    let accounts: BTreeSet<String> = with_account.filter_map(|one| text(one, "account_id")).collect();
    let time = |name: &str| report.get("window").and_then(|window| text(window, name)).and_then(|at| parse_time(&at));
    let day = |at: Time| at.format("%Y/%m/%d").to_string();
    let mut values = Values::new();
    let mut note = |name: &'static str, value: Option<String>| {
        if let Some(value) = value.filter(|value| mistake(name, value).is_none()) {
            values.entry(name).or_default().push(value);
        }
    };
    accounts.into_iter().for_each(|account| note("account", Some(account)));
    note("first_day", time("since").map(day));
    // The end of a window is the first moment that is not in it.
    note("last_day", time("until").map(|until| day(until - TimeDelta::seconds(1))));
    note("location", Some(out.trim_end_matches('/').to_owned()));
    note("trail_location", trail_of(&manifest.source));
    Ok(values)
}

/// The folder of a trail down to `AWSLogs` and the organization's id, if the source shows where it is; what else a source can
/// be, such as saved evidence, shows no such place.
fn trail_of(source: &str) -> Option<String> {
    let steps: Vec<&str> = source.trim_end_matches('/').split('/').collect();
    let at = steps.iter().position(|step| *step == "AWSLogs")?;
    let organization = steps.get(at + 1).is_some_and(|step| step.starts_with("o-"));
    Some(steps.get(..=at + usize::from(organization))?.join("/"))
}

/// Writes each to its path below a folder.
///
/// # Errors
/// The folder is not new or empty, or the disk refuses.
pub fn write(out: &Path, queries: &[Filled]) -> Result<(), UserError> {
    output::check_empty(out)?;
    let files: Vec<OutputFile> = queries.iter().map(|one| OutputFile::new(&one.query.path, one.text.clone())).collect();
    output::write(out, &files)
}

#[cfg(test)]
mod tests {
    use super::trail_of;

    #[test]
    fn a_trail_is_found_where_its_source_shows_it() {
        for (source, expected) in [
            ("s3://logs/AWSLogs", Some("s3://logs/AWSLogs")),
            ("s3://logs/x/AWSLogs/o-abc123/111122223333/", Some("s3://logs/x/AWSLogs/o-abc123")),
            ("s3://b/AWSLogs-archive/AWSLogs/111122223333/CloudTrail", Some("s3://b/AWSLogs-archive/AWSLogs")),
            ("s3://evidence/nightly", None),
            ("s3://logs", None),
        ] {
            assert_eq!(trail_of(source).as_deref(), expected, "{source}");
        }
    }
}
