//! `thirdtrail template`: a well-made role for a vendor, as CloudFormation and Terraform.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use crate::activity::directory::Directory;
use crate::policy::vendor_role::SESSION_SECONDS;
use crate::run::UserError;
use crate::run::config::file::Config;
use crate::run::config::{RuleFiles, Rules};
use crate::run::external_id::Kept;
use crate::run::output;
use crate::run::template::{Design, Permissions, Replaced, Wish, design};

use super::exit_code::ExitCode;
use super::terminal::{config_note, line, note, plain};

/// Arguments of `template`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("permissions").args(["actions", "policy", "from"]))]
#[command(group = ArgGroup::new("whom").args(["vendor", "principal", "from", "replace_user"]).required(true).multiple(true))]
pub(super) struct TemplateArguments {
    /// Whom the role is for: a vendor's name in the directory, or the number of its account.
    #[arg(long, value_name = "NAME|ACCOUNT")]
    vendor: Option<String>,
    /// Your own vendors (TOML), laid over the directory; repeatable, the later one wins.
    #[arg(long, value_name = "FILE")]
    vendors: Vec<PathBuf>,
    /// A configuration (TOML), of which `vendors` and `[[vendor]]` count. By default `thirdtrail.toml`
    /// where the program runs.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Use no configuration.
    #[arg(long)]
    no_config: bool,
    /// Let in this role (or user) of the vendor's alone, not its whole account.
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// What the role may do: actions of the catalog, separated by commas; patterns such as `ec2:Describe*` are taken.
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    actions: Vec<String>,
    /// Limit the --actions that can be limited to this resource; repeatable. Others stay on `*`.
    #[arg(long, value_name = "ARN", requires = "actions")]
    resource: Vec<String>,
    /// What the role may do: a policy document, such as the vendor publishes; repeatable.
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// What the role may do: the right-sized policies of --role in the output folder of `analyze`. Whom it lets in is taken
    /// from there, too, if it is one account.
    #[arg(long, value_name = "OUT", requires = "role")]
    from: Option<PathBuf>,
    /// The role in the output of --from.
    #[arg(long, value_name = "ARN|NAME", requires = "from")]
    role: Option<String>,
    /// With --from: the role's guard-rail (boundary.json) as permissions boundary.
    #[arg(long, requires = "from", conflicts_with = "boundary")]
    guardrail: bool,
    /// The role takes the place of the keys of this user: it gets the user's policies and those of its groups, and the
    /// steps say when to switch the keys off. With --actions or --policy it gets those instead. Without --vendor the user's
    /// tag or name says whose it is.
    #[arg(long, value_name = "ARN", requires = "inventory", conflicts_with = "from")]
    replace_user: Option<String>,
    /// With --replace-user: output of `aws iam get-account-authorization-details`; repeatable.
    #[arg(long, value_name = "FILE", requires = "replace_user")]
    inventory: Vec<PathBuf>,
    /// A permissions boundary: a policy document, or the ARN of a managed policy.
    #[arg(long, value_name = "FILE|ARN")]
    boundary: Option<String>,
    /// Write the external id, which is alone in this file, into the templates. Without it they ask for the id when they are
    /// applied, and no secret lies in them.
    #[arg(long, value_name = "FILE")]
    external_id_file: Option<PathBuf>,
    /// The same, with the id in this environment variable.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "external_id_file")]
    external_id_env: Option<String>,
    /// Demand that the vendor names who acts (sts:SourceIdentity), which then stands in every record. Ask it first: not
    /// every vendor can.
    #[arg(long)]
    source_identity: bool,
    /// The role's name; by default made of the vendor's.
    #[arg(long, value_name = "NAME")]
    role_name: Option<String>,
    /// The role's description.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The longest session in seconds, 3600 to 43200.
    #[arg(long, value_name = "SECONDS", default_value_t = *SESSION_SECONDS.start(), value_parser = session)]
    max_session: u32,
    /// A tag of the role; repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    tag: Vec<(String, String)>,
    /// Which template; by default CloudFormation on standard output, and both in --out.
    #[arg(long, value_enum)]
    format: Option<TemplateFormat>,
    /// Write the templates and NEXT-STEPS.md to this folder, new or empty.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A template language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum TemplateFormat {
    /// CloudFormation, as JSON.
    Cloudformation,
    /// Terraform (HCL).
    Terraform,
}

fn session(text: &str) -> Result<u32, String> {
    let seconds = text.parse().ok().filter(|seconds| SESSION_SECONDS.contains(seconds));
    seconds.ok_or_else(|| format!("not a number from {} to {}", SESSION_SECONDS.start(), SESSION_SECONDS.end()))
}

fn tag(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| "not KEY=VALUE".to_owned())
}

pub(super) fn run(arguments: &TemplateArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    if let Some((key, _)) = twice(&arguments.tag) {
        return Err(UserError::new(format!("tag `{key}` is given twice"), "leave one out").into());
    }
    if let Some(out) = &arguments.out {
        output::check_empty(out)?;
    }
    config_note(config.as_ref());
    let rules = RuleFiles { config, vendors: arguments.vendors.clone(), ..RuleFiles::default() };
    let directory = Rules::read(&rules, &BTreeSet::new())?.directory;
    let design = design(&wish(arguments, directory))?;
    let Some(out) = &arguments.out else { return print(arguments, &design) };
    let wants = |format| arguments.format.is_none_or(|wanted| wanted == format);
    let files = design.files(wants(TemplateFormat::Cloudformation), wants(TemplateFormat::Terraform))?;
    // With the id in them the files are secrets.
    if design.role.external_id.is_some() {
        output::write_private(out, &files)?;
    } else {
        output::write(out, &files)?;
    }
    notes(&design);
    line(&format!("{} files in {}; next: read {}", files.len(), out.display(), out.join("NEXT-STEPS.md").display()))?;
    Ok(ExitCode::Done)
}

fn print(arguments: &TemplateArguments, design: &Design) -> anyhow::Result<ExitCode> {
    let text = match arguments.format {
        Some(TemplateFormat::Terraform) => design.terraform(),
        Some(TemplateFormat::Cloudformation) | None => design.cloudformation()?,
    };
    line(text.trim_end())?;
    notes(design);
    if design.steps.user.is_some() {
        note("note: --out DIR also writes the steps from the user's keys to the role");
    }
    Ok(ExitCode::Done)
}

fn notes(design: &Design) {
    for told in &design.steps.notes {
        note(&plain(&format!("note: {told}")));
    }
}

fn twice(tags: &[(String, String)]) -> Option<&(String, String)> {
    // IAM's tag keys differ in more than case.
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    tags.iter()
        .enumerate()
        .find(|(at, (key, _))| tags.iter().skip(at + 1).any(|(other, _)| same(key, other)))
        .map(|(_, tag)| tag)
}

fn wish(arguments: &TemplateArguments, directory: Directory) -> Wish {
    let permissions = match &arguments.from {
        Some(out) => Permissions::Role {
            out: out.clone(),
            role: arguments.role.clone().unwrap_or_default(),
            guardrail: arguments.guardrail,
        },
        None if !arguments.actions.is_empty() => {
            Permissions::Actions(arguments.actions.clone(), arguments.resource.clone())
        }
        None if !arguments.policy.is_empty() => Permissions::Policies(arguments.policy.clone()),
        None => Permissions::None,
    };
    let file = arguments.external_id_file.clone().map(Kept::File);
    Wish {
        vendor: arguments.vendor.clone(),
        principal: arguments.principal.clone(),
        permissions,
        replaced: arguments.replace_user.clone().map(|arn| Replaced { arn, inventories: arguments.inventory.clone() }),
        boundary: arguments.boundary.clone(),
        external_id: file.or_else(|| arguments.external_id_env.clone().map(Kept::Variable)),
        role_name: arguments.role_name.clone(),
        description: arguments.description.clone(),
        session_seconds: arguments.max_session,
        tags: arguments.tag.clone(),
        source_identity: arguments.source_identity,
        directory,
    }
}
