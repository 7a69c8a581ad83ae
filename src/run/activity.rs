//! The single calls of a run, read back from its output: those that somebody asks for, file by file.

use std::collections::BTreeSet;

use crate::aws::wildcard::matches;
use crate::aws::window::{Time, Window, rfc3339};
use crate::evidence::tables::columnar::{Cells, ColumnarError, decode_where};
use crate::finding::investigate::read::Reported;
use crate::report::activity::columns;
pub use crate::report::activity::{ActivityRow, HEADS, WIDTHS, cells, csv_cells, csv_heads};
pub use crate::report::spreadsheet::line as csv_line;
use crate::report::tables::SCHEMA;

use super::UserError;
use super::past_run::{PastRun, is_in, parties, range};
use super::source::AwsOptions;

/// Which calls are wanted; of what is not told, all.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The output of a run.
    pub out: String,
    /// Id or name of a party.
    pub party: Option<String>,
    /// ARN or name of a role, with wildcards.
    pub role: Option<String>,
    /// An IAM action, or the name of an API, with wildcards.
    pub action: Option<String>,
    /// From when on.
    pub since: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// Only refused calls.
    pub denied: bool,
}

/// What calls must be to be shown.
struct Filter {
    parties: Option<BTreeSet<String>>,
    role: Option<String>,
    action: Option<String>,
    range: Window,
    denied: bool,
}

/// What the calls that were shown are to be read with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether the run had looked at all that was asked for.
    pub complete: bool,
    /// What it had not looked at, a sentence each.
    pub notes: Vec<String>,
}

/// Shows the calls that are wanted, account by account in the order of time.
///
/// # Errors
/// No output of a run, no such party, a range turned around; and what `show` says.
pub fn activity(
    question: &Question,
    aws: &AwsOptions,
    mut show: impl FnMut(Vec<ActivityRow>) -> std::io::Result<()>,
) -> Result<Answer, Stopped> {
    let past = PastRun::open(&question.out, aws)?;
    let (manifest, reported) = (past.manifest()?, past.report()?);
    let ids = |wanted: &String| {
        let meant = parties(&reported, wanted)?;
        Ok::<_, UserError>(meant.into_iter().map(|party| party.id.clone()).collect())
    };
    let filter = Filter {
        parties: question.party.as_ref().map(ids).transpose()?,
        role: question.role.clone(),
        action: question.action.clone(),
        range: range(&reported, question.since, question.until)?,
        denied: question.denied,
    };
    let columns = columns();
    for (account_id, path) in past.calls(&manifest, &reported, filter.range)? {
        let wants = |cells: &Cells<'_>, row: usize| filter.wants(cells, row);
        let read = decode_where(SCHEMA, &columns, wants, past.get(&path)?, |rows: Vec<ActivityRow>| {
            let with_account = |row| ActivityRow { account_id: account_id.clone(), ..row };
            show(rows.into_iter().map(with_account).collect()).map_err(Broken::Show)
        });
        read.map_err(|broken| match broken {
            Broken::File(error) => past.bad_file(&path, &error).into(),
            Broken::Show(error) => Stopped::Show(error),
        })?;
    }
    Ok(answer(&reported, filter.range))
}

fn answer(reported: &Reported, range: Window) -> Answer {
    let (window, mut notes) = (&reported.window, Vec::new());
    let within = window.since <= range.since && range.until <= window.until;
    if !reported.coverage.complete {
        notes.push("the run did not read all of the trail: what is not here may have happened all the same".to_owned());
    }
    if !within {
        let (since, until) = (rfc3339(window.since), rfc3339(window.until));
        notes.push(format!("the run looked at {since} to {until} only: of other times nothing is known"));
    }
    let asked = [("accounts", reported.asked.accounts.join(", ")), ("Regions", reported.asked.regions.join(", "))];
    for (what, named) in asked.into_iter().filter(|(_, named)| !named.is_empty()) {
        notes.push(format!("the run was asked for these {what} only: {named}"));
    }
    Answer { complete: reported.coverage.complete && within, notes }
}

/// Why not all was shown.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The user's mistake.
    #[error(transparent)]
    Mistake(#[from] UserError),
    /// Nobody takes more.
    #[error(transparent)]
    Show(std::io::Error),
}

/// Why a file was not read to its end.
enum Broken {
    File(ColumnarError),
    Show(std::io::Error),
}

impl From<ColumnarError> for Broken {
    fn from(error: ColumnarError) -> Self {
        Self::File(error)
    }
}

impl Filter {
    fn wants(&self, cells: &Cells<'_>, row: usize) -> bool {
        let text = |column| cells.text(column, row).unwrap_or_default();
        is_in(self.range, cells, row)
            && (!self.denied || text("outcome") == "denied")
            && self.parties.as_ref().is_none_or(|ids| ids.contains(text("party_id")))
            && self.role.as_ref().is_none_or(|role| {
                // What opens a session of a role may be a call in another one.
                let opens = text("event_source") == "sts.amazonaws.com" && text("event_name").starts_with("AssumeRole");
                let asked = || cells.texts("resources", row).into_iter().any(|arn| is_role(role, arn));
                is_role(role, text("role_arn")) || (opens && asked())
            })
            && self.action.as_ref().is_none_or(|action| {
                let api = format!("{}:{}", text("event_source").trim_end_matches(".amazonaws.com"), text("event_name"));
                let means = |used: &str| means(action, used);
                cells.texts("actions", row).into_iter().any(means) || means(&api)
            })
    }
}

/// Whether a pattern means a role: by its ARN, or by its name without path.
fn is_role(pattern: &str, arn: &str) -> bool {
    !arn.is_empty() && (matches(pattern, arn) || arn.rsplit('/').next().is_some_and(|name| matches(pattern, name)))
}

/// Whether a pattern means an action: whole, or by its name alone.
fn means(pattern: &str, action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    matches(pattern, action) || (!pattern.contains(':') && matches(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_actions_are_meant_by_whole_name_or_pattern() {
        let arn = "arn:aws:iam::012345678901:role/vendors/Datadog";
        for (pattern, expected) in [
            (arn, true),
            ("Datadog", true),
            ("datadog", true),
            ("Data*", true),
            ("vendors/Datadog", false),
            ("Data", false),
        ] {
            assert_eq!(is_role(pattern, arn), expected, "{pattern}");
        }
        assert!(!is_role("*", ""));
        for (pattern, expected) in [
            ("s3:GetObject", true),
            ("S3:getobject", true),
            ("s3:*", true),
            ("GetObject", true),
            ("Get*", true),
            ("s3:Get", false),
            ("ec2:*", false),
        ] {
            assert_eq!(means(pattern, "s3:GetObject"), expected, "{pattern}");
        }
    }
}
