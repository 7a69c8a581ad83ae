//! The configuration file on the command line: what it sets and the command line does not is added as if it had been typed.
//!
//! So every option means the same in both places, is judged by the same parser, and a new one needs no second reading.

use std::any::TypeId;
use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, Parser};

use crate::aws::window::Time;
use crate::run::UserError;
use crate::run::config::file::{Config, DEFAULT, Given, RULES, Setting};

use super::args::Arguments;

/// A command that takes options from the configuration.
struct Taker {
    /// As it is typed.
    words: &'static [&'static str],
    /// The options that it takes; all where there is no list.
    only: Option<&'static [&'static str]>,
    /// Those that it has no use for.
    none_of: &'static [&'static str],
}

const COMMANDS: [Taker; 4] = [
    Taker { words: &["analyze"], only: None, none_of: &[] },
    Taker { words: &["report"], only: None, none_of: &NOT_FOR_REPORT },
    Taker { words: &["external-id", "check"], only: Some(&FOR_CHECK), none_of: &[] },
    Taker { words: &["template"], only: Some(&["vendors"]), none_of: &[] },
];
/// What only the command line can say.
const TYPED_ONLY: [&str; 6] = ["config", "no_config", "overwrite", "source", "help", "version"];
/// What `report` cannot do: it has no trail.
const NOT_FOR_REPORT: [&str; 3] = ["evidence", "verify_digests", "digest_public_keys"];

/// What `external-id check` has, too.
const FOR_CHECK: [&str; 11] = [
    "inventory",
    "inputs",
    "organization",
    "own_account",
    "vendors",
    "profile",
    "region_name",
    "endpoint_url",
    "force_path_style",
    "request_payer",
    "no_sign_request",
];
/// Of these, those that `external-id check --live` does not look at: it asks STS, and no file.
const NOT_LIVE: [&str; 5] = ["inventory", "inputs", "organization", "own_account", "vendors"];

/// Why there is nothing to run.
pub(super) enum Stop {
    /// Wrong usage, help or version.
    Usage(clap::Error),
    /// A mistake in the configuration.
    Mistake(UserError),
}

/// The arguments, completed by the configuration if there is one.
pub(super) fn arguments(typed: Vec<OsString>) -> Result<(Arguments, Option<Config>), Stop> {
    // Whatever is missing may stand in the configuration, so a first look takes no offence.
    let Ok(matches) = Arguments::command().ignore_errors(true).try_get_matches_from(&typed) else {
        return Ok((Arguments::try_parse_from(&typed).map_err(Stop::Usage)?, None));
    };
    let (mut arguments, config) = completed(&typed, &matches)?;
    if let super::args::Command::Report(report) = &mut arguments.command {
        report.typed = given_to(&matches, &["report"]).map(options_typed).unwrap_or_default();
    }
    Ok((arguments, config))
}

/// The options that stand on the command line.
fn options_typed(given: &ArgMatches) -> Vec<String> {
    let all = Arguments::command();
    let options = all.find_subcommand("report").into_iter().flat_map(Command::get_arguments);
    let typed = options.filter(|option| option.get_long().is_some()).map(|option| option.get_id().as_str());
    typed.filter(|name| given.value_source(name) == Some(ValueSource::CommandLine)).map(str::to_owned).collect()
}

fn completed(typed: &[OsString], matches: &ArgMatches) -> Result<(Arguments, Option<Config>), Stop> {
    let usage = |typed: &[OsString]| Arguments::try_parse_from(typed).map_err(Stop::Usage);
    let taker = COMMANDS.iter().find_map(|taker| Some((taker, given_to(matches, taker.words)?)));
    let Some((taker, given)) = taker else { return Ok((usage(typed)?, None)) };
    let Some(path) = place(given) else { return Ok((usage(typed)?, None)) };
    let config = Config::read(&path).map_err(Stop::Mistake)?;
    let added = additions(&config, taker, given).map_err(Stop::Mistake)?;
    let mut all = typed.to_vec();
    // Before what was typed, because that may end in `--`.
    let after = |from: usize, word: &&str| {
        let rest = all.iter().skip(from).position(|typed| typed == word);
        rest.map_or(all.len(), |at| from + at + 1)
    };
    let after = taker.words.iter().fold(0, after);
    all.splice(after..after, added.into_iter().map(OsString::from));
    match Arguments::try_parse_from(&all) {
        Ok(arguments) => Ok((arguments, Some(config))),
        Err(error) => {
            usage(typed)?;
            let told = error.to_string();
            let told = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let what = format!("config `{}` does not go with the command line: {told}", path.display());
            Err(Stop::Mistake(UserError::new(what, "change one of the two, or give --no-config")))
        }
    }
}

/// What was given to the command of these words, if it is the one.
fn given_to<'a>(matches: &'a ArgMatches, words: &[&str]) -> Option<&'a ArgMatches> {
    words.iter().try_fold(matches, |given, word| Some(given.subcommand().filter(|(name, _)| name == word)?.1))
}

/// The configuration that was named, or the one that lies where the program runs.
fn place(given: &ArgMatches) -> Option<PathBuf> {
    if let Ok(Some(path)) = given.try_get_one::<PathBuf>("config") {
        return Some(path.clone());
    }
    let unwanted = given.try_get_one::<bool>("no_config").ok().flatten() == Some(&true);
    (!unwanted && Path::new(DEFAULT).is_file()).then(|| PathBuf::from(DEFAULT))
}

/// What the configuration sets and the command line does not, as words.
fn additions(config: &Config, taker: &Taker, typed: &ArgMatches) -> Result<Vec<String>, UserError> {
    let all = Arguments::command();
    let Some(analyze) = all.find_subcommand("analyze") else { return Ok(Vec::new()) };
    let mut words = Vec::new();
    for setting in &config.settings {
        let option = option(analyze, setting).map_err(|what| config.wrong(setting, &what))?;
        let given = words_of(analyze, option, setting, config).map_err(|what| config.wrong(setting, &what))?;
        let name = option.get_id().as_str();
        let is_live = typed.try_get_one::<bool>("live").ok().flatten() == Some(&true);
        let passed_over = taker.none_of.contains(&name)
            || taker.only.is_some_and(|only| !only.contains(&name))
            || (is_live && NOT_LIVE.contains(&name));
        if !passed_over && typed.value_source(name) != Some(ValueSource::CommandLine) {
            words.extend(given);
        }
    }
    Ok(words)
}

fn option<'a>(analyze: &'a Command, setting: &Setting) -> Result<&'a Arg, String> {
    let name = setting.name.as_str();
    if TYPED_ONLY.contains(&name) {
        return Err("can only be given on the command line".to_owned());
    }
    if let Some(known) = analyze.get_arguments().find(|option| option.get_id() == name) {
        return Ok(known);
    }
    let unscored = name.replace('-', "_");
    if names(analyze).any(|known| known == unscored) {
        return Err(format!("unknown option: write `{unscored}`"));
    }
    let known: Vec<String> = names(analyze).chain(RULES).map(|name| format!("`{name}`")).collect();
    Err(format!("unknown option, expected one of {}", known.join(", ")))
}

/// The options that a configuration can set.
fn names(analyze: &Command) -> impl Iterator<Item = &str> {
    analyze.get_arguments().map(|option| option.get_id().as_str()).filter(|name| !TYPED_ONLY.contains(name))
}

/// The words of one option, each judged by the option's own parser.
fn words_of(analyze: &Command, option: &Arg, setting: &Setting, config: &Config) -> Result<Vec<String>, String> {
    let flag = format!("--{}", option.get_long().unwrap_or_default());
    if !option.get_action().takes_values() {
        return match &setting.value {
            Given::Flag(true) => Ok(vec![flag]),
            Given::Flag(false) => Ok(Vec::new()),
            _ => Err("expected `true` or `false`".to_owned()),
        };
    }
    let repeatable = matches!(option.get_action(), ArgAction::Append);
    let values = match &setting.value {
        Given::List(values) if repeatable => values.as_slice(),
        Given::List(_) => return Err("expected one value, not a list".to_owned()),
        value => std::slice::from_ref(value),
    };
    let mut words = Vec::new();
    for value in values {
        let text = text(option, value)?;
        judge(analyze, &flag, &text)?;
        words.push(format!("{flag}={}", placed(option, text, &config.path)));
    }
    Ok(words)
}

/// The value as it would be typed, if it is of a type that the option can have.
fn text(option: &Arg, value: &Given) -> Result<String, String> {
    let kind = option.get_value_parser().type_id();
    let is = |types: &[TypeId]| types.iter().any(|known| kind == *known);
    let counts = is(&[TypeId::of::<u16>(), TypeId::of::<u32>()]);
    // Shares and sizes are numbers, or texts such as `5%` and `64MB`.
    let measures = is(&[TypeId::of::<f64>(), TypeId::of::<u64>()]);
    match value {
        Given::Number(number) if counts || measures => Ok(number.clone()),
        Given::Moment(moment) if is(&[TypeId::of::<Time>()]) => Ok(moment.clone()),
        Given::Text(text) if !counts => Ok(text.clone()),
        _ if counts => Err("expected a whole number".to_owned()),
        _ if measures => Err("expected a number or a text in quotes".to_owned()),
        Given::Number(_) => Err("expected a text in quotes, not a number".to_owned()),
        _ => Err("expected a text in quotes".to_owned()),
    }
}

/// Whether the option's parser takes the value; nothing else of the command line matters here.
fn judge(analyze: &Command, flag: &str, text: &str) -> Result<(), String> {
    let words = ["analyze", "source", &format!("{flag}={text}")].map(str::to_owned);
    let Err(error) = analyze.clone().try_get_matches_from(words) else { return Ok(()) };
    match error.kind() {
        ErrorKind::ValueValidation => {
            let why = error.source().map_or_else(|| "not understood".to_owned(), ToString::to_string);
            Err(format!("`{text}`: {why}"))
        }
        ErrorKind::InvalidValue => Err(match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
                format!("`{text}`: expected one of {}", valid.join(", "))
            }
            _ => format!("`{text}`: expected a value"),
        }),
        // Options that must come together are looked at when all are there.
        _ => Ok(()),
    }
}

/// Paths are those of the file that names them, wherever the program runs.
fn placed(option: &Arg, text: String, config: &Path) -> String {
    let is_path = option.get_value_parser().type_id() == TypeId::of::<PathBuf>() || option.get_id() == "evidence";
    if !is_path || text == "live" || text.contains("://") {
        return text;
    }
    let folder = config.parent().unwrap_or(Path::new(""));
    folder.join(&text).to_str().map_or(text, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new option can be given in the file at once; what cannot is named here on purpose.
    #[test]
    fn every_option_of_analyze_has_its_key() {
        let all = Arguments::command();
        let analyze = all.find_subcommand("analyze").unwrap();
        for option in analyze.get_arguments().filter(|option| !TYPED_ONLY.contains(&option.get_id().as_str())) {
            let name = option.get_id().as_str();
            assert_eq!(option.get_long().map(|long| long.replace('-', "_")).as_deref(), Some(name));
            assert!(!RULES.contains(&name) || name == "keep", "{name} is the name of a table of rules");
        }
        assert!(names(analyze).count() > 30);
        let page = include_str!("../../docs/CONFIG.md");
        let untold: Vec<&str> = names(analyze).filter(|name| !page.contains(&format!("`{name}`"))).collect();
        assert!(untold.is_empty(), "docs/CONFIG.md does not name {untold:?}");
    }
}
