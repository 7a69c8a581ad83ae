//! Times and days as reports write and read them: RFC 3339 with whole seconds, and numbers of days.

/// A time.
pub(in crate::finding) mod time {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::aws::window::{Time, parse_time, rfc3339};

    pub(in crate::finding) fn serialize<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(*time))
    }

    pub(in crate::finding) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        parse_time(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no time")))
    }
}

/// A time, or `null`.
pub(in crate::finding) mod optional_time {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::aws::window::{Time, rfc3339};

    pub(in crate::finding) fn serialize<S: Serializer>(time: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
        time.map(rfc3339).serialize(to)
    }

    pub(in crate::finding) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
        #[derive(Deserialize)]
        struct Read(#[serde(with = "super::time")] Time);
        Ok(Option::<Read>::deserialize(from)?.map(|read| read.0))
    }
}

/// A day, as its number: for lists of millions.
pub(in crate::finding) mod day {
    use chrono::{Datelike, NaiveDate};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::finding) fn serialize<S: Serializer>(day: &NaiveDate, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i32(day.num_days_from_ce())
    }

    pub(in crate::finding) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
        let number = i32::deserialize(from)?;
        NaiveDate::from_num_days_from_ce_opt(number).ok_or_else(|| D::Error::custom(format!("{number} is no day")))
    }
}
