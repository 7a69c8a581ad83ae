//! `thirdtrail queries`: the DDL and the questions for Athena, with names and locations filled in.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use crate::aws::AccountId;
use crate::run::queries::{Filled, Wish, queries, write};

use super::args::AwsArguments;
use super::exit_code::ExitCode;
use super::terminal::{line, note, plain};

/// Arguments of `queries`.
#[derive(Debug, Args)]
pub(super) struct QueriesArguments {
    /// Only these, by name; by default all.
    pub(super) name: Vec<String>,
    /// List the questions with their names.
    #[arg(long, conflicts_with = "out")]
    pub(super) list: bool,
    /// The output of a run, a folder or `s3://bucket/prefix`: its accounts, its days, and where it and its trail lie.
    #[arg(long, value_name = "OUT")]
    pub(super) of: Option<String>,
    /// The database of the tables; by default thirdtrail.
    #[arg(long)]
    pub(super) database: Option<String>,
    /// Where the output of `analyze` lies, `s3://bucket/prefix`: the folder that holds `parquet`.
    #[arg(long, value_name = "S3")]
    pub(super) location: Option<String>,
    /// An account to ask about; repeatable.
    #[arg(long)]
    pub(super) account: Vec<AccountId>,
    /// Where CloudTrail delivers, down to `AWSLogs`: for the queries on the trail itself.
    #[arg(long, value_name = "S3")]
    pub(super) trail_location: Option<String>,
    /// A value for what else is to be filled in, such as `action=s3:GetObject`; repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(super) set: Vec<(String, String)>,
    /// Write them to this new or empty folder instead of standard output.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) aws: AwsArguments,
}

pub(super) fn run(arguments: &QueriesArguments) -> anyhow::Result<ExitCode> {
    let filled = queries(&wish(arguments))?;
    if arguments.list {
        let width = filled.iter().map(|one| one.query.name().len()).max().unwrap_or_default();
        for one in &filled {
            line(&format!("{:width$}  {}", one.query.name(), one.query.question()))?;
        }
        return Ok(ExitCode::Done);
    }
    match &arguments.out {
        Some(out) => {
            write(out, &filled)?;
            note(&plain(&format!("{} files in {}", filled.len(), out.display())));
        }
        None => {
            for (at, one) in filled.iter().enumerate() {
                let gap = if at > 0 { "\n" } else { "" };
                let text = one.text.trim_end().trim_end_matches(';');
                line(&format!("{gap}-- {}\n{text};", one.query.path))?;
            }
        }
    }
    left(&filled);
    Ok(ExitCode::Done)
}

fn wish(arguments: &QueriesArguments) -> Wish {
    let named = [
        ("database", &arguments.database),
        ("location", &arguments.location),
        ("trail_location", &arguments.trail_location),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let trimmed = named.map(|(name, value)| (name, value.trim_end_matches('/').to_owned()));
    let accounts = arguments.account.iter().map(|account| ("account".to_owned(), account.to_string()));
    Wish {
        names: arguments.name.clone(),
        of: arguments.of.clone(),
        set: trimmed.chain(accounts).chain(arguments.set.iter().cloned()).collect(),
        aws: arguments.aws.options(),
    }
}

/// What must still be filled in before the queries can be run.
fn left(filled: &[Filled]) {
    let left: BTreeSet<&str> = filled.iter().flat_map(|one| one.left.iter().copied()).collect();
    if !left.is_empty() {
        let places: Vec<String> = left.iter().map(|name| format!("${{{name}}}")).collect();
        note(&format!("note: still to be filled in: {}; see --set and --of", places.join(", ")));
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
