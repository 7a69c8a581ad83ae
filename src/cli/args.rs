//! The arguments, as clap reads them; every option has a meaning, and what has none yet is not there.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::aws::AccountId;
use crate::aws::window::{Time, parse_time};
use crate::run::source::AwsOptions;

use super::activity::ActivityArguments;
use super::beside::BesideArguments;
use super::collect::CollectArguments;
use super::compare::CompareArguments;
use super::external_id::ExternalIdArguments;
use super::ink::Colour;
use super::investigate::InvestigateArguments;
use super::manual::{CompletionsArguments, ManArguments};
use super::outputs::OutputFormat;
use super::plan::PlanArguments;
use super::progress::Progress;
use super::queries::QueriesArguments;
use super::template::TemplateArguments;
use super::vendors::VendorsArguments;

/// What scripts go by; the last lines of the help and a section of the manual page.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 findings that --fail-on names; 2 your mistake, nothing was written; \
                          3 done, but not all could be read; 70 a bug; 130 stopped by Ctrl-C.";

/// Which outsiders can come into your AWS accounts, what they really did, and what can be taken back without breaking
/// them.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// When to use colours; also NO_COLOR and CLICOLOR_FORCE are heeded.
    #[arg(long, value_enum, value_name = "WHEN", global = true, default_value_t)]
    pub(super) color: Colour,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The main job: read a trail, attribute its sessions, right-size the policies of third-party roles.
    Analyze(Box<AnalyzeArguments>),
    /// Saves what AWS knows beside the trail (IAM, organization, trails, last use), so that analyses need no AWS.
    Collect(CollectArguments),
    /// The map step alone: reads what no saved evidence holds, and saves its evidence.
    Observe(ObserveArguments),
    /// A report again without reading the trail: from the output of a run, or judged anew from saved evidence.
    #[command(mut_arg("source", |source| source.value_name("OUT_OR_EVIDENCE").help(super::report::SOURCE)))]
    #[command(mut_arg("evidence", |evidence| evidence.hide(true)))]
    #[command(mut_arg("verify_digests", |verify| verify.hide(true)))]
    #[command(mut_arg("digest_public_keys", |keys| keys.hide(true)))]
    Report(Box<AnalyzeArguments>),
    /// A breached party: what it did, touched and left behind, from the output of `analyze`; and files to shut it out.
    Investigate(Box<InvestigateArguments>),
    /// Show the single calls of a run, by party, role, action and time, without reading the trail again.
    Activity(Box<ActivityArguments>),
    /// What changed between two reports; exits with 1 if a finding is new that is as grave as --fail-on or graver.
    Compare(CompareArguments),
    /// What would be read: objects, bytes, days, holes, and what it would cost; reads no object.
    Plan(PlanArguments),
    /// CloudTrail records (JSON Lines on standard input) to IAM actions, with the rule that decided.
    Map(MapArguments),
    /// Whose accounts are known; a newer list of them.
    Vendors(VendorsArguments),
    /// The policy engine on its own, JSON Lines in, JSON Lines out.
    Policy(PolicyArguments),
    /// CloudFormation and Terraform for a well-made vendor role: trust with an external id, permissions, boundary, session
    /// length.
    Template(Box<TemplateArguments>),
    /// A fresh external id, or whether roles refuse a caller without its own.
    ExternalId(ExternalIdArguments),
    /// The DDL and the questions for Athena, with names and locations filled in.
    Queries(QueriesArguments),
    /// Makes a synthetic trail with its inventory and the truth about it.
    Generate(GenerateArguments),
    /// Completions for a shell, to standard output.
    Completions(CompletionsArguments),
    /// The manual page, to standard output; with --out a page for each command.
    Man(ManArguments),
}

/// Which part of a source.
#[derive(Debug, Args)]
pub(super) struct SelectionArguments {
    /// The trail: a folder, a file, or `s3://bucket/prefix`.
    pub(super) source: String,
    /// Only events from this time on (date or RFC 3339).
    #[arg(long, value_parser = time)]
    pub(super) since: Option<Time>,
    /// Only events before this time (date or RFC 3339).
    #[arg(long, value_parser = time)]
    pub(super) until: Option<Time>,
    /// Only the trail of this account; repeatable.
    #[arg(long)]
    pub(super) account: Vec<AccountId>,
    /// Only this Region; repeatable. Actions that can be called in any Region are then not called unused.
    #[arg(long)]
    pub(super) region: Vec<String>,
}

/// How to reach AWS; what is not given comes from the environment and the shared configuration files.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS")]
pub(super) struct AwsArguments {
    /// The profile of the shared AWS configuration files.
    #[arg(long)]
    pub(super) profile: Option<String>,
    /// The Region to call.
    #[arg(long, value_name = "REGION")]
    pub(super) region_name: Option<String>,
    /// An endpoint in place of AWS's own.
    #[arg(long, value_name = "URL")]
    pub(super) endpoint_url: Option<String>,
    /// Put buckets in the path of a URL, not in its host name.
    #[arg(long)]
    pub(super) force_path_style: bool,
    /// Pay for the requests yourself: a bucket whose owner wants that.
    #[arg(long)]
    pub(super) request_payer: bool,
    /// Do not sign requests: a public bucket.
    #[arg(long)]
    pub(super) no_sign_request: bool,
}

impl AwsArguments {
    pub(super) fn options(&self) -> AwsOptions {
        AwsOptions {
            profile: self.profile.clone(),
            region: self.region_name.clone(),
            endpoint_url: self.endpoint_url.clone(),
            force_path_style: self.force_path_style,
            request_payer: self.request_payer,
            no_sign_request: self.no_sign_request,
        }
    }
}

/// Arguments of `analyze`.
#[derive(Debug, Args)]
pub(super) struct AnalyzeArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Output of `aws iam get-account-authorization-details`; repeatable, one or several accounts; `live` asks AWS. By
    /// default `inventory.json` or `inventory/*.json` beside a local source.
    #[arg(long, value_name = "live|FILE")]
    pub(super) inventory: Vec<PathBuf>,
    /// A folder (or s3://bucket/prefix) of evidence: what earlier runs saved there is not read again, what is read is
    /// saved there. A run that was stopped goes on where it was.
    #[arg(long, value_name = "DIR", conflicts_with = "verify_digests")]
    pub(super) evidence: Option<String>,
    /// Where the outputs go: a folder, or `s3://bucket/prefix`.
    #[arg(long, default_value = "thirdtrail-out", value_name = "DIR")]
    pub(super) out: PathBuf,
    /// The folder of --out once more, to write there although it holds what is not thirdtrail's: that stays, unless it has
    /// the path of an output. Or the file of --pack, to replace one that is no pack; repeatable.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "")]
    pub(super) overwrite: Vec<OsString>,
    /// Also write an evidence pack: one zip file (or `s3://bucket/name.zip`) with the report, the hashes of all that it was
    /// made of, and a page to sign. The same inputs give the same bytes.
    #[arg(long, value_name = "FILE", conflicts_with = "show_external_ids")]
    pub(super) pack: Option<PathBuf>,
    /// The day from which idleness is counted; by default the end of the window.
    #[arg(long, value_parser = time)]
    pub(super) as_of: Option<Time>,
    /// Whole days without activity from which a role is idle.
    #[arg(long, default_value_t = 90)]
    pub(super) idle_days: u32,
    /// Whole days from which an access key of a user is old.
    #[arg(long, default_value_t = 90)]
    pub(super) key_days: u32,
    /// Rules (TOML) about actions that stay although nobody used them, each with an owner, a reason and a date.
    #[arg(long, value_name = "FILE")]
    pub(super) keep: Option<PathBuf>,
    /// Your own vendors (TOML): accounts, contract end, expected roles and actions; repeatable, the later one wins.
    #[arg(long, value_name = "FILE")]
    pub(super) vendors: Vec<PathBuf>,
    /// An earlier `report.json`: findings that are in it do not count for --fail-on.
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// A configuration (TOML): options under their own names, keep rules, suppressions, vendors. By default
    /// `thirdtrail.toml` where the program runs.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(super) config: Option<PathBuf>,
    /// Use no configuration.
    #[arg(long)]
    pub(super) no_config: bool,
    /// A further account of your own; repeatable.
    #[arg(long)]
    pub(super) own_account: Vec<AccountId>,
    /// Largest share of the window's days that may be holes before nothing is called unused (0.05 or 5%).
    #[arg(long, default_value = "0.05", value_parser = share)]
    pub(super) max_holes: f64,
    /// Limit actions to the resources that they were used on, where every use is recorded with its resource: `exact`
    /// things (a bucket with its objects, a table, a queue), or down to the common `prefix` of the objects in a bucket.
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "exact", require_equals = true)]
    pub(super) narrow_resources: Option<NarrowResources>,
    /// Limit trust in a whole account to the `callers` seen, by their unique ids, where they are few and come again and again;
    /// with `parties` also take out parties that never came. Ask them first: a party may change its roles any day.
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "callers", require_equals = true)]
    pub(super) narrow_trust: Option<NarrowTrust>,
    /// Write the files of narrower trust policies even where they hold external ids in clear; only files below `roles` do.
    #[arg(long)]
    pub(super) show_external_ids: bool,
    /// A data event type such as `AWS::S3::Object` that the trail records for every resource, on your word; repeatable.
    /// Without it (or --trail-config) data events are not called unused, and --narrow-resources leaves theirs alone.
    #[arg(long, value_name = "TYPE")]
    pub(super) complete_data_events: Vec<String>,
    /// Verify what is read with the trail's digests: their signatures and chain, and the hash of each log object.
    #[arg(long, requires = "digest_public_keys")]
    pub(super) verify_digests: bool,
    /// Public keys of the digests: `live`, or outputs of `aws cloudtrail list-public-keys` for the time of the trail;
    /// repeatable, one for each Region.
    #[arg(long, value_name = "live|FILE", requires = "verify_digests")]
    pub(super) digest_public_keys: Vec<PathBuf>,
    /// Worker threads; by default one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Memory to aim for, such as 256MB or 1GB.
    #[arg(long, default_value = "64MB", value_parser = bytes)]
    pub(super) memory: u64,
    /// Exit with 1 if there is a finding of this severity or a graver one.
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<Severity>,
    /// Which outputs to write, several with commas between them; by default all. `report.json` and `run.json` always are.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(super) format: Vec<OutputFormat>,
    /// Print nothing but errors.
    #[arg(long)]
    pub(super) quiet: bool,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(super) progress: Progress,
    #[command(flatten)]
    pub(super) beside: BesideArguments,
    #[command(flatten)]
    pub(super) aws: AwsArguments,
    /// The names of the options that were typed, not those that the configuration sets.
    #[arg(skip)]
    pub(super) typed: Vec<String>,
}

/// Arguments of `observe`.
#[derive(Debug, Args)]
pub(super) struct ObserveArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// The folder (or s3://bucket/prefix) of evidence.
    #[arg(long, value_name = "DIR")]
    pub(super) evidence: String,
    /// Only the objects named in this file (`-` for standard input): one key a line, or the output of `plan --format json`,
    /// whole or with fewer objects. With that of `plan --evidence` the source is not listed again.
    #[arg(long, value_name = "FILE")]
    pub(super) objects: Option<PathBuf>,
    /// Output of `aws iam get-account-authorization-details`; repeatable. Of roles that no outsider can reach only the
    /// last activity is then kept; without it everything is kept.
    #[arg(long, value_name = "FILE")]
    pub(super) inventory: Vec<PathBuf>,
    /// A further account of your own; repeatable.
    #[arg(long)]
    pub(super) own_account: Vec<AccountId>,
    /// Worker threads; by default one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Print nothing but errors.
    #[arg(long)]
    pub(super) quiet: bool,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(super) progress: Progress,
    #[command(flatten)]
    pub(super) aws: AwsArguments,
}

/// Arguments of `map`.
#[derive(Debug, Args)]
pub(super) struct MapArguments {
    /// A file of records instead of standard input.
    pub(super) file: Option<PathBuf>,
}

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub(super) struct PolicyArguments {
    #[command(subcommand)]
    pub(super) command: PolicyCommand,
}

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Decide requests: `{"policies":[..],"boundaries":[..],"request":{..}}` a line.
    Evaluate {
        /// A context key that is not given is unknown instead of absent, and so may the decision be.
        #[arg(long)]
        partial_context: bool,
    },
    /// List the actions that a policy document grants, one a line.
    Expand {
        /// The document; by default standard input.
        file: Option<PathBuf>,
        /// Names, or with `json` also the statements, resources and conditions behind each.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Say what a new version of a policy means beside the old one; exit with 1 if it grants more actions.
    Diff(DiffArguments),
    /// Say what is wrong with policy documents, and where; exit with 1 if something is an error.
    Lint {
        /// Files of one document each; by default standard input.
        file: Vec<PathBuf>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Cut policies down: `{"policy":{..},"keep":["ec2:DescribeInstances"]}` a line. With `"uses":{"s3:GetObject":["arn:.."]}`
    /// also limit these actions to their resources (`"narrow":"prefix"`: to the common path of a bucket's objects).
    Rightsize,
}

/// Arguments of `policy diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The policy as it is.
    pub(super) old: PathBuf,
    /// The policy as it could be.
    pub(super) new: PathBuf,
    /// The role's `certificate.json`, to show the evidence for each action.
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    /// The folder to write to; new or empty.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Equal seeds and options give equal bytes.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// First day.
    #[arg(long, default_value = "2026-05-01")]
    pub(super) since: chrono::NaiveDate,
    /// Days.
    #[arg(long, default_value_t = 92)]
    pub(super) days: u32,
    /// Own accounts.
    #[arg(long, default_value_t = 3)]
    pub(super) accounts: u32,
    /// Outside parties.
    #[arg(long, default_value_t = 10)]
    pub(super) vendors: u32,
    /// Outsiders by every channel: temporary delegation, IAM Roles Anywhere and access given in the window, too.
    #[arg(long)]
    pub(super) every_channel: bool,
    /// About how many records.
    #[arg(long, conflicts_with = "bytes")]
    pub(super) records: Option<u64>,
    /// About how much JSON, such as 1GB.
    #[arg(long, value_parser = bytes)]
    pub(super) bytes: Option<u64>,
    /// Share of third-party records.
    #[arg(long, default_value = "0.06", value_parser = share)]
    pub(super) third_party_share: f64,
    /// Add damaged objects of every kind.
    #[arg(long)]
    pub(super) damage: bool,
    /// Records of one object at most.
    #[arg(long)]
    pub(super) records_per_object: Option<usize>,
}

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The word of the reports.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How far to narrow trust policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum NarrowTrust {
    /// To the roles and users that came.
    Callers,
    /// The same, without the parties that never came.
    Parties,
}

/// How far to narrow resources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum NarrowResources {
    /// The things that were used.
    Exact,
    /// The common path of the objects in a bucket.
    Prefix,
}

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

pub(super) fn time(text: &str) -> Result<Time, String> {
    parse_time(text).ok_or_else(|| "not a date like 2026-05-01 or a time like 2026-05-01T00:00:00Z".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number / whole).unwrap_or(f64::NAN);
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("not a share between 0 and 1, or 0% and 100%".to_owned()) }
}

fn bytes(text: &str) -> Result<u64, String> {
    crate::generate::parse_bytes(text).ok_or_else(|| "not a size like 256MB or 1GB".to_owned())
}
