//! Trails as they are configured: where they deliver, which Regions and which events they record.
//!
//! Read from what `aws cloudtrail describe-trails` and `get-event-selectors` print, or from the file that holds these
//! and `get-trail-status` trail by trail. It is today's configuration: it can say that a trail does not record an event,
//! never that it always did. What a file does not say is taken as not recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::selectors::Selectors;
use crate::aws::window::{Time, parse_time};
use crate::aws::{AccountId, Arn};

/// Why a file is no configuration of trails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("it holds neither `Trails`, nor `trailList`, nor the event selectors of a `TrailARN`")]
    Shape,
    /// A trail without an ARN.
    #[error("trail {0} has no readable `TrailARN`")]
    Trail(usize),
}

/// One trail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trail {
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub account: AccountId,
    /// Its home Region, the only one that it records unless it is of all Regions.
    pub home_region: String,
    /// Whether it records every Region.
    pub is_multi_region: bool,
    /// Whether it records every account of the organization.
    pub is_of_organization: bool,
    /// Whether it records the events of global services (S27).
    pub has_global_events: bool,
    /// The bucket that it delivers to.
    pub bucket: String,
    /// What its keys begin with, before `AWSLogs/`.
    pub prefix: String,
    /// When it last stopped, for a trail that is off; the beginning of time for one that never was on.
    pub off_since: Option<Time>,
    /// When it last started.
    pub started: Option<Time>,
    /// Which events it records, or why that is not known.
    pub selectors: Result<Selectors, String>,
}

impl Trail {
    /// Where its objects lie: `s3://bucket/prefix/AWSLogs/`.
    #[must_use]
    pub fn place(&self) -> String {
        let prefix = self.prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!("s3://{}/{prefix}{slash}AWSLogs/", self.bucket)
    }
}

/// The trails of some accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Configuration {
    /// By ARN.
    pub trails: BTreeMap<String, Trail>,
    /// Accounts that were asked for their trails, those without any too.
    pub accounts: BTreeSet<AccountId>,
    selectors: BTreeMap<String, Selectors>,
}

impl Configuration {
    /// Adds one file: JSON values, one after another.
    ///
    /// # Errors
    /// [`ConfigurationError`] with the first thing that makes it none.
    pub fn add(&mut self, json: &str) -> Result<(), ConfigurationError> {
        let mut any = false;
        for value in serde_json::Deserializer::from_str(json).into_iter::<Value>() {
            let value = value.map_err(|error| ConfigurationError::Json(error.to_string()))?;
            self.add_value(&value)?;
            any = true;
        }
        // Descriptions and selectors may come in any order, and in files of their own.
        for (arn, selectors) in &self.selectors {
            if let Some(trail) = self.trails.get_mut(arn) {
                trail.selectors = Ok(selectors.clone());
            }
        }
        if any { Ok(()) } else { Err(ConfigurationError::Json("empty file".to_owned())) }
    }

    fn add_value(&mut self, value: &Value) -> Result<(), ConfigurationError> {
        if let Some(trails) = value["Trails"].as_array() {
            self.accounts.extend(value["Account"].as_str().and_then(AccountId::parse));
            for (at, entry) in trails.iter().enumerate() {
                let trail = read_trail(&entry["Trail"], &entry["Status"]).ok_or(ConfigurationError::Trail(at + 1))?;
                self.add_selectors(&trail.arn.clone(), &entry["EventSelectors"]);
                self.add_trail(trail);
            }
        } else if let Some(trails) = value["trailList"].as_array() {
            for (at, entry) in trails.iter().enumerate() {
                self.add_trail(read_trail(entry, &Value::Null).ok_or(ConfigurationError::Trail(at + 1))?);
            }
        } else {
            let arn = value["TrailARN"].as_str().ok_or(ConfigurationError::Shape)?;
            self.add_selectors(arn, value);
        }
        Ok(())
    }

    fn add_selectors(&mut self, arn: &str, value: &Value) {
        if let Some(selectors) = Selectors::read(value) {
            self.selectors.insert(arn.to_owned(), selectors);
        }
    }

    /// A trail of all Regions or of the organization is described by many; what one could not read another may tell.
    fn add_trail(&mut self, trail: Trail) {
        self.accounts.insert(trail.account);
        let Some(known) = self.trails.get_mut(&trail.arn) else {
            self.trails.insert(trail.arn.clone(), trail);
            return;
        };
        let (started, off_since) = (known.started.max(trail.started), known.off_since.max(trail.off_since));
        if trail.selectors.is_ok() || known.selectors.is_err() {
            *known = trail;
        }
        (known.started, known.off_since) = (started, off_since);
    }

    /// The trails that may record an account: its own, and those of organizations; `None` when nothing was asked.
    #[must_use]
    pub fn of(&self, account: AccountId) -> Option<Vec<&Trail>> {
        let of = |trail: &&Trail| trail.account == account || trail.is_of_organization;
        let trails: Vec<&Trail> = self.trails.values().filter(of).collect();
        (self.accounts.contains(&account) || !trails.is_empty()).then_some(trails)
    }
}

fn read_trail(trail: &Value, status: &Value) -> Option<Trail> {
    let arn = trail["TrailARN"].as_str()?;
    let parsed = Arn::parse(arn)?;
    let text = |key: &str| trail[key].as_str().unwrap_or_default().to_owned();
    let flag = |key: &str| trail[key].as_bool().unwrap_or(false);
    let home = text("HomeRegion");
    let time = |key: &str| status[key].as_str().and_then(parse_time);
    let selectors = if trail["HasCustomEventSelectors"].as_bool() == Some(false) {
        Ok(Selectors::default_of_trails())
    } else {
        Err("its event selectors are not given".to_owned())
    };
    Some(Trail {
        arn: arn.to_owned(),
        account: parsed.account_id()?,
        home_region: if home.is_empty() { parsed.region.to_owned() } else { home },
        is_multi_region: flag("IsMultiRegionTrail"),
        is_of_organization: flag("IsOrganizationTrail"),
        has_global_events: flag("IncludeGlobalServiceEvents"),
        bucket: text("S3BucketName"),
        prefix: text("S3KeyPrefix"),
        off_since: (status["IsLogging"] == Value::Bool(false))
            .then(|| time("StopLoggingTime").unwrap_or(Time::MIN_UTC)),
        started: time("StartLoggingTime"),
        selectors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::selectors::Kind;
    use serde_json::json;

    const ARN: &str = "arn:aws:cloudtrail:eu-west-1:012345678901:trail/main";

    fn described() -> Value {
        json!({"Name": "main", "TrailARN": ARN, "HomeRegion": "eu-west-1", "IsMultiRegionTrail": true,
            "IncludeGlobalServiceEvents": true, "IsOrganizationTrail": false, "S3BucketName": "logs",
            "S3KeyPrefix": "trails", "HasCustomEventSelectors": true})
    }

    fn selectors() -> Value {
        json!({"TrailARN": ARN, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]})
    }

    fn read(files: &[String]) -> Configuration {
        let mut configuration = Configuration::default();
        for file in files {
            configuration.add(file).unwrap();
        }
        configuration
    }

    /// S7, S24: the outputs of the AWS CLI in any order, in one file or several, and the file that holds all of them.
    #[test]
    fn every_form_of_a_configuration_tells_the_same() {
        let list = json!({"trailList": [described()]});
        let whole = json!({"Account": "012345678901", "Trails": [
            {"Trail": described(), "EventSelectors": selectors(), "Status": {"IsLogging": true}}]});
        let expected = read(&[list.to_string(), selectors().to_string()]);
        assert_eq!(read(&[format!("{}\n{}", selectors(), list)]), expected);
        assert_eq!(read(&[whole.to_string()]), expected);
        let trail = &expected.trails[ARN];
        assert_eq!(trail.account.as_str(), "012345678901");
        assert_eq!(trail.place(), "s3://logs/trails/AWSLogs/");
        assert!(trail.selectors.as_ref().unwrap().records_management(Kind::Read, &[]).is_ok());
    }

    /// S24: no selectors means all management events only where the trail says that it has none of its own.
    #[test]
    fn selectors_that_are_not_given_are_not_known() {
        let custom = read(&[json!({"trailList": [described()]}).to_string()]);
        assert!(custom.trails[ARN].selectors.is_err());
        let mut plain = described();
        plain["HasCustomEventSelectors"] = json!(false);
        assert!(read(&[json!({"trailList": [plain]}).to_string()]).trails[ARN].selectors.is_ok());
    }

    /// S24: what one description tells of a trail's status another one does not take away.
    #[test]
    fn descriptions_of_one_trail_are_merged() {
        let off = json!({"Trails": [{"Trail": described(), "EventSelectors": selectors(),
            "Status": {"IsLogging": false, "StopLoggingTime": "2026-06-01T00:00:00Z"}}]});
        let mut plain = described();
        plain["HasCustomEventSelectors"] = json!(false);
        let list = json!({"trailList": [plain]});
        for files in [[off.to_string(), list.to_string()], [list.to_string(), off.to_string()]] {
            let configuration = read(&files);
            let trail = &configuration.trails[ARN];
            assert_eq!(trail.off_since, parse_time("2026-06-01"));
            assert!(trail.selectors.is_ok());
        }
    }

    #[test]
    fn an_account_that_was_not_asked_has_no_answer() {
        let configuration = read(&[json!({"Account": "111122223333", "Trails": []}).to_string()]);
        assert_eq!(configuration.of(AccountId::parse("111122223333").unwrap()), Some(Vec::new()));
        assert_eq!(configuration.of(AccountId::parse("444455556666").unwrap()), None);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let refuse = |json: &str| Configuration::default().add(json).unwrap_err();
        assert_eq!(refuse("{}"), ConfigurationError::Shape);
        assert_eq!(refuse("{\"trailList\":[{}]}"), ConfigurationError::Trail(1));
        assert!(matches!(refuse(""), ConfigurationError::Json(_)));
        assert!(matches!(refuse("{"), ConfigurationError::Json(_)));
    }
}
