//! The tables for Athena and other engines: their columns, each with its meaning, in one place.
//!
//! The DDL under `queries/ddl` and `docs/TABLES.md` are made from these lists, and a test keeps them so. The account is
//! not a column of the files but of their path (`account_id=...`); rows that belong to no account, and all parties,
//! which span accounts, lie under [`NO_ACCOUNT`].

use crate::evidence::tables::columnar::{Column, Kind};

/// Name and version of the tables' schema.
pub const SCHEMA: &str = "thirdtrail.tables/1";
/// The partition of rows that belong to no account.
pub const NO_ACCOUNT: &str = "none";

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What one row is.
    pub row: &'static str,
    /// Its columns, the partition column apart.
    pub columns: &'static [Column],
}

/// All tables, by name.
pub const TABLES: [Table; 7] = [ACTIVITY, FINDINGS, PARTIES, PERMISSIONS, ROLES, SESSIONS, USAGE];

const fn text(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Text, optional: false, meaning }
}

const fn maybe_text(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Text, optional: true, meaning }
}

const fn number(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Number, optional: false, meaning }
}

const fn moment(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Moment, optional: true, meaning }
}

const fn flag(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Flag, optional: false, meaning }
}

const fn texts(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Texts, optional: false, meaning }
}

/// Every call of whoever can be a third party.
pub const ACTIVITY: Table = Table {
    name: "activity",
    row: "one call in a role, by a user or through a resource policy that lets third parties in, or one hand-off into such \
          a role, by time",
    columns: &[
        Column { name: "time", kind: Kind::Moment, optional: false, meaning: "when, to the second" },
        text("event_id", "`eventID` of the record"),
        text("region", "Region"),
        text("party_id", "party id"),
        text("party_kind", "kind of the party"),
        text("party_name", "name of the party"),
        text("channel", "how it came in"),
        text("role_arn", "the role in which it called, or which a hand-off asked for, empty without a role"),
        text("role_id", "its id, which tells it from a role that had its name before, empty when no record tells"),
        text("session_id", "the session, as in the table `sessions`, empty for a hand-off that opened none"),
        text("session_name", "name chosen by whoever opened it"),
        text("event_source", "service, such as ec2.amazonaws.com"),
        text("event_name", "API"),
        maybe_text("invoked_by", "the service that called on behalf of the party"),
        texts(
            "actions",
            "IAM actions that the call uses, the most certain first, empty when it needs none or is not known",
        ),
        texts("resources", "ARNs in the record"),
        text("source_ip", "`sourceIPAddress`: an address, or the name of a service"),
        text("user_agent", "`userAgent`, up to 512 bytes"),
        text("outcome", "allowed, denied, or failed after authorization"),
        maybe_text("error_code", "`errorCode`, null when there was none"),
        Column {
            name: "read_only",
            kind: Kind::Flag,
            optional: true,
            meaning: "`readOnly`, null when the record does not tell",
        },
        flag(
            "hand_off",
            "whether it opened or asked for a session and is no call of another session: such a call counts as a session and not as a call",
        ),
    ],
};

/// What should make somebody act.
pub const FINDINGS: Table = Table {
    name: "findings",
    row: "one finding; those of no account lie under account_id=none",
    columns: &[
        text("id", "stable id of the finding"),
        text("code", "code of docs/FINDINGS.md"),
        text("severity", "critical, high, medium, low or info"),
        text("subject", "ARN, party id or account id"),
        maybe_text("party", "party concerned"),
        text("title", "one line"),
        text("detail", "a few sentences"),
        text("evidence", "what it rests on, as JSON"),
        text("remediation", "what to do next"),
        maybe_text("suppressed_by", "file and line of the suppression, null when it is not suppressed"),
        maybe_text("suppressed_owner", "who answers for the suppression"),
        maybe_text("suppressed_reason", "why it is suppressed"),
    ],
};

/// Who came in or may.
pub const PARTIES: Table = Table {
    name: "parties",
    row: "one party over all accounts, under account_id=none",
    columns: &[
        text("id", "account id, provider with subject, or a fixed word"),
        text(
            "kind",
            "vendor, unknown_account, identity_provider, iam_user, own_organization, aws_service or unresolved",
        ),
        text("name", "name for people"),
        texts("channels", "how it came in"),
        texts("roles", "ARNs of roles that it can or did assume"),
        number("sessions", "sessions opened or used in the window"),
        number("calls", "calls, hand-offs apart"),
        number("denied", "refused calls and hand-offs"),
        number("failed", "calls that failed after authorization"),
        number("throttled", "failed calls refused because there were too many"),
        number("charged_calls", "calls that AWS charges for"),
        moment("first_seen", "first hand-off or call"),
        moment("last_seen", "last hand-off or call"),
        texts("regions", "Regions of its calls"),
        texts("networks", "source networks, up to a limit"),
        texts("agents", "user agents, up to a limit"),
    ],
};

/// Every line of every role's ledger.
pub const PERMISSIONS: Table = Table {
    name: "permissions",
    row: "one action that a role is granted or used",
    columns: &[
        text("role_arn", "the role"),
        text("role_name", "its name"),
        text("role_id", "its id, which tells it from a role that had its name before"),
        text("service", "service prefix of the action"),
        text("action", "IAM action"),
        text("verdict", "used, unused, not_observable, dependent or used_not_granted"),
        maybe_text("access_level", "list, read, tagging, write or permissions_management"),
        maybe_text("danger", "why it is dangerous, if it is"),
        number("calls", "calls that needed it, refused and failed ones included"),
        number("denied", "calls refused"),
        number("failed", "calls that failed after authorization"),
        moment("first_seen", "first use"),
        moment("last_seen", "last use"),
        texts("resources", "resources of uses, up to a limit"),
        texts("sample_event_ids", "some event ids"),
        texts("granted_by", "policy and statement that grant it, with a space between"),
        flag("kept", "whether it stays in the proposal"),
        text("reason", "why the verdict is what it is"),
    ],
};

/// Roles that an outside party can or did assume.
pub const ROLES: Table = Table {
    name: "roles",
    row: "one role that an outside party can or did assume",
    columns: &[
        text("role_arn", "the role"),
        text("role_name", "its name"),
        text("role_id", "its id, or empty when never seen"),
        moment("created_at", "when it was created"),
        flag("in_inventory", "whether the inventory holds it"),
        texts("trusted_parties", "outside parties that its trust policy names"),
        texts("party_ids", "ids of the parties that came in"),
        moment("last_activity_at", "last activity by the trail or by IAM, the later"),
        maybe_text("last_activity_source", "cloudtrail or iam"),
        text("idle_verdict", "active, idle, never_used, too_new or insufficient_evidence"),
        Column { name: "idle_days", kind: Kind::Number, optional: true, meaning: "whole days since the last activity" },
        text("idle_reason", "one sentence"),
        number("sessions", "sessions"),
        number("sessions_exact", "of these, attributed by their access key id"),
        number("sessions_inferred", "attributed by role, name and time"),
        number("sessions_unresolved", "not attributed"),
        number("sessions_without_external_id", "outside hand-offs that sent no external id"),
        number("sessions_without_calls", "sessions without a call in the window"),
        text("rightsizing", "proposed, unchanged or withheld"),
        maybe_text("rightsizing_reason", "why withheld or unchanged"),
        number("granted", "actions granted now"),
        number("kept", "actions granted by the proposal"),
        number("removed", "the difference"),
    ],
};

/// Sessions.
pub const SESSIONS: Table = Table {
    name: "sessions",
    row: "one session: one set of temporary credentials",
    columns: &[
        text("session_id", "digest that names the session, keys are not written"),
        text("role_arn", "the role"),
        text("role_id", "its id"),
        text("session_name", "name chosen by the caller"),
        text("party_id", "who stands behind it"),
        text("party_kind", "kind of that party"),
        text("party_name", "its name"),
        text("channel", "how it came in"),
        text("attribution", "exact, inferred or unresolved"),
        moment("opened_at", "time of the hand-off, or the creation date that its calls tell where none was seen"),
        moment("first_call", "first call in the window"),
        moment("last_call", "last call in the window"),
        number("calls", "calls"),
        number("denied", "refused calls"),
        number("failed", "calls that failed after authorization"),
        Column {
            name: "external_id_sent",
            kind: Kind::Flag,
            optional: true,
            meaning: "whether the hand-off sent an external id, null when not seen or not of that kind",
        },
        maybe_text("source_identity", "sourceIdentity of the session"),
        texts("networks", "source networks, up to a limit"),
        texts("agents", "user agents, up to a limit"),
    ],
};

/// Calls, summed.
pub const USAGE: Table = Table {
    name: "usage",
    row: "the calls of one party through one role to one API in one Region",
    columns: &[
        text("role_arn", "the role, or empty for access without a role"),
        number("sessions", "sessions that made such calls"),
        text("party_id", "who stands behind it"),
        text("party_name", "its name"),
        text("channel", "how it came in"),
        text("region", "Region"),
        text("event_source", "as recorded"),
        text("event_name", "as recorded"),
        texts("actions", "IAM actions it uses"),
        text("rule", "rule that mapped it"),
        number("calls", "calls in all, refused and failed ones included"),
        number("denied", "refused calls"),
        number("failed", "calls that failed after authorization"),
        moment("first_seen", "first call"),
        moment("last_seen", "last call"),
        texts("resources", "resources, up to a limit"),
        texts("error_codes", "error codes, up to a limit"),
        texts("sample_event_ids", "some event ids"),
    ],
};

/// The Athena DDL of a table, with `${database}` and `${location}` to be filled in.
///
/// `${account_id}` is Athena's: partition projection puts the account of the query there, so that no crawler and no
/// `ADD PARTITION` is needed.
#[must_use]
pub fn ddl(table: &Table) -> String {
    let columns = table
        .columns
        .iter()
        .map(|column| format!("  `{}` {} COMMENT '{}'", column.name, athena_type(column.kind), column.meaning));
    format!(
        "-- {name}: {row}.\n\
         -- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').\n\
         CREATE EXTERNAL TABLE IF NOT EXISTS `${{database}}`.`{name}` (\n{columns}\n)\n\
         PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')\n\
         STORED AS PARQUET\n\
         LOCATION '${{location}}/parquet/{name}/'\n\
         TBLPROPERTIES (\n  \
           'parquet.compression' = 'ZSTD',\n  \
           'projection.enabled' = 'true',\n  \
           'projection.account_id.type' = 'injected',\n  \
           'storage.location.template' = '${{location}}/parquet/{name}/account_id=${{account_id}}/'\n\
         );\n",
        name = table.name,
        row = table.row,
        columns = columns.collect::<Vec<_>>().join(",\n"),
    )
}

/// `docs/TABLES.md`.
#[must_use]
pub fn documentation() -> String {
    let mut page = String::from(
        "# Tables\n\n\
         Parquet (ZSTD), one file for each account: `parquet/<table>/account_id=<12 digits>/part-0.parquet`. The account \
         is in the path, not in the file; it is a text, because `012345678901` keeps its zero. Rows that belong to no \
         account, and all parties, which span accounts, lie under `account_id=none`. A table without rows for an account \
         has no file for it. Of `activity` there is a file for each account and day, `parquet/activity/account_id=<12 \
         digits>/<YYYY-MM-DD>.parquet`, sorted by time, so that a range of time reads little. Times are UTC with microseconds. Every file names its schema, `thirdtrail.tables/1`, under \
         `thirdtrail.schema` in its metadata.\n\n\
         `queries/ddl` holds the DDL for Athena. With projection of type `injected`, every query must name its accounts: \
         `WHERE account_id = '...'` or `account_id IN ('...', '...')`.\n\n\
         This page is made from `src/report/tables.rs`; a test keeps it so.\n",
    );
    for table in TABLES {
        page.push_str(&format!(
            "\n## {}\n\nA row is {}.\n\n| column | type | null | meaning |\n|---|---|---|---|\n",
            table.name, table.row
        ));
        for column in table.columns {
            let null = if column.optional { "yes" } else { "no" };
            let (name, kind, meaning) = (column.name, athena_type(column.kind), column.meaning);
            page.push_str(&format!("| `{name}` | `{kind}` | {null} | {meaning} |\n"));
        }
    }
    page
}

/// The type of a column in Athena's DDL.
#[must_use]
pub fn athena_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "string",
        Kind::Number => "bigint",
        Kind::Moment => "timestamp",
        Kind::Flag => "boolean",
        Kind::Texts => "array<string>",
        Kind::Numbers => "array<bigint>",
        Kind::Id => "binary",
    }
}
