//! `thirdtrail collect`.

use std::path::PathBuf;

use clap::Args;

use crate::run::collect::{check, collect};

use super::args::AwsArguments;
use super::exit_code::ExitCode;
use super::progress::{Progress, Shown};
use super::terminal::{line, note, plain};

/// Arguments of `collect`.
#[derive(Debug, Args)]
pub(super) struct CollectArguments {
    /// The folder for what is collected; give it to `analyze --inputs`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Collect from every active account of the organization, through this role in each.
    #[arg(long, value_name = "NAME")]
    assume_role_name: Option<String>,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    progress: Progress,
    #[command(flatten)]
    aws: AwsArguments,
}

pub(super) fn run(arguments: &CollectArguments) -> anyhow::Result<ExitCode> {
    check(&arguments.out)?;
    let monitor = Shown::new(arguments.progress, false);
    let role = arguments.assume_role_name.as_deref();
    let collection = collect(&arguments.out, &arguments.aws.options(), role, &monitor)?;
    for failed in &collection.failed {
        let account = failed.account_id.map_or_else(String::new, |account| format!("account {account}: "));
        note(&plain(&format!("not read: {account}{}: {}", failed.call, failed.reason)));
    }
    for account in &collection.not_asked {
        note(&format!("not asked: account {account}: it is not active"));
    }
    for help in &collection.help {
        note(&plain(&format!("help: {help}")));
    }
    line(&format!(
        "{} files in {}, {} calls refused; next: thirdtrail analyze SOURCE --inputs {}",
        collection.files.len(),
        arguments.out.display(),
        collection.failed.len(),
        arguments.out.display()
    ))?;
    Ok(if collection.failed.is_empty() { ExitCode::Done } else { ExitCode::Incomplete })
}
