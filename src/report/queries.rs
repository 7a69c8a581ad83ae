//! The questions of `queries/`, with the names of a user's own database, accounts and buckets filled in.
//!
//! What is to be filled in stands as `${name}` in a query. `${account_id}` and the like in a DDL are Athena's own.

use std::collections::{BTreeMap, BTreeSet};

use super::tables::{TABLES, ddl};

/// A query, or the DDL of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its path below the folder of queries, such as `idle-roles.sql`.
    pub path: String,
    /// Its text, with what is to be filled in.
    pub text: String,
}

macro_rules! texts {
    ($folder:literal: $($name:literal)*) => {
        [$((concat!($folder, $name, ".sql"), include_str!(concat!("../../queries/", $folder, $name, ".sql")))),*]
    };
}

/// Questions to the tables of a run.
const QUESTIONS: [(&str, &str); 33] = texts! { "":
    "access-without-role"
    "actions-used-by-role"
    "agents-by-party"
    "calls-by-day"
    "calls-of-a-party"
    "chained-sessions"
    "changes-of-access"
    "dangerous-permissions"
    "denied-calls"
    "errors-by-party"
    "federated-subjects"
    "hand-offs-without-external-id"
    "idle-roles"
    "new-actions"
    "new-networks"
    "not-observable"
    "one-event"
    "one-session"
    "open-findings"
    "parties-over-all-accounts"
    "rarely-used-permissions"
    "regions-by-party"
    "right-sizing"
    "secrets-read"
    "sessions-by-vendor"
    "sessions-not-attributed"
    "unknown-accounts"
    "unused-permissions"
    "used-not-granted"
    "what-breaks-without-an-action"
    "who-may-do-this"
    "who-touched-a-bucket"
    "writes"
};
/// Questions to the trail itself, for those who have nothing but Athena; `trail` is its DDL.
const RAW: [(&str, &str); 7] = texts! { "raw/": "trail"
    "access-by-resource-policy"
    "calls-of-a-role"
    "calls-of-outsiders"
    "days-without-records"
    "hand-offs-from-outside"
    "last-use-of-roles"
};

/// What a user can fill in; a value is text within quotes unless it is the name of something.
pub const PLACES: [(&str, Kind); 14] = [
    ("database", Kind::Name),
    ("location", Kind::Bucket),
    ("account", Kind::Text),
    ("action", Kind::Text),
    ("bucket", Kind::Text),
    ("day", Kind::Text),
    ("event_id", Kind::Text),
    ("party", Kind::Text),
    ("role", Kind::Text),
    ("session", Kind::Text),
    ("trail", Kind::Name),
    ("trail_location", Kind::Bucket),
    ("first_day", Kind::Text),
    ("last_day", Kind::Text),
];

/// What a value is, and so how it must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a database or table.
    Name,
    /// A place in a bucket.
    Bucket,
    /// Any text.
    Text,
}

/// Values by the name of their place; several accounts stand for `'1', '2'`.
pub type Values = BTreeMap<&'static str, Vec<String>>;

/// All DDL, then all questions, each in the order of their names.
#[must_use]
pub fn all() -> Vec<Query> {
    let ddl = TABLES.iter().map(|table| Query { path: format!("ddl/{}.sql", table.name), text: ddl(table) });
    let texts = QUESTIONS.iter().chain(&RAW);
    ddl.chain(texts.map(|(path, text)| Query { path: (*path).to_owned(), text: (*text).to_owned() })).collect()
}

impl Query {
    /// Its name, `idle-roles` or `raw/trail`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.trim_end_matches(".sql")
    }

    /// The question that it answers, or the table that it makes; one line.
    #[must_use]
    pub fn question(&self) -> String {
        let lines = self.text.lines().map(|line| line.trim_start_matches('-').trim());
        let first: Vec<&str> =
            lines.take_while(|line| !line.starts_with("Meaning:") && !line.starts_with("Fill in:")).collect();
        let told = if self.path.starts_with("ddl/") {
            first.first().copied().unwrap_or_default().to_owned()
        } else {
            first.join(" ")
        };
        told.trim_start_matches("Question:").trim_start_matches("Table:").trim().to_owned()
    }

    /// The text with values filled in, and the names of the places that are left. Comments stay as they are.
    #[must_use]
    pub fn filled(&self, values: &Values) -> (String, BTreeSet<&'static str>) {
        let (mut text, mut left) = (String::with_capacity(self.text.len()), BTreeSet::new());
        for line in self.text.lines() {
            if line.starts_with("--") {
                text.push_str(line);
                text.push('\n');
                continue;
            }
            // Place by place from the left, so that nothing is looked for in what was filled in.
            let mut rest = line;
            while let Some((before, after)) = rest.split_once("${") {
                text.push_str(before);
                let (name, behind) = after.split_once('}').unwrap_or((after, ""));
                let place = place(name);
                match place.and_then(|(known, kind)| Some((values.get(known)?, kind))) {
                    Some((values, kind)) => text.push_str(&written(values, kind)),
                    None => {
                        left.extend(place.map(|(known, _)| known));
                        text.push_str(&format!("${{{name}}}"));
                    }
                }
                rest = behind;
            }
            text.push_str(rest);
            text.push('\n');
        }
        (text, left)
    }
}

/// The place of that name.
fn place(name: &str) -> Option<(&'static str, Kind)> {
    PLACES.into_iter().find(|(known, _)| *known == name)
}

/// A value as it stands in SQL; texts stand between quotes already, so several of them end one and begin the next.
fn written(values: &[String], kind: Kind) -> String {
    match kind {
        Kind::Name | Kind::Bucket => values.concat(),
        Kind::Text => values.iter().map(|value| value.replace('\'', "''")).collect::<Vec<_>>().join("', '"),
    }
}

/// What is wrong with a value, if anything is.
#[must_use]
pub fn mistake(name: &str, value: &str) -> Option<String> {
    let Some((_, kind)) = place(name) else {
        let known: Vec<&str> = PLACES.iter().map(|(known, _)| *known).collect();
        return Some(format!("nothing is named `{name}`: expected one of {}", known.join(", ")));
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == '.' && name == "trail");
    let sound = match kind {
        Kind::Name => !value.is_empty() && value.chars().all(is_name),
        Kind::Bucket => {
            value.starts_with("s3://") && !value.contains(|c: char| c == '\'' || c.is_control() || c.is_whitespace())
        }
        Kind::Text => !value.contains(char::is_control),
    };
    let expected = match kind {
        Kind::Name => "letters, digits and `_`",
        Kind::Bucket => "`s3://bucket/prefix`",
        Kind::Text => "a text of one line",
    };
    (!sound).then(|| format!("`{value}` cannot be the {name}: expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(of: &[(&'static str, &[&str])]) -> Values {
        of.iter().map(|(name, values)| (*name, values.iter().map(|value| (*value).to_owned()).collect())).collect()
    }

    #[test]
    fn values_stand_where_they_are_asked_for() {
        let text =
            "-- Fill in: ${account}\nSELECT 1 FROM ${database}.t WHERE a IN ('${account}') AND b = '${bucket}'\n";
        let query = Query { path: "x.sql".to_owned(), text: text.to_owned() };
        let (filled, left) = query.filled(&values(&[("database", &["d"]), ("account", &["1", "2"])]));
        assert_eq!(filled, "-- Fill in: ${account}\nSELECT 1 FROM d.t WHERE a IN ('1', '2') AND b = '${bucket}'\n");
        assert_eq!(left, BTreeSet::from(["bucket"]));
        // S43: no value ends its quotes.
        let (filled, left) =
            query.filled(&values(&[("database", &["d"]), ("account", &["1"]), ("bucket", &["' OR '1'='1"])]));
        assert!(filled.ends_with("b = ''' OR ''1''=''1'\n") && left.is_empty(), "{filled}");
    }

    #[test]
    fn values_that_are_no_names_are_refused() {
        for (name, fine, wrong) in [
            ("database", "audit_1", "audit; DROP"),
            ("database", "audit", ""),
            ("trail", "audit.trail", "audit.trail'"),
            ("location", "s3://bucket/out", "bucket/out"),
            ("trail_location", "s3://bucket/AWSLogs", "s3://bucket/'x"),
            ("party", "' OR 1", "a\nb"),
        ] {
            assert_eq!(mistake(name, fine), None);
            assert!(mistake(name, wrong).is_some(), "{name} {wrong}");
        }
        assert!(mistake("nonsense", "x").unwrap().contains("database, location"));
    }

    #[test]
    fn every_query_has_a_question_and_nothing_else_is_to_be_filled_in() {
        let all_places = PLACES.map(|(name, _)| (name, vec!["x".to_owned()]));
        for query in all() {
            assert!(query.question().len() > 20, "{}", query.path);
            let (filled, left) = query.filled(&Values::from(all_places.clone()));
            assert!(left.is_empty());
            let athenas = ["${account_id}", "${trail_account}", "${trail_region}", "${trail_day}"];
            let rest = filled.lines().filter(|line| !line.starts_with("--")).collect::<String>();
            let rest = athenas.iter().fold(rest, |rest, own| rest.replace(own, ""));
            assert!(!rest.contains("${"), "{}: {rest}", query.path);
        }
        let names: BTreeSet<String> = all().into_iter().map(|query| query.path).collect();
        assert_eq!(names.len(), all().len());
    }
}
