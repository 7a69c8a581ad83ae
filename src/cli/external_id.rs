//! `thirdtrail external-id`: makes external ids, and says whether roles refuse a caller without its own.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::activity::party::Accounts;
use crate::aws::{AccountId, Arn};
use crate::finding::id_check::{IdQuality, RoleIdCheck, check_role};
use crate::policy::inventory::{Inventory, Role};
use crate::policy::without_id::IdAnswer;
use crate::run::UserError;
use crate::run::beside::{BesideOptions, read};
use crate::run::config::file::Config;
use crate::run::config::{RuleFiles, Rules};
use crate::run::external_id::{Kept, fresh};
use crate::run::live::Input;
use crate::run::live::external_id::{LiveCheck, check};

use super::args::{AwsArguments, Format};
use super::beside::is_live;
use super::exit_code::ExitCode;
use super::ink::Ink;
use super::progress::{Progress, Shown};
use super::terminal::{config_note, line, note, plain, told, told_under};

/// Arguments of `external-id`.
#[derive(Debug, Args)]
pub(super) struct ExternalIdArguments {
    #[command(subcommand)]
    command: ExternalIdCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum ExternalIdCommand {
    /// Print a fresh external id: a random UUID (version 4), alone on standard output.
    New {
        /// How many, one a line.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        count: u16,
    },
    /// Does a role refuse a caller without its external id, and one with a wrong id? By evaluating trust policies, or with
    /// --live by calling STS. Exit code 0: all refuse; 1: some let such a caller in; 3: of some it cannot be told.
    Check(Box<CheckArguments>),
}

/// Arguments of `external-id check`.
#[derive(Debug, Args)]
struct CheckArguments {
    /// Output of `aws iam get-account-authorization-details`; repeatable; `live` asks AWS.
    #[arg(long, value_name = "live|FILE")]
    inventory: Vec<PathBuf>,
    /// A folder that `thirdtrail collect` wrote, in place of --inventory and --organization.
    #[arg(long, value_name = "DIR")]
    inputs: Option<PathBuf>,
    /// Accounts of your organization, which are no third parties: `live`, or the output of
    /// `aws organizations list-accounts`.
    #[arg(long, value_name = "live|FILE")]
    organization: Vec<PathBuf>,
    /// A further account of your own; repeatable.
    #[arg(long)]
    own_account: Vec<AccountId>,
    /// Your own vendors (TOML), laid over the directory; repeatable, the later one wins.
    #[arg(long, value_name = "FILE")]
    vendors: Vec<PathBuf>,
    /// A configuration (TOML), of which the inputs, own accounts, the way to AWS, `vendors` and `[[vendor]]` count. By default `thirdtrail.toml`
    /// where the program runs.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Use no configuration.
    #[arg(long)]
    no_config: bool,
    /// Only this role, by name or ARN; repeatable. By default every role that lets an outside account in.
    #[arg(long, value_name = "NAME|ARN")]
    role: Vec<String>,
    /// Call sts:AssumeRole on each --role (by ARN) with your own credentials: without an external id and with a random one.
    /// A session that is handed out may do nothing, is dropped at once, and shows in the role's trail and last use.
    #[arg(long, requires = "role", conflicts_with_all = ["inventory", "inputs", "organization", "own_account", "vendors"])]
    live: bool,
    /// With --live: call with the agreed id, too, which is alone in this file. Only then does a refusal without it prove
    /// that the id is demanded.
    #[arg(long, value_name = "FILE", requires = "live")]
    external_id_file: Option<PathBuf>,
    /// The same, with the id in this environment variable.
    #[arg(long, value_name = "VARIABLE", requires = "live", conflicts_with = "external_id_file")]
    external_id_env: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    aws: AwsArguments,
}

pub(super) fn run(arguments: &ExternalIdArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        ExternalIdCommand::New { count } => {
            for _ in 0..*count {
                line(fresh()?.reveal())?;
            }
            Ok(ExitCode::Done)
        }
        ExternalIdCommand::Check(arguments) => {
            config_note(config.as_ref());
            if arguments.live { live(arguments) } else { evaluated(arguments, config) }
        }
    }
}

/// The exit code that goes with the answers.
fn exit_code(answers: impl Iterator<Item = IdAnswer>) -> ExitCode {
    match answers.max() {
        Some(IdAnswer::AdmitsWithout | IdAnswer::AdmitsAny) => ExitCode::Findings,
        Some(IdAnswer::Unknown) => ExitCode::Incomplete,
        Some(IdAnswer::Refuses) | None => ExitCode::Done,
    }
}

fn evaluated(arguments: &CheckArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    if arguments.inventory.is_empty() && arguments.inputs.is_none() {
        let help =
            "give --inventory FILE (output of `aws iam get-account-authorization-details`), or --live with --role";
        return Err(UserError::new("there is no role to check", help).into());
    }
    let mut options =
        BesideOptions { aws: arguments.aws.options(), folder: arguments.inputs.clone(), ..BesideOptions::default() };
    let (live, files): (Vec<&PathBuf>, Vec<&PathBuf>) = arguments.inventory.iter().partition(|path| is_live(path));
    options.live.extend((!live.is_empty()).then_some(Input::Inventory));
    for path in &arguments.organization {
        if is_live(path) {
            options.live.insert(Input::Organization);
        } else {
            options.files.push((Input::Organization, path.clone()));
        }
    }
    let files: Vec<PathBuf> = files.into_iter().cloned().collect();
    let given = read(&files, &options, &Shown::new(Progress::Auto, false))?;
    let own: BTreeSet<AccountId> =
        given.inventory.accounts.iter().chain(&given.organization).chain(&arguments.own_account).copied().collect();
    let rules = RuleFiles { config, vendors: arguments.vendors.clone(), ..RuleFiles::default() };
    let directory = Rules::read(&rules, &own)?.directory;
    let accounts = Accounts { own: &own, organizations: &given.beside.organization_ids, directory: &directory };
    let roles = chosen(&given.inventory, &arguments.role)?;
    let mut checks: Vec<RoleIdCheck> = roles.into_iter().map(|role| check_role(role, accounts)).collect();
    checks.retain(|check| !arguments.role.is_empty() || check.concerns_outsiders());
    match arguments.format {
        Format::Json => {
            line(&json!({"schema": "thirdtrail.external-id-check/1", "live": false, "roles": checks}).to_string())?
        }
        Format::Table => {
            for check in &checks {
                role_lines(check)?;
            }
            summary(checks.iter().map(RoleIdCheck::verdict))?;
        }
    }
    Ok(exit_code(checks.iter().map(RoleIdCheck::verdict)))
}

/// The roles to ask about: those named, else all that AWS did not make for itself.
fn chosen<'a>(inventory: &'a Inventory, wanted: &[String]) -> Result<Vec<&'a Role>, UserError> {
    if wanted.is_empty() {
        return Ok(inventory.roles.values().filter(|role| !role.is_service_linked()).collect());
    }
    let mut found: Vec<&Role> = Vec::new();
    for name in wanted {
        let named = inventory.roles.values().filter(|role| role.arn == *name || role.name == *name);
        let before = found.len();
        found.extend(named);
        if found.len() == before {
            let what = format!("no role `{name}` is in the inventory");
            return Err(UserError::new(what, "give its name without the path, or its whole ARN"));
        }
    }
    found.sort_by(|one, other| one.arn.cmp(&other.arn));
    found.dedup_by(|one, other| one.arn == other.arn);
    Ok(found)
}

/// The answer about a role, at the head of its lines.
fn answered(answer: &str, role: &str) -> std::io::Result<()> {
    told_under(&format!("{} {}", painted(answer, 15), plain(role)), 16)
}

/// The word of an answer in a column of that width.
fn painted(answer: &str, width: usize) -> String {
    Ink::of(answer).paint(&format!("{answer:<width$}"))
}

fn role_lines(check: &RoleIdCheck) -> std::io::Result<()> {
    answered(check.answer, &check.role)?;
    if check.parties.is_empty() {
        told(&plain(&format!("  {}", check.reason)))?;
    }
    for party in &check.parties {
        let name = party.party.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        let said = plain(&format!("{name}{}: {}", party.principal, party.reason));
        told_under(&format!("  {} {said}", painted(party.answer, 13)), 16)?;
        for quality in &party.external_ids {
            told_under(&plain(&format!("  {:<13}   id: {}", "", of_quality(quality))), 18)?;
        }
    }
    Ok(())
}

fn of_quality(quality: &IdQuality) -> String {
    let can = if quality.weak { " (can be guessed)" } else { "" };
    let print = quality.fingerprint.as_deref().map(|print| format!(", fingerprint {print}")).unwrap_or_default();
    format!("{}{can}, {} characters{print}", quality.strength, quality.length)
}

fn summary(answers: impl Iterator<Item = IdAnswer> + Clone) -> std::io::Result<()> {
    let order = [IdAnswer::AdmitsWithout, IdAnswer::AdmitsAny, IdAnswer::Unknown, IdAnswer::Refuses];
    let count = |wanted: IdAnswer| answers.clone().filter(|answer| *answer == wanted).count();
    let counted: Vec<String> = order
        .into_iter()
        .filter(|answer| count(*answer) > 0)
        .map(|answer| format!("{} {}", count(answer), answer.word()))
        .collect();
    match counted.as_slice() {
        [] => line("no role lets in an outside account"),
        some => line(&format!("{} roles: {}", answers.count(), some.join(", "))),
    }
}

fn live(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    if arguments.aws.no_sign_request {
        return Err(UserError::new("--live asks with your credentials", "leave --no-sign-request out").into());
    }
    let is_role = |text: &String| Arn::parse(text).is_some_and(|arn| arn.service == "iam" && arn.role_name().is_some());
    if let Some(other) = arguments.role.iter().find(|text| !is_role(text)) {
        let what = format!("`{}` is not the ARN of a role", plain(other));
        return Err(UserError::new(what, "with --live write it as `arn:aws:iam::111122223333:role/NAME`").into());
    }
    let file = arguments.external_id_file.clone().map(Kept::File);
    let kept = file.or_else(|| arguments.external_id_env.clone().map(Kept::Variable));
    let given = kept.map(|kept| kept.read()).transpose()?;
    let checks = check(&arguments.role, given.as_ref(), &arguments.aws.options())?;
    match arguments.format {
        Format::Json => {
            line(&json!({"schema": "thirdtrail.external-id-check/1", "live": true, "roles": checks}).to_string())?
        }
        Format::Table => {
            for check in &checks {
                live_lines(check)?;
            }
            summary(checks.iter().map(LiveCheck::verdict))?;
        }
    }
    if checks.iter().any(|check| check.verdict() == IdAnswer::Refuses && !check.proven) {
        note("note: a refusal alone does not prove that the external id is demanded; give it with --external-id-file");
    }
    Ok(exit_code(checks.iter().map(LiveCheck::verdict)))
}

fn live_lines(check: &LiveCheck) -> std::io::Result<()> {
    answered(check.answer, &check.role)?;
    told(&plain(&format!("  {}", check.reason)))?;
    if let Some(caller) = &check.caller {
        told(&plain(&format!("  asked as {caller}")))?;
    }
    for call in &check.calls {
        let id = match call.external_id {
            "none" => "without an external id",
            "wrong" => "with a random external id",
            _ => "with the given external id",
        };
        let said = call.said.as_deref().map(|said| format!(": {said}")).unwrap_or_default();
        told(&plain(&format!("  {id}: {}{said}", call.outcome)))?;
    }
    Ok(())
}
