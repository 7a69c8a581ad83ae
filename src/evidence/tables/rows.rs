//! The rows of saved evidence, and their columns.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike};
use serde::{Deserialize, Serialize};

use crate::aws::AccountId;
use crate::aws::window::{Time, parse_time};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::few::Few;

use super::columnar::{Column, Kind};

/// A table's name and columns.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
}

const fn column(name: &'static str, kind: Kind, optional: bool) -> Column {
    Column { name, kind, optional, meaning: "" }
}

/// Declares a row with its columns, so that the two cannot differ.
macro_rules! row {
    ($shape:ident $table:literal, $row:ident { $($field:ident : $type:ty => $kind:ident $optional:literal),* $(,)? }) => {
        #[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(super) struct $row { $(pub(super) $field: $type),* }
        pub(super) const $shape: Shape = Shape {
            name: $table,
            columns: &[$(column(stringify!($field), Kind::$kind, $optional)),*],
        };
    };
}

row!(HANDOFFS "handoffs", HandOffRow {
    event: String => Id false, event_id: String => Text false, time: String => Text false,
    recipient: AccountId => Text false, region: String => Text false, kind: String => Text false,
    outcome: Outcome => Text false, error_code: String => Text false, shared_event_id: String => Text false,
    role_arn: String => Text false, role_account: AccountId => Text false, role_name: String => Text false,
    role_id: String => Text false, session_name: String => Text false, access_key: String => Text false,
    external_id_digest: Option<String> => Text true, external_id_length: Option<u32> => Number true,
    source_identity: String => Text false, provider: String => Text false, subject: String => Text false,
    caller_kind: String => Text false, caller_account: Option<AccountId> => Text true,
    caller_delegate: Option<AccountId> => Text true,
    caller_principal_id: String => Text false, caller_arn: String => Text false,
    caller_access_key: String => Text false, caller_invoked_by: String => Text false,
    caller_role_account: Option<AccountId> => Text true, caller_role_name: Option<String> => Text true,
    caller_role_id: Option<String> => Text true, caller_session_name: Option<String> => Text true,
    caller_created: Option<String> => Text true, network: String => Text false, agent: String => Text false,
});

row!(ACTORS "actors", ActorRow {
    session: bool => Flag false, user: bool => Flag false, account: AccountId => Text false, role_name: String => Text false,
    role_id: String => Text false, access_key: String => Text false, session_name: String => Text false,
    created: Option<String> => Text true, delegate: Option<AccountId> => Text true,
    principal: String => Text false, networks: Vec<String> => Texts false, networks_more: bool => Flag false,
    agents: Vec<String> => Texts false, agents_more: bool => Flag false,
    source_identities: Vec<String> => Texts false, source_identities_more: bool => Flag false,
    mfa: bool => Flag false,
});

row!(SIGHTINGS "sightings", SightingRow {
    actor: u32 => Number false, account: AccountId => Text false, region: String => Text false,
    source: String => Text false, name: String => Text false, via: String => Text false,
    hints: u32 => Number false, used_first: Option<String> => Text true, used_last: Option<String> => Text true,
    refused_first: Option<String> => Text true, refused_last: Option<String> => Text true,
    resources: Vec<String> => Texts false, resources_more: bool => Flag false,
    errors: Vec<String> => Texts false, errors_more: bool => Flag false,
    odd_ids: Vec<String> => Texts false, odd_ids_more: bool => Flag false,
    refused_odd_ids: Vec<String> => Texts false, refused_odd_ids_more: bool => Flag false,
    networks: Vec<String> => Texts false, networks_more: bool => Flag false,
});

row!(EVENTS "events", EventRow {
    sighting: Option<u32> => Number true, outcome: Option<Outcome> => Text true, throttled: bool => Flag false, event: String => Id false,
});

row!(CALLS "calls", CallRow {
    sighting: u32 => Number false, event: String => Id false, time: String => Text false, outcome: Outcome => Text false,
    read_only: Option<bool> => Flag true, event_id: String => Text false, error: String => Text false,
    network: String => Text false, agent: String => Text false, resources: Vec<String> => Texts false,
});

row!(ROLES "roles", RoleRow {
    account: AccountId => Text false, name: String => Text false, id: String => Text false,
    first: String => Text false, last: String => Text false,
});

row!(KEYS "keys", KeyRow {
    user: String => Text false, access_key: String => Text false, first: String => Text false,
    last: String => Text false, networks: Vec<String> => Texts false, networks_first: Vec<String> => Texts false,
    networks_last: Vec<String> => Texts false, networks_more: bool => Flag false,
});

row!(CHANGES "changes", ChangeRow {
    event: String => Id false, event_id: String => Text false, time: String => Text false,
    recipient: AccountId => Text false, region: String => Text false, source: String => Text false,
    name: String => Text false, outcome: Outcome => Text false, target: String => Text false,
    gives: String => Text false, admitted: Vec<String> => Texts false,
    admitted_conditions: Vec<String> => Texts false, admitted_more: bool => Flag false,
    caller_kind: String => Text false, caller_account: Option<AccountId> => Text true,
    caller_delegate: Option<AccountId> => Text true, caller_principal_id: String => Text false,
    caller_arn: String => Text false, caller_access_key: String => Text false,
    caller_invoked_by: String => Text false, caller_role_account: Option<AccountId> => Text true,
    caller_role_name: Option<String> => Text true, caller_role_id: Option<String> => Text true,
    caller_session_name: Option<String> => Text true, caller_created: Option<String> => Text true,
    network: String => Text false,
});

row!(OBJECTS "objects", ObjectRow {
    key: String => Id false, records: u64 => Number false, bad: u64 => Number false,
    compressed_bytes: u64 => Number false, decompressed_bytes: u64 => Number false, sha256: Option<String> => Text true,
});

row!(FAILED "failed", FailedRow { key: String => Text false, reason: String => Text false });

row!(BAD_RECORDS "bad_records", BadRow {
    key: String => Text false, at: u64 => Number false, reason: String => Text false,
});

row!(PLACES "places", PlaceRow {
    account: AccountId => Text false, region: String => Text false, first: Option<String> => Text true,
    last: Option<String> => Text true, delivered: Vec<String> => Texts false, undated: Vec<String> => Texts false,
});

row!(SEEN "seen", SeenRow {
    account: AccountId => Text false, region: String => Text false, source: String => Text false,
    name: String => Text false, recorded: u8 => Number false,
});

row!(DATA_TYPES "data_types", DataTypeRow { account: AccountId => Text false, kind: String => Text false });

row!(LOGGING "logging", LoggingRow {
    account: AccountId => Text false, time: String => Text false, starts: bool => Flag false,
    trail: String => Text false,
});

const HAND_OFF_KINDS: [(&str, HandOffKind); 3] =
    [("assume_role", HandOffKind::AssumeRole), ("web_identity", HandOffKind::WebIdentity), ("saml", HandOffKind::Saml)];

const IDENTITY_KINDS: [(&str, IdentityKind); 9] = [
    ("assumed_role", IdentityKind::AssumedRole),
    ("aws_account", IdentityKind::AwsAccount),
    ("aws_service", IdentityKind::AwsService),
    ("iam_user", IdentityKind::IamUser),
    ("root", IdentityKind::Root),
    ("federated_user", IdentityKind::FederatedUser),
    ("web_identity_user", IdentityKind::WebIdentityUser),
    ("saml_user", IdentityKind::SamlUser),
    ("other", IdentityKind::Other),
];

/// The word for a kind of hand-off.
pub(super) fn hand_off_word(kind: HandOffKind) -> &'static str {
    HAND_OFF_KINDS.iter().find(|(_, known)| *known == kind).map_or("assume_role", |(word, _)| word)
}

/// The kind of hand-off of a word.
pub(super) fn hand_off_kind(word: &str) -> Option<HandOffKind> {
    HAND_OFF_KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
}

/// The word for a kind of identity.
pub(super) fn identity_word(kind: IdentityKind) -> &'static str {
    IDENTITY_KINDS.iter().find(|(_, known)| *known == kind).map_or("other", |(word, _)| word)
}

/// The kind of identity of a word.
pub(super) fn identity_kind(word: &str) -> Option<IdentityKind> {
    IDENTITY_KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
}

/// 128 bits as 32 hexadecimal digits.
pub(super) fn id_text(id: u128) -> String {
    format!("{id:032x}")
}

/// A time with all its digits: RFC 3339, or seconds and nanoseconds after `@` for years that it cannot write.
pub(super) fn time_text(time: Time) -> String {
    if (0..=9999).contains(&time.year()) {
        time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    } else {
        format!("@{}.{}", time.timestamp(), time.nanosecond())
    }
}

/// The time of such a text.
pub(super) fn time_of(text: &str) -> Option<Time> {
    match text.strip_prefix('@') {
        None => parse_time(text),
        Some(parts) => {
            let (seconds, nanoseconds) = parts.split_once('.')?;
            DateTime::from_timestamp(seconds.parse().ok()?, nanoseconds.parse().ok()?)
        }
    }
}

/// The two fields of a bounded set.
pub(super) fn few_fields<const LIMIT: usize>(few: &Few<LIMIT>) -> (Vec<String>, bool) {
    (few.to_vec(), few.has_more())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S44: a time that a stranger wrote comes back as it was, fractions, leap seconds and odd years included.
    #[test]
    fn every_time_comes_back() {
        for text in [
            "2026-05-01T00:00:00Z",
            "2026-05-01T00:00:00.123456789Z",
            "2016-12-31T23:59:60Z",
            "0000-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
        ] {
            let time = parse_time(text).unwrap();
            assert_eq!(time_of(&time_text(time)), Some(time), "{text}");
        }
        assert_eq!(time_of("@1"), None);
    }
}
