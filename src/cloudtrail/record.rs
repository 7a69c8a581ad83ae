//! One CloudTrail record, borrowed from the bytes it came in.
//!
//! Source of the fields: AWS CloudTrail User Guide, "CloudTrail record contents".

use crate::aws::window::{Time, parse_time};
use crate::aws::{AccountId, api_call::short_source};

use super::identity::Identity;
use super::parameters::{Collector, ParameterFacts};
use super::reader::Json;

/// An event's identity in 128 bits: the UUID itself, or a digest where there is no UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventId(pub u128);

impl EventId {
    /// The value of a UUID, or a digest of any other text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(uuid(text.as_bytes()).unwrap_or_else(|| xxhash_rust::xxh3::xxh3_128(text.as_bytes())))
    }

    /// The value of a UUID, if these bytes are one.
    pub(super) fn of_uuid(bytes: &[u8]) -> Option<Self> {
        uuid(bytes).map(Self)
    }

    /// Writes the UUID in its usual form; meaningless for an id that was no UUID.
    pub fn write_uuid(self, text: &mut [u8; 36]) -> &str {
        let digits = self.0.to_be_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        *text = [b'-'; 36];
        for (place, digit) in UUID_DIGITS.into_iter().zip(digits) {
            if let Some(place) = text.get_mut(place) {
                *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            }
        }
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Whether `text` can be told from the id alone.
    #[must_use]
    pub fn tells(self, text: &str) -> bool {
        text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase()) && uuid(text.as_bytes()) == Some(self.0)
    }
}

/// Where the digits of a UUID stand; a dash is between.
const UUID_DIGITS: [usize; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
    35,
];

fn uuid(text: &[u8]) -> Option<u128> {
    let bytes: &[u8; 36] = text.try_into().ok()?;
    let [_, _, _, _, _, _, _, _, b'-', _, _, _, _, b'-', _, _, _, _, b'-', _, _, _, _, b'-', ..] = bytes else {
        return None;
    };
    let [a, b, c, d, e, f, g, h, _, i, j, k, l, _, m, n, o, p, _, q, r, s, t, _, tail @ ..] = *bytes;
    let [t1, t2, t3, t4, tail @ ..] = tail;
    let digits = [[a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p], [q, r, s, t, t1, t2, t3, t4], tail];
    digits.into_iter().try_fold(0_u128, |value, eight| Some(value << 32 | u128::from(hex(eight)?)))
}

/// The number that eight hexadecimal digits stand for, all eight at once in one word: every record has an id, and a
/// digit at a time shows in the time of the whole run.
fn hex(digits: [u8; 8]) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_be_bytes(digits);
    if text & (0x80 * EACH) != 0 {
        return None;
    }
    // With seven bits to a lane, adding what is missing to 0x80 tells in the top bit whether a byte is at least that.
    let at_least = |lanes: u64, byte: u64| (lanes + (0x80 - byte) * EACH) & (0x80 * EACH);
    let lower = text | (0x20 * EACH);
    let decimal = at_least(text, 0x30) & !at_least(text, 0x3a);
    let letter = at_least(lower, 0x61) & !at_least(lower, 0x67);
    if decimal | letter != 0x80 * EACH {
        return None;
    }
    let values = (text & (0x0f * EACH)) + (letter >> 7) * 9;
    // Neighbours join: nibbles to bytes, bytes to halves, halves to the word.
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    u32::try_from((quads | quads >> 16) & 0xffff_ffff).ok()
}

/// `eventCategory`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Category {
    /// A management event.
    #[default]
    Management,
    /// A data event, recorded only where a selector asks for it (S25).
    Data,
    /// A VPC endpoint's network activity.
    NetworkActivity,
    /// An insight.
    Insight,
}

/// What a record must have to count (S6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not a JSON object.
    #[error("record is not an object")]
    NotAnObject,
    /// One of the fields without which nothing can be said.
    #[error("record without `{0}`")]
    Missing(&'static str),
    /// `eventTime` is not a time.
    #[error("record with an unreadable `eventTime`")]
    BadTime,
}

/// The fields of a record that anything here asks for.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its identity; equal for every delivery of the same event (S4).
    pub id: EventId,
    /// `eventID` as written, empty when absent.
    pub event_id: &'a str,
    /// When it happened.
    pub time: Time,
    /// `eventSource` without its suffix.
    pub source: &'a str,
    /// `eventName`.
    pub name: &'a str,
    /// `eventType`, `AwsApiCall` when absent (records of 2014 have none).
    pub event_type: &'a str,
    /// `eventCategory`.
    pub category: Category,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// `awsRegion`.
    pub region: &'a str,
    /// The account whose trail holds it.
    pub recipient: Option<AccountId>,
    /// `errorCode`.
    pub error_code: Option<&'a str>,
    /// Pairs the two records of one cross-account call (S4).
    pub shared_event_id: &'a str,
    /// `sourceIPAddress`: an address, or a service's name.
    pub source_ip: &'a str,
    /// `userAgent`.
    pub user_agent: &'a str,
    /// Who called.
    pub identity: Identity<'a>,
    /// `requestParameters`.
    pub parameters: Option<Json<'a>>,
    /// `responseElements`.
    pub response: Option<Json<'a>>,
    /// `resources`.
    pub resources: Option<Json<'a>>,
}

impl<'a> Record<'a> {
    /// Reads a parsed record.
    ///
    /// # Errors
    /// [`RecordError`] when it lacks what it needs: a time, a source and a name.
    pub fn read(json: Json<'a>) -> Result<Self, RecordError> {
        if !json.is_object() {
            return Err(RecordError::NotAnObject);
        }
        let mut record = Self::blank();
        let (mut time, mut original, mut category, mut management) = (None, "", None, None);
        for (key, value) in json.members() {
            let text = value.as_str().unwrap_or_default();
            match key {
                "eventID" => record.event_id = text,
                "eventTime" => time = Some(text),
                "eventSource" => record.source = short_source(text),
                "eventName" => record.name = text,
                "eventType" if !text.is_empty() => record.event_type = text,
                "eventCategory" => category = Some(text),
                "managementEvent" => management = value.as_bool(),
                "readOnly" => record.read_only = value.as_bool(),
                "awsRegion" => record.region = text,
                "recipientAccountId" => record.recipient = AccountId::parse(text),
                "errorCode" if !text.is_empty() => record.error_code = Some(text),
                "sharedEventID" => record.shared_event_id = text,
                "sourceIPAddress" => record.source_ip = text,
                "userAgent" => record.user_agent = text,
                "userIdentity" => record.identity = Identity::read(value),
                "requestParameters" => record.parameters = Some(value),
                "responseElements" => record.response = Some(value),
                "resources" => record.resources = Some(value),
                "addendum" => original = value.text_at(&["originalEventID"]).unwrap_or_default(),
                _ => {}
            }
        }
        record.time = parse_time(time.ok_or(RecordError::Missing("eventTime"))?).ok_or(RecordError::BadTime)?;
        record.category = category_of(category, management);
        record.complete(json, original)
    }

    fn blank() -> Self {
        Self {
            id: EventId(0),
            event_id: "",
            time: Time::UNIX_EPOCH,
            source: "",
            name: "",
            event_type: "AwsApiCall",
            category: Category::Management,
            read_only: None,
            region: "",
            recipient: None,
            error_code: None,
            shared_event_id: "",
            source_ip: "",
            user_agent: "",
            identity: Identity::default(),
            parameters: None,
            response: None,
            resources: None,
        }
    }

    fn complete(mut self, json: Json<'a>, original: &'a str) -> Result<Self, RecordError> {
        if self.source.is_empty() {
            return Err(RecordError::Missing("eventSource"));
        }
        if self.name.is_empty() {
            return Err(RecordError::Missing("eventName"));
        }
        // S5: an addendum repeats the event it names, so it counts as that event.
        self.id = match (original, self.event_id) {
            ("", "") => EventId(json.digest()),
            ("", own) => EventId::of(own),
            (original, _) => EventId::of(original),
        };
        Ok(self)
    }

    /// What its parameters and resources say of the actions it needs and of what it touched.
    #[must_use]
    pub fn facts(&self) -> ParameterFacts {
        let mut collector = Collector::new(self.source, self.region, self.identity.account.or(self.recipient));
        if let Some(parameters) = self.parameters {
            parameters.walk(&mut |depth, key, value| collector.see(depth, key, value));
        }
        for resource in self.resources.into_iter().flat_map(Json::elements) {
            if let Some(arn) = resource.text_at(&["ARN"]).or_else(|| resource.text_at(&["arn"])) {
                collector.see_arn(arn);
            }
        }
        collector.finish()
    }

    /// Whether it stands for an API call that may use a permission (S8); network activity repeats API calls.
    #[must_use]
    pub fn is_api_call(&self) -> bool {
        matches!(self.event_type, "AwsApiCall" | "AwsVpceEvent" | "AwsVpceEvents")
    }
}

fn category_of(category: Option<&str>, management: Option<bool>) -> Category {
    match (category, management) {
        (Some("Data"), _) | (None, Some(false)) => Category::Data,
        (Some("NetworkActivity"), _) => Category::NetworkActivity,
        (Some("Insight"), _) => Category::Insight,
        _ => Category::Management,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::reader::Parser;

    fn with<R>(json: &str, check: impl FnOnce(Result<Record<'_>, RecordError>) -> R) -> R {
        Parser::default().parse_copy(json.as_bytes(), |json| check(Record::read(json))).unwrap()
    }

    const MINIMAL: &str =
        r#""eventTime":"2026-05-01T00:00:01Z","eventSource":"s3.amazonaws.com","eventName":"GetObject""#;

    /// S6: a record needs a time, a source and a name.
    #[test]
    fn records_without_needed_fields_are_refused() {
        for (json, expected) in [
            ("7", RecordError::NotAnObject),
            ("{}", RecordError::Missing("eventTime")),
            (r#"{"eventTime":"soon","eventSource":"a","eventName":"b"}"#, RecordError::BadTime),
            (r#"{"eventTime":"2026-05-01T00:00:01Z","eventName":"b"}"#, RecordError::Missing("eventSource")),
            (r#"{"eventTime":"2026-05-01T00:00:01Z","eventSource":"b"}"#, RecordError::Missing("eventName")),
        ] {
            with(json, |record| assert_eq!(record.unwrap_err(), expected, "{json}"));
        }
    }

    /// S4, S5: one event has one id, whichever way it is delivered.
    #[test]
    fn event_ids_are_equal_for_equal_events() {
        let id = |extra: &str| with(&format!("{{{MINIMAL}{extra}}}"), |record| record.unwrap().id);
        let uuid = r#","eventID":"0a1b2c3d-0000-4000-8000-00000000ffff""#;
        assert_eq!(id(uuid), EventId(0x0a1b_2c3d_0000_4000_8000_0000_0000_ffff));
        assert_eq!(id(r#","eventID":"cEXAMPLE""#), id(r#","eventID":"cEXAMPLE","awsRegion":"x""#));
        assert_eq!(id(""), id(""));
        assert_ne!(id(""), id(r#","awsRegion":"x""#));
        let addendum = r#","eventID":"n","addendum":{"originalEventID":"0a1b2c3d-0000-4000-8000-00000000ffff"}"#;
        assert_eq!(id(addendum), id(uuid));
    }

    /// Every byte in every place: only hexadecimal digits make a UUID, and each has its value.
    #[test]
    fn uuids_are_read_as_the_standard_library_reads_digits() {
        let sound = b"0a1B2c3d-4e5F-6789-aBcD-eF0123456789";
        for place in 0..sound.len() {
            for byte in 0..=0x7f_u8 {
                let mut text = *sound;
                text[place] = byte;
                let text = std::str::from_utf8(&text).unwrap();
                let dashes = [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-');
                let digits = text.replace('-', "");
                let whole = dashes && digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let expected = whole.then(|| u128::from_str_radix(&digits, 16).unwrap());
                assert_eq!(uuid(text.as_bytes()), expected, "{text}");
            }
        }
        assert_eq!(uuid("0a1b2c3d-4e5f-6789-abcd-ef012345678\u{e9}".as_bytes()), None);
        assert_eq!(uuid("\u{e9}a1b2c3-4e5f-6789-abcd-ef0123456789".as_bytes()), None);
    }

    /// S19: the role is known by name and id although its path is dropped from the session's ARN.
    #[test]
    fn role_sessions_are_read_from_identity_and_context() {
        let identity = r#","userIdentity":{"type":"AssumedRole","principalId":"AROAX:nightly","accountId":"111122223333",
            "arn":"arn:aws:sts::111122223333:assumed-role/Audit/nightly","accessKeyId":"ASIAX",
            "sessionContext":{"attributes":{"creationDate":"2026-05-01T00:00:00Z","mfaAuthenticated":"true"},
            "sessionIssuer":{"type":"Role","principalId":"AROAX","arn":"arn:aws:iam::111122223333:role/v/Audit",
            "accountId":"111122223333","userName":"Audit"},"sourceIdentity":"jane"}}"#;
        with(&format!("{{{MINIMAL}{identity}}}"), |record| {
            let identity = record.unwrap().identity;
            let session = identity.session.unwrap();
            assert_eq!((session.role_name, session.role_id, session.session_name), ("Audit", "AROAX", "nightly"));
            assert_eq!((identity.source_identity, session.mfa), ("jane", true));
            assert_eq!(session.created(), parse_time("2026-05-01T00:00:00Z"));
        });
    }

    /// S8: sign-ins and service events are no API calls.
    #[test]
    fn only_api_calls_may_use_permissions() {
        let api = |extra: &str| with(&format!("{{{MINIMAL}{extra}}}"), |record| record.unwrap().is_api_call());
        assert!(api(""));
        assert!(api(r#","eventType":"AwsVpceEvent""#));
        for other in ["AwsServiceEvent", "AwsConsoleSignIn", "AwsConsoleAction", "AwsCloudTrailInsight"] {
            assert!(!api(&format!(r#","eventType":"{other}""#)), "{other}");
        }
    }
}
