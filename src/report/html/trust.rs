//! Who can come into a role, with what external id, and who did. Of external ids only fingerprints are shown (S42).

use crate::finding::assessment::{ExternalIdReport, LatestSessions, RoleReport};

use super::lists::{Room, Shown, Weighed, within};
use super::site::Site;
use super::words::{Few, Long, count, minute, number, sentence, spoken, stopped};

/// Principals, parties, steps and reasons on a page; `report.json` has all.
pub(super) const ROWS: Room = Room { rows: 60, bytes: 45_000 };
/// Fingerprints of external ids that one party sent.
const PRINTS: usize = 4;
/// Sessions on a page: the latest. The table `sessions` has all.
const SESSIONS: Room = Room { rows: 25, bytes: 80_000 };

/// One principal of the trust policy.
pub(super) struct Principal {
    pub(super) principal: Long,
    pub(super) kind: String,
    pub(super) party: Option<Long>,
    pub(super) href: Option<String>,
    pub(super) outside: bool,
    /// How the external id is called, and with which severity: `good`, `medium`, `high`.
    pub(super) id_words: String,
    pub(super) id_tone: &'static str,
    pub(super) id_print: Option<String>,
    pub(super) subjects: Option<&'static str>,
}

impl Weighed for Principal {
    fn weight(&self) -> usize {
        400 + self.principal.weight() + self.party.as_ref().map_or(0, Long::weight)
    }
}

/// The principals, outsiders first, and how many more there are.
pub(super) fn principals(site: &Site<'_>, role: &RoleReport) -> Shown<Principal> {
    let mut entries: Vec<_> = role.trust.iter().collect();
    entries.sort_by_key(|entry| !entry.outside);
    let view = entries.into_iter().map(|entry| {
        let by_account = entry.account_id.and_then(|account| site.party_href(account.as_str()));
        let by_name = || entry.party.as_deref().and_then(|name| site.party_href_by_name(name));
        let (id_words, id_tone) = external_id(entry.external_id.as_ref(), entry.outside);
        Principal {
            principal: Long::of(&entry.principal),
            kind: spoken(&entry.kind),
            party: entry.party.as_deref().map(Long::of),
            href: by_account.or_else(by_name),
            outside: entry.outside,
            id_words,
            id_tone,
            id_print: entry.external_id.as_ref().and_then(print),
            subjects: entry.subjects.as_deref().map(|open| match open {
                "anyone" => "anybody at the provider",
                "some_names" => "subjects that others could name themselves",
                _ => "every subject of one owner",
            }),
        }
    });
    within(view.collect(), ROWS)
}

/// What is demanded, in words, and how good that is.
fn external_id(id: Option<&ExternalIdReport>, outside: bool) -> (String, &'static str) {
    let Some(id) = id else { return (String::new(), "plain") };
    if !id.required {
        return ("not demanded".to_owned(), if outside { "high" } else { "plain" });
    }
    if id.any_accepted {
        return ("demanded, but any will do".to_owned(), "high");
    }
    let strength = match id.strength.as_str() {
        "uuid" => "a UUID",
        "long" => "long",
        "short" => "short",
        "word" => "a word",
        "repetitive" => "repetitive",
        "account_id" => "an account number",
        "none" => "nothing to guess by",
        other => other,
    };
    let values = if id.values > 1 { format!(", {}", count(u64::from(id.values), "value")) } else { String::new() };
    let tone = if matches!(id.strength.as_str(), "uuid" | "long") { "good" } else { "medium" };
    (format!("demanded: {strength}{values}"), tone)
}

fn print(id: &ExternalIdReport) -> Option<String> {
    let print = id.fingerprint.as_deref()?;
    Some(match id.length {
        Some(length) => format!("fingerprint {print}, {}", count(u64::from(length), "character")),
        None => format!("fingerprint {print}"),
    })
}

/// What the hand-offs of one party carried.
pub(super) struct Sent {
    pub(super) party: Long,
    pub(super) href: Option<String>,
    pub(super) hand_offs: String,
    pub(super) without: String,
    pub(super) prints: Vec<String>,
    pub(super) prints_more: usize,
    pub(super) verdict: &'static str,
    pub(super) tone: &'static str,
    pub(super) reason: Long,
}

impl Weighed for Sent {
    fn weight(&self) -> usize {
        600 + self.party.weight() + self.reason.weight()
    }
}

/// What hand-offs carried, by party, and how many parties more there are.
pub(super) fn sent(site: &Site<'_>, role: &RoleReport) -> Shown<Sent> {
    let view = role.external_ids.iter().map(|used| {
        let (verdict, tone) = match used.verdict.as_str() {
            "enforced" => ("enforced already", "good"),
            "safe" => ("safe to demand", "good"),
            "will_break" => ("demanding it would break them", "high"),
            "several" => ("several ids are in use", "medium"),
            "not_seen" => ("no hand-off was seen", "plain"),
            _ => ("unclear", "plain"),
        };
        let prints = used.ids.iter().take(PRINTS).map(|id| {
            format!(
                "{}, {}, {}",
                id.fingerprint,
                count(u64::from(id.length), "character"),
                count(id.hand_offs, "hand-off")
            )
        });
        Sent {
            party: Long::of(&used.party_name),
            href: site.party_href(&used.party_id),
            hand_offs: number(used.hand_offs),
            without: number(used.without),
            prints: prints.collect(),
            prints_more: used.ids.len().saturating_sub(PRINTS),
            verdict,
            tone,
            reason: Long::of(&stopped(&sentence(&used.reason))),
        }
    });
    within(view.collect(), ROWS)
}

/// A narrower trust policy.
pub(super) struct Narrowing {
    pub(super) headline: String,
    pub(super) steps: Shown<(Long, String, Long)>,
    pub(super) left_alone: Shown<(Long, String, Long)>,
    pub(super) replay: Option<String>,
    pub(super) counter_examples: Few,
    pub(super) advice: Option<Long>,
    pub(super) not_written: Option<&'static str>,
    pub(super) is_template: bool,
}

impl Weighed for (Long, String, Long) {
    fn weight(&self) -> usize {
        80 + self.0.weight() + self.2.weight()
    }
}

/// What is said of a statement: its name, the kind of change, and the words.
fn line((statement, kind, words): (&String, &str, &String)) -> (Long, String, Long) {
    (Long::of(statement), spoken(kind), Long::of(words))
}

/// The narrower trust policy, where there is something to say about it.
pub(super) fn narrowing(role: &RoleReport) -> Option<Narrowing> {
    let report = role.trust_narrowing.as_deref()?;
    let is_quiet = report.status == "unchanged" && report.left_alone.is_empty() && report.advice.is_none();
    let reason = report.reason.as_deref().map_or(String::new(), |reason| format!(" {}", stopped(&sentence(reason))));
    let steps = report.steps.iter().map(|step| (&step.statement, step.kind.as_str(), &step.detail));
    let left_alone = report.left_alone.iter().map(|one| (&one.statement, one.kind.as_str(), &one.reason));
    (!is_quiet).then(|| Narrowing {
        headline: match report.status.as_str() {
            "proposed" => format!("{} proposed.{reason}", count(report.steps.len() as u64, "change")),
            "template" => format!("A template with {}.{reason}", count(report.steps.len() as u64, "change")),
            "withheld" => format!("A proposal is withheld.{reason}"),
            _ => format!("Nothing changes.{reason}"),
        },
        steps: within(steps.map(line).collect(), ROWS),
        left_alone: within(left_alone.map(line).collect(), ROWS),
        replay: report.replay.as_ref().map(|replay| {
            format!(
                "{} replayed: {} allowed as today, {} undecided today and after, {} refused by today’s trust already, {} \
                 newly let in.",
                count(replay.hand_offs, "observed hand-off"),
                number(replay.allowed),
                number(replay.undecided),
                number(replay.refused_today),
                number(replay.newly_admitted)
            )
        }),
        counter_examples: Few::of(report.replay.as_ref().map_or(&[], |replay| &replay.counter_examples), 10),
        advice: report.advice.as_deref().map(|advice| Long::of(&stopped(&sentence(advice)))),
        not_written: report.files.not_written,
        is_template: report.status == "template",
    })
}

/// One session.
pub(super) struct Session {
    pub(super) name: Long,
    pub(super) party: Long,
    pub(super) party_href: Option<String>,
    pub(super) role: Long,
    pub(super) role_href: Option<String>,
    pub(super) channel: String,
    pub(super) attribution: String,
    pub(super) opened: String,
    pub(super) last: String,
    pub(super) calls: String,
    pub(super) denied: String,
    pub(super) networks: Few,
    pub(super) agents: Few,
}

impl Weighed for Session {
    fn weight(&self) -> usize {
        let hrefs = [&self.party_href, &self.role_href].map(|href| href.as_deref().map_or(0, str::len));
        let texts = [&self.name, &self.party, &self.role].map(Long::weight);
        500 + hrefs.iter().chain(&texts).sum::<usize>() + self.networks.weight() + self.agents.weight()
    }
}

/// The latest sessions, the newest first, and how many more there are: the table `sessions` has all.
pub(super) fn latest(site: &Site<'_>, latest: &LatestSessions) -> Shown<Session> {
    let view = latest.rows.iter().map(|row| Session {
        name: Long::of(&row.session_name),
        party: Long::of(&row.party_name),
        party_href: site.party_href(&row.party_id),
        role: Long::of(row.role_arn.rsplit('/').next().unwrap_or_default()),
        role_href: site.role_href(&row.role_arn),
        channel: spoken(&row.channel),
        attribution: row.attribution.to_string(),
        opened: row.opened_at.map(minute).unwrap_or_default(),
        last: row.last_call.map(minute).unwrap_or_default(),
        calls: number(u64::try_from(row.calls).unwrap_or_default()),
        denied: number(u64::try_from(row.denied).unwrap_or_default()),
        networks: Few::of(&row.networks, 2),
        agents: Few::of(&row.agents, 1),
    });
    let rows = within(view.collect(), SESSIONS).rows;
    Shown { more: latest.all.saturating_sub(rows.len() as u64), rows }
}
