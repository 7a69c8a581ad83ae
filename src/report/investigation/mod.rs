//! The files of an investigation: the page, the answer as JSON, and what a person applies to shut a party out.
//!
//! The containment files lie by account, because credentials do: one folder, one account, two scripts.

mod script;

use std::collections::BTreeMap;

use crate::finding::investigate::answer::Investigation;
use crate::finding::investigate::contain::{Step, What};
use crate::policy::containment::{deny_everything, deny_sessions_before};

use super::paths::{Named, safe_names};
use super::{OutputFile, RenderError, json, markdown};
use crate::aws::window::parse_time;

/// The page.
pub const PAGE: &str = "investigation.md";
/// The answer.
pub const ANSWER: &str = "investigation.json";

/// A step with what its command needs beside it.
struct Planned<'a> {
    step: &'a Step,
    /// First part of the file names of a trust policy.
    stem: String,
}

/// Renders the page and the answer alone.
///
/// # Errors
/// [`RenderError`], which no answer should bring about.
pub fn words(answer: &Investigation) -> Result<Vec<OutputFile>, RenderError> {
    let page = OutputFile::new(PAGE, markdown::investigation::render(answer));
    Ok(vec![json::pretty(ANSWER, answer)?, page])
}

/// Renders all files, sorted by path, and notes their names in the answer.
///
/// # Errors
/// [`RenderError`], which no answer should bring about.
pub fn render(answer: &mut Investigation) -> Result<Vec<OutputFile>, RenderError> {
    let mut files = Vec::new();
    let mut accounts: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in &answer.containment.steps {
        accounts.entry(&step.account_id).or_default().push(step);
    }
    for (account, steps) in accounts {
        of_account(answer, account, &steps, &mut files)?;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut names: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    names.extend([PAGE.to_owned(), ANSWER.to_owned()]);
    names.sort();
    answer.files = names;
    files.extend(words(answer)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The containment files of one account.
fn of_account(
    answer: &Investigation,
    account: &str,
    steps: &[&Step],
    files: &mut Vec<OutputFile>,
) -> Result<(), RenderError> {
    let folder = format!("containment/{account}");
    // Only trust policies have files of their own; a role has one of them.
    let trusts: Vec<&Step> = steps.iter().copied().filter(|step| step.what == What::ReplaceTrust).collect();
    let named: Vec<Named> =
        trusts.iter().map(|step| Named { rank: 0, key: step.subject.clone(), name: step.name.clone() }).collect();
    let stems: BTreeMap<&str, String> =
        trusts.iter().map(|step| step.subject.as_str()).zip(safe_names(&named)).collect();
    let stem = |step: &Step| stems.get(step.subject.as_str()).cloned().unwrap_or_default();
    let planned: Vec<Planned<'_>> = steps.iter().map(|step| Planned { step, stem: stem(step) }).collect();
    for one in planned.iter().filter(|one| one.step.what == What::ReplaceTrust) {
        let document = answer.containment.documents.get(&one.step.subject);
        files.push(json::pretty(&format!("{folder}/trust/{}.json", one.stem), &document)?);
    }
    let does = |what: What| steps.iter().any(|step| step.what == what);
    if does(What::EndSessions)
        && let Some(before) = parse_time(&answer.containment.revoke_before)
    {
        files.push(json::pretty(&format!("{folder}/{}", script::DENY_SESSIONS), &deny_sessions_before(before))?);
    }
    if does(What::CloseRole) || does(What::CloseUser) {
        files.push(json::pretty(&format!("{folder}/{}", script::DENY_EVERYTHING), &deny_everything())?);
    }
    let who: Vec<String> = answer.parties.iter().map(|party| format!("{} ({})", party.name, party.id)).collect();
    let head = script::Head { who: &who.join(", "), account, revoke_before: &answer.containment.revoke_before };
    files.push(OutputFile::new(format!("{folder}/contain.sh"), script::contain(&head, &planned)));
    files.push(OutputFile::new(format!("{folder}/rollback.sh"), script::rollback(&head, &planned)));
    Ok(())
}
