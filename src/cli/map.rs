//! `thirdtrail map`: one CloudTrail record a line in, its IAM actions out, in constant memory.

use std::fs::File;
use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::activity::action_map::ActionMap;
use crate::activity::action_resources::Resources;
use crate::aws::ApiCall;
use crate::cloudtrail::outcome::outcome;
use crate::cloudtrail::reader::{Json, Parser};
use crate::cloudtrail::record::Record;
use crate::policy::catalog::Catalog;
use crate::run::UserError;

use super::args::MapArguments;
use super::exit_code::ExitCode;
use super::terminal::line;

pub(super) fn run(arguments: &MapArguments) -> anyhow::Result<ExitCode> {
    let shown = arguments.file.as_ref().map_or_else(|| "standard input".into(), |path| path.display().to_string());
    let wrong = |error: std::io::Error| {
        UserError::new(format!("cannot read `{shown}`: {error}"), "give a file of CloudTrail records")
    };
    let input: Box<dyn BufRead> = match &arguments.file {
        None => Box::new(std::io::stdin().lock()),
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(wrong)?)),
    };
    let map = ActionMap::new(Catalog::builtin());
    let (mut parser, mut code) = (Parser::default(), ExitCode::Done);
    for record in input.split(b'\n') {
        let record = record.map_err(wrong)?;
        if record.trim_ascii().is_empty() {
            continue;
        }
        let answer =
            parser.parse_copy(&record, |json| answer(map, json)).unwrap_or_else(|error| Err(error.to_string()));
        let answer = answer.unwrap_or_else(|error| {
            code = ExitCode::Mistake;
            json!({"error": error})
        });
        line(&answer.to_string())?;
    }
    Ok(code)
}

fn answer(map: ActionMap<'_>, json: Json<'_>) -> Result<Value, String> {
    let record = Record::read(json).map_err(|error| error.to_string())?;
    let facts = record.facts();
    let call = ApiCall::new(record.source, record.name);
    let mapping = map.map(&call, record.event_type, facts.hints);
    let actions: Vec<Value> = mapping
        .actions
        .iter()
        .map(|mapped| {
            let resources = match map.resources(&mapped.action, &facts.arns, facts.hints) {
                Resources::Exact(arns) => arns,
                Resources::Any => vec!["*".to_owned()],
                Resources::Unknown => Vec::new(),
            };
            json!({"action": mapped.action, "certainty": mapped.certainty, "resources": resources})
        })
        .collect();
    Ok(json!({
        "event_id": record.event_id,
        "class": mapping.class,
        "actions": actions,
        "outcome": outcome(record.error_code),
        "rule": mapping.rule,
    }))
}
