//! The part of `investigation.md` about shutting a party out: what the scripts do, and what is left to a person.
//!
//! A command is shown only where no word of it needs quoting (S43).

use super::page::Page;
use crate::finding::investigate::answer::Investigation;
use crate::finding::investigate::contain::{ByHand, What};

use super::super::escape::{code, shell_word, text};

/// Options of the commands that a person is shown.
const OPTIONS: [&str; 19] = [
    "--attribute",
    "--attribute-name",
    "--bucket",
    "--db-snapshot-identifier",
    "--function-name",
    "--image-id",
    "--key-id",
    "--operation-type",
    "--policy-arn",
    "--policy-name",
    "--region",
    "--repository-name",
    "--role-name",
    "--secret-id",
    "--snapshot-id",
    "--topic-arn",
    "--user-ids",
    "--user-name",
    "--values-to-remove",
];

/// Writes the section.
pub(super) fn render(page: &mut Page, answer: &Investigation) {
    let plan = &answer.containment;
    page.heading(2, "How to shut it out");
    page.paragraph(&format!(
        "Nothing is applied here. Scripts by account are written with `--out DIR`: trust policies first, then sessions \
         opened before {}, then keys. A session opened later is not ended by them: once nobody can come in any more, \
         run again with `--revoke-before now`.",
        plan.revoke_before
    ));
    page.table(
        ["Account", "Step", "Of", "Why"],
        plan.steps.iter().map(|step| {
            let what = match (step.what, step.ending.as_deref()) {
                (What::ReplaceTrust, _) => "replace the trust policy".to_owned(),
                (What::CloseRole, _) => "deny everything to the role".to_owned(),
                (What::EndSessions, _) => "end the sessions that are open, everybody's".to_owned(),
                (What::DeactivateKeys, Some(ending)) => format!("turn off the key that ends in {}", code(ending)),
                (What::DeactivateKeys, None) => "turn off all keys".to_owned(),
                (What::CloseUser, _) => "deny everything to the user".to_owned(),
            };
            [code(&step.account_id), what, code(&step.subject), text(&step.why)]
        }),
    );
    if !plan.trusts.is_empty() {
        page.heading(3, "Trust policies without it");
        page.table(
            ["Role", "Document", "Why"],
            plan.trusts.iter().map(|one| [code(&one.role_arn), text(&one.status.replace('_', " ")), text(&one.reason)]),
        );
    }
    if !plan.by_hand.is_empty() {
        page.heading(3, "To look at by hand");
        page.list(plan.by_hand.iter().map(by_hand));
    }
    if !answer.files.is_empty() {
        page.heading(3, "Files");
        page.list(answer.files.iter().map(|file| code(file)));
    }
}

fn by_hand(one: &ByHand) -> String {
    let mut line = format!("{}.", text(&one.what));
    for (what, words) in [("Look", &one.look), ("Undo", &one.undo)] {
        // A command is shown only where no word of it needs quoting.
        let words: Option<Vec<&str>> = words.iter().map(|word| option_or_word(word)).collect();
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            line.push_str(&format!(" {what}: `{}`.", words.join(" ")));
        }
    }
    if let Some(event) = &one.event_id {
        line.push_str(&format!(" Event {}.", code(event)));
    }
    line
}

/// Options are this program's own words.
fn option_or_word(word: &str) -> Option<&str> {
    if OPTIONS.contains(&word) { Some(word) } else { shell_word(word) }
}
