//! `thirdtrail generate`.

use crate::generate::{Damage, Options, Size, write_to_folder};
use crate::run::{UserError, output};

use super::args::GenerateArguments;
use super::exit_code::ExitCode;
use super::terminal::{line, size};

pub(super) fn run(arguments: &GenerateArguments) -> anyhow::Result<ExitCode> {
    output::check_empty(&arguments.out)?;
    let defaults = Options::default();
    let size_wanted = match (arguments.bytes, arguments.records) {
        (Some(bytes), _) => Size::Bytes(bytes),
        (None, Some(records)) => Size::Records(records),
        (None, None) => defaults.size,
    };
    let options = Options {
        seed: arguments.seed,
        since: arguments.since,
        days: arguments.days,
        accounts: arguments.accounts,
        vendors: arguments.vendors,
        every_channel: arguments.every_channel,
        size: size_wanted,
        third_party_share: arguments.third_party_share,
        damage: if arguments.damage { Damage::ALL.to_vec() } else { Vec::new() },
        records_per_object: arguments.records_per_object.unwrap_or(defaults.records_per_object),
        ..defaults
    };
    let made = write_to_folder(&options, &arguments.out).map_err(|error| {
        UserError::new(format!("cannot write to `{}`: {error}", arguments.out.display()), "give another --out")
    })?;
    line(&format!(
        "{} records in {} objects, {} of JSON, {} on disk: {}",
        made.records,
        made.log_objects,
        size(made.json_bytes),
        size(made.gzip_bytes),
        arguments.out.display()
    ))?;
    Ok(ExitCode::Done)
}
