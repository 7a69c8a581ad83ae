//! `thirdtrail investigate`: a breached party, from the output of a run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::aws::window::Time;
use crate::run::beside::now;
use crate::run::investigate::{ANSWER, PAGE, Question, answer, check, write};
use crate::run::monitor::Monitor;

use super::args::{AwsArguments, time};
use super::exit_code::ExitCode;
use super::progress::{Progress, Shown};
use super::terminal::{line, note, plain};

/// Arguments of `investigate`.
#[derive(Debug, Args)]
pub(super) struct InvestigateArguments {
    /// The output of `analyze`: a folder, or `s3://bucket/prefix`.
    pub(super) out_of_run: String,
    /// Id or name of a party, as in report.md; a name that several parties have means all of them.
    #[arg(long)]
    pub(super) party: String,
    /// From this time on (date or RFC 3339); by default the beginning of the run's window.
    #[arg(long, value_parser = time)]
    pub(super) since: Option<Time>,
    /// Before this time (date or RFC 3339); by default the end of the run's window.
    #[arg(long, value_parser = time)]
    pub(super) until: Option<Time>,
    /// Write the page, the answer as JSON and the containment files into this folder.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = InvestigateFormat::Markdown)]
    pub(super) format: InvestigateFormat,
    /// The containment files end sessions that were opened before this: a time, or `now`. By default --until.
    #[arg(long, value_name = "TIME|now", value_parser = time_or_now)]
    pub(super) revoke_before: Option<Time>,
    /// Output of `aws iam get-account-authorization-details` of today, for trust policies without the party; repeatable.
    #[arg(long, value_name = "FILE")]
    pub(super) inventory: Vec<PathBuf>,
    /// Write trust policies also where they hold external ids of others, which are secrets.
    #[arg(long)]
    pub(super) show_external_ids: bool,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(super) progress: Progress,
    #[command(flatten)]
    pub(super) aws: AwsArguments,
}

/// How to print an investigation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum InvestigateFormat {
    /// For people.
    Markdown,
    /// For programs.
    Json,
}

fn time_or_now(text: &str) -> Result<Time, String> {
    if text == "now" { Ok(now()) } else { time(text) }
}

pub(super) fn run(arguments: &InvestigateArguments) -> anyhow::Result<ExitCode> {
    if let Some(out) = &arguments.out {
        check(out)?;
    }
    let question = Question {
        out: arguments.out_of_run.clone(),
        party: arguments.party.clone(),
        since: arguments.since,
        until: arguments.until,
        revoke_before: arguments.revoke_before,
        inventories: arguments.inventory.clone(),
        show_external_ids: arguments.show_external_ids,
        with_files: arguments.out.is_some(),
    };
    let monitor = Shown::new(arguments.progress, false);
    monitor.begin("reading what the run wrote", 0, 0);
    let answered = answer(&question, &arguments.aws.options())?;
    monitor.end();
    if let Some(out) = &arguments.out {
        write(out, &answered.files, arguments.show_external_ids)?;
        let (shown, files) = (out.display().to_string(), answered.files.len());
        note(&plain(&format!("wrote {files} files to {shown}: read {PAGE} first; nothing was changed in AWS")));
    }
    let wanted = match arguments.format {
        InvestigateFormat::Markdown => PAGE,
        InvestigateFormat::Json => ANSWER,
    };
    if let Some(file) = answered.files.iter().find(|file| file.path == wanted) {
        line(String::from_utf8_lossy(&file.bytes).trim_end())?;
    }
    Ok(if answered.answer.run.complete { ExitCode::Done } else { ExitCode::Incomplete })
}
