//! `thirdtrail vendors`: whose accounts are known, and a vendors file made of the public list.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::run::vendors::{list, refresh, write};

use super::args::Format;
use super::exit_code::ExitCode;
use super::table::{Column, Table};
use super::terminal::{line, note, plain};

/// Arguments of `vendors`.
#[derive(Debug, Args)]
pub(super) struct VendorsArguments {
    #[command(subcommand)]
    pub(super) command: VendorsCommand,
}

/// What to do with the directory of accounts.
#[derive(Debug, Subcommand)]
pub(super) enum VendorsCommand {
    /// Every account that is known, with its name and where that comes from.
    List {
        /// Your own vendors as well; repeatable, the later one wins.
        #[arg(long, value_name = "FILE")]
        vendors: Vec<PathBuf>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// A vendors file for --vendors from a downloaded `accounts.yaml` of github.com/fwdcloudsec/known_aws_accounts, which is
    /// newer than the built-in list.
    Refresh {
        /// The downloaded file.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// The vendors file to write; by default standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Of the list.
const COLUMNS: [Column; 4] =
    [Column::text("account", 12), Column::text("kind", 6), Column::text("name", 10), Column::text("from", 8)];

pub(super) fn run(arguments: &VendorsArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        VendorsCommand::List { vendors, format } => {
            let known = list(vendors.clone())?;
            if *format == Format::Json {
                line(&serde_json::to_string_pretty(&known)?)?;
                return Ok(ExitCode::Done);
            }
            let mut table = Table::new(&COLUMNS);
            for account in known {
                table.add([account.account_id.into(), account.kind.into(), account.name.into(), account.from.into()]);
            }
            table.print()?;
        }
        VendorsCommand::Refresh { from, out } => {
            let made = refresh(from)?;
            match out {
                None => line(made.text.trim_end())?,
                Some(path) => {
                    write(path, &made.text)?;
                    note(&plain(&format!("{} accounts of {} names in {}", made.accounts, made.names, path.display())));
                }
            }
        }
    }
    Ok(ExitCode::Done)
}
