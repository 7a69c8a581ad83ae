//! `thirdtrail vendors`: whose accounts are known, and a vendors file made of the public list.

use crate::run::vendors::{list, refresh, write};

use super::args::{Format, VendorsArguments, VendorsCommand};
use super::exit_code::ExitCode;
use super::terminal::{line, note, plain};

pub(super) fn run(arguments: &VendorsArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        VendorsCommand::List { vendors, format } => {
            let known = list(vendors.clone())?;
            if *format == Format::Json {
                line(&serde_json::to_string_pretty(&known)?)?;
                return Ok(ExitCode::Done);
            }
            for account in known {
                line(&plain(&format!("{} {} {} ({})", account.account_id, account.kind, account.name, account.from)))?;
            }
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
