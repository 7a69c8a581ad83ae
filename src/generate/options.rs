//! What a synthetic trail shall be: its seed, its length, its size, its troubles.

use chrono::NaiveDate;

/// How large the trail shall be; reached closely, not exactly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Records, duplicates not counted.
    Records(u64),
    /// Bytes of JSON before compression.
    Bytes(u64),
}

/// One way in which an object or a record is broken (S6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Damage {
    /// The gzip stream ends in the middle.
    TruncatedGzip,
    /// The JSON stops in the middle of a record; the gzip is whole.
    BadJson,
    /// One record has no `eventName`.
    MissingEventName,
    /// Two entries of `Records` are no objects.
    NotAnObject,
    /// Small on disk, more than 256 MiB inflated.
    GzipBomb,
    /// A PNG picture named `.json.gz`.
    Png,
    /// An HTML page named `.json.gz`.
    Html,
    /// No bytes at all.
    EmptyFile,
    /// A few bytes in the middle of the gzip stream are flipped.
    FlippedBytes,
}

impl Damage {
    /// Every kind, in the order in which they are written.
    pub const ALL: [Self; 9] = [
        Self::TruncatedGzip,
        Self::BadJson,
        Self::MissingEventName,
        Self::NotAnObject,
        Self::GzipBomb,
        Self::Png,
        Self::Html,
        Self::EmptyFile,
        Self::FlippedBytes,
    ];

    /// Whether nothing of the object can be trusted; otherwise single records are bad.
    #[must_use]
    pub fn fails_object(self) -> bool {
        !matches!(self, Self::MissingEventName | Self::NotAnObject)
    }

    /// The name in `truth.json` and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TruncatedGzip => "truncated_gzip",
            Self::BadJson => "bad_json",
            Self::MissingEventName => "missing_event_name",
            Self::NotAnObject => "not_an_object",
            Self::GzipBomb => "gzip_bomb",
            Self::Png => "png",
            Self::Html => "html",
            Self::EmptyFile => "empty_file",
            Self::FlippedBytes => "flipped_bytes",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A time of which the trail holds nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hole {
    /// Whole days without any object, in every account: first day (0 is the window's first) and number of days.
    NoObjects {
        /// Days after the window's first.
        first_day: u32,
        /// Number of days.
        days: u32,
    },
    /// `StopLogging` at 10:00 of one day, `StartLogging` at 16:00 of another, in one account.
    LoggingStopped {
        /// Position of the account.
        account: u32,
        /// Days after the window's first.
        first_day: u32,
        /// Day of `StartLogging`, in days after the window's first.
        last_day: u32,
    },
}

/// Everything that decides the bytes of a trail; equal options give equal bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// Start of every pseudo-random sequence.
    pub seed: u64,
    /// The window's first day, UTC.
    pub since: NaiveDate,
    /// Days in the window.
    pub days: u32,
    /// Own accounts, at least 3 (two hand-offs cross between them) and at most 200.
    pub accounts: u32,
    /// Vendors; the situations need 17, more are plain readers of one role each.
    pub vendors: u32,
    /// Every channel: temporary delegation, IAM Roles Anywhere and access given in the window, too.
    pub every_channel: bool,
    /// How large the trail shall be.
    pub size: Size,
    /// Share of records that outsiders' sessions make, 0 to 1.
    pub third_party_share: f64,
    /// Regions, the busiest first, the last one quiet after its first two days. `us-east-1` must be among them.
    pub regions: Vec<String>,
    /// Broken objects to add.
    pub damage: Vec<Damage>,
    /// Times without records.
    pub holes: Vec<Hole>,
    /// Share of records that are delivered twice, 0 to 1.
    pub duplicates_share: f64,
    /// Share of records that are delivered one to three days late, 0 to 1.
    pub late_share: f64,
    /// Half of the duplicates come through an organization's trail of this id.
    pub organization: Option<String>,
    /// Days between two digest objects of an account; 0 for none.
    pub digest_every_days: u32,
    /// Records in one object at most.
    pub records_per_object: usize,
    /// Gzip level, 1 to 9.
    pub gzip_level: u32,
    /// Days of silence that make a role idle in `truth.json`.
    pub idle_days: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            since: NaiveDate::from_ymd_opt(2026, 5, 1).unwrap_or_default(),
            days: 92,
            accounts: 3,
            vendors: 17,
            every_channel: false,
            size: Size::Records(100_000),
            third_party_share: 0.06,
            regions: ["us-east-1", "eu-west-1", "us-west-2", "ap-southeast-2"].map(str::to_owned).to_vec(),
            damage: Vec::new(),
            holes: Vec::new(),
            duplicates_share: 0.003,
            late_share: 0.002,
            organization: Some("o-a1b2c3d4e5".to_owned()),
            digest_every_days: 7,
            records_per_object: 1_000,
            gzip_level: 2,
            idle_days: 90,
        }
    }
}

/// Reads `1GB`, `500 MB`, `4GiB`, `20000` as bytes.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [("1GB", Some(1_000_000_000)), ("4 GiB", Some(4 << 30)), ("12", Some(12)), ("x", None)] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
        assert_eq!(parse_bytes("99999999999 GB"), None);
    }

    /// S6: every kind of damage has a name of its own.
    #[test]
    fn damage_names_read_back() {
        for kind in Damage::ALL {
            assert_eq!(Damage::parse(kind.name()), Some(kind));
        }
    }
}
