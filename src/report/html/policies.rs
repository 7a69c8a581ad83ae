//! The policies of a role as they are and as proposed, statement by statement.
//!
//! Each changed statement is shown beside itself and as one text; what stays as it is is only named. Long runs of equal
//! lines are folded, and a page holds so many lines at most: the `.diff` files have all of them.

use serde_json::Value;

use crate::finding::assessment::{PolicyReport, RoleReport};
use crate::policy::diff::{LineChange, lines};

use super::lists::Shown;
use super::site::Site;
use super::words::{Few, Long, count, cut, number, spoken, weight};

/// Policies on a page.
pub(super) const POLICIES: usize = 40;
/// Bytes of all differences on a page; a line of them stands there three times at most, on both sides and in the one text.
const DIFF_BYTES: usize = 220_000;
/// Bytes of a line's markup, at most.
const MARKUP: usize = 120;
/// Characters of one line.
const LINE_CHARS: usize = 240;
/// Equal lines that are worth folding.
const FOLDED: usize = 4;
/// Equal lines around a change.
const AROUND: usize = 3;
/// Names of others that have a policy.
const OTHERS: usize = 12;

/// A policy on the page.
pub(super) struct Policy {
    pub(super) name: Long,
    pub(super) kind: String,
    pub(super) proposal: &'static str,
    pub(super) changes: bool,
    pub(super) size: Option<String>,
    pub(super) others: Few,
    pub(super) statements: Vec<Statement>,
    /// Statements that stay as they are.
    pub(super) unchanged: Few,
    /// What the page left out.
    pub(super) left_out: Option<String>,
    pub(super) links: Vec<(&'static str, String)>,
}

/// A statement that changes.
pub(super) struct Statement {
    pub(super) name: Long,
    pub(super) fate: String,
    pub(super) lines: Vec<Line>,
    pub(super) pairs: Vec<(Option<Line>, Option<Line>)>,
}

/// A line of a difference: `same`, `gone`, `new` or `fold`, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// The policies of a role, in one of so many shares of their room, and how many more there are; `up` leads from the page to
/// the output folder.
pub(super) fn of(site: &Site<'_>, role: &RoleReport, up: &str, share: usize) -> Shown<Policy> {
    let mut room = DIFF_BYTES / share;
    let proposed = role.rightsizing.status == "proposed";
    let shown = role.policies.iter().take(POLICIES / share);
    let policies: Vec<Policy> = shown.map(|policy| view(site, policy, proposed, up, &mut room)).collect();
    Shown { more: (role.policies.len() - policies.len()) as u64, rows: policies }
}

fn view(site: &Site<'_>, policy: &PolicyReport, proposed: bool, up: &str, room: &mut usize) -> Policy {
    let changes = proposed && policy.proposal != "unchanged";
    let files = &policy.files;
    let named = [("As it is", &files.current), ("Right-sized", &files.rightsized), ("Difference", &files.diff)];
    let further = files.further.iter().map(|path| ("Right-sized, further part", path));
    let links = named.into_iter().filter_map(|(what, path)| Some((what, path.as_ref()?))).chain(further);
    let (statements, unchanged, folded) = if changes { compare(policy, room) } else { Default::default() };
    Policy {
        name: Long::of(&policy.name),
        kind: match policy.kind.as_str() {
            "inline" => "inline policy".to_owned(),
            "managed" => "customer-managed policy".to_owned(),
            "aws_managed" => "AWS-managed policy".to_owned(),
            other => spoken(other),
        },
        proposal: match (changes, policy.proposal.as_str()) {
            (false, _) => "stays as it is",
            (_, "emptied") => "goes as a whole",
            (_, "replaced") => "is replaced by one for this role alone",
            _ => "gets smaller",
        },
        changes,
        size: policy.rightsized_size.map(|size| format!("{} characters without white space", number(size))),
        others: Few::of(&policy.also_attached_to, OTHERS),
        statements,
        unchanged: Few::of(&unchanged, OTHERS),
        left_out: (folded > 0).then(|| {
            let all = if files.diff.is_some() { " The file of the difference has them all." } else { "" };
            format!("{} not shown here.{all}", counted(folded))
        }),
        links: links
            .filter(|(_, path)| site.has_file(path))
            .map(|(what, path)| (what, format!("{up}{path}")))
            .collect(),
    }
}

fn counted(lines: usize) -> String {
    if lines == 1 { "1 more line is".to_owned() } else { format!("{} are", count(lines as u64, "more line")) }
}

/// The statements that change, the names of those that do not, and how many lines found no room.
fn compare(policy: &PolicyReport, room: &mut usize) -> (Vec<Statement>, Vec<String>, usize) {
    let (mut changed, mut unchanged, mut without_room) = (Vec::new(), Vec::new(), 0);
    for (name, before, after) in pairs(policy) {
        if after.is_some() && before == after {
            unchanged.push(name);
            continue;
        }
        let mut all = folded(&lines(before, after));
        let fits = |line: &&Line| {
            let bytes = MARKUP + 3 * weight(&line.text);
            let is_room = bytes <= *room;
            *room = if is_room { *room - bytes } else { 0 };
            is_room
        };
        let kept = all.iter().take_while(fits).count();
        without_room += all.len() - kept;
        all.truncate(kept);
        if kept == 0 {
            continue;
        }
        changed.push(Statement {
            name: Long::of(&name),
            fate: fate(policy, &name, after.is_none()),
            pairs: beside(&all),
            lines: all,
        });
    }
    (changed, unchanged, without_room)
}

fn fate(policy: &PolicyReport, name: &str, gone: bool) -> String {
    let change = policy.statements.iter().find(|change| change.statement == name);
    match (gone, change) {
        (true, _) => "goes as a whole".to_owned(),
        (false, Some(change)) if !change.removed.is_empty() => {
            let (removed, kept) = (change.removed.len() as u64, change.kept.len() as u64);
            format!("loses {}, keeps {}", count(removed, "action"), number(kept))
        }
        _ => "changes".to_owned(),
    }
}

type Pair<'p> = (String, Option<&'p Value>, Option<&'p Value>);

/// Each statement with what it becomes: statements keep their order and only some of them go. Where the proposal has other
/// statements as well (resources were narrowed, a document was split), both documents are one piece.
fn pairs(policy: &PolicyReport) -> Vec<Pair<'_>> {
    let before = statements(&policy.current);
    let after: Vec<&Value> = policy.rightsized.iter().flat_map(statements).collect();
    let mut changes = policy.statements.iter();
    let mut left = after.iter().copied();
    let mut pairs = Vec::new();
    for (at, statement) in before.iter().enumerate() {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let change = if allows { changes.next() } else { None };
        let sid = statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        let name = sid.map_or_else(|| format!("#{}", at + 1), str::to_owned);
        let stays = if change.is_some_and(|change| change.dropped) { None } else { left.next() };
        pairs.push((name, Some(*statement), stays));
    }
    let fits = left.next().is_none() && changes.next().is_none() && policy.rightsized.len() <= 1;
    if fits {
        return pairs;
    }
    let whole = |at: usize| if at == 0 { "the whole policy".to_owned() } else { format!("part {}", at + 1) };
    let first = policy.rightsized.first();
    let further = policy.rightsized.iter().enumerate().skip(1).map(|(at, part)| (whole(at), None, Some(part)));
    [(whole(0), Some(&policy.current), first)].into_iter().chain(further).collect()
}

fn statements(document: &Value) -> Vec<&Value> {
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        single => single.into_iter().collect(),
    }
}

/// The lines, long runs of equal ones folded.
fn folded(all: &[(LineChange, String)]) -> Vec<Line> {
    let near = |at: usize| {
        let around = at.saturating_sub(AROUND)..(at + AROUND + 1).min(all.len());
        all.get(around).is_some_and(|lines| lines.iter().any(|(change, _)| *change != LineChange::Same))
    };
    let far: Vec<bool> = (0..all.len()).map(|at| !near(at)).collect();
    let mut out: Vec<Line> = Vec::new();
    let mut at = 0;
    while let Some((change, text)) = all.get(at) {
        let hidden = far.get(at..).unwrap_or_default().iter().take_while(|far| **far).count();
        if hidden >= FOLDED {
            out.push(Line { kind: "fold", text: format!("{} that are the same", count(hidden as u64, "line")) });
            at += hidden;
            continue;
        }
        at += 1;
        let kind = match change {
            LineChange::Same => "same",
            LineChange::Removed => "gone",
            LineChange::Added => "new",
        };
        out.push(Line { kind, text: cut(text, LINE_CHARS).unwrap_or_else(|| text.clone()) });
    }
    out
}

/// The lines in two columns: what goes stands beside what comes in its place.
fn beside(all: &[Line]) -> Vec<(Option<Line>, Option<Line>)> {
    let mut rows: Vec<(Option<Line>, Option<Line>)> = Vec::new();
    // The first row of this change whose right side is free.
    let mut free = 0;
    for line in all {
        match line.kind {
            "gone" => rows.push((Some(line.clone()), None)),
            "new" => match rows.get_mut(free) {
                Some(row) => {
                    row.1 = Some(line.clone());
                    free += 1;
                }
                None => {
                    rows.push((None, Some(line.clone())));
                    free = rows.len();
                }
            },
            _ => {
                rows.push((Some(line.clone()), Some(line.clone())));
                free = rows.len();
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &'static str, text: &str) -> Line {
        Line { kind, text: text.to_owned() }
    }

    #[test]
    fn what_goes_stands_beside_what_comes() {
        let rows = beside(&[
            line("same", "a"),
            line("gone", "b"),
            line("gone", "c"),
            line("new", "d"),
            line("same", "e"),
            line("new", "f"),
        ]);
        let shown: Vec<(&str, &str)> = rows
            .iter()
            .map(|(left, right)| {
                let text = |side: &Option<Line>| side.as_ref().map_or("", |line| line.text.as_str()).to_owned();
                (text(left), text(right))
            })
            .map(|(left, right)| (String::leak(left) as &str, String::leak(right) as &str))
            .collect();
        assert_eq!(shown, [("a", "a"), ("b", "d"), ("c", ""), ("e", "e"), ("", "f")]);
    }

    #[test]
    fn long_runs_of_equal_lines_are_folded() {
        let mut all = vec![(LineChange::Same, "x".to_owned()); 20];
        all.push((LineChange::Added, "y".to_owned()));
        let kinds: Vec<&str> = folded(&all).iter().map(|line| line.kind).collect();
        assert_eq!(kinds, ["fold", "same", "same", "same", "new"]);
        assert_eq!(folded(&all)[0].text, "17 lines that are the same");
    }
}
