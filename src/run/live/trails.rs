//! The trails of one account with their event selectors and status, each asked in its home Region.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{AdvancedFieldSelector, EventSelector, Trail};
use serde_json::{Value, json};

use crate::aws::Arn;

use super::login::Login;
use super::pages::Pages;
use super::refusal::Refusal;
use super::shape::{list, object, text, texts, time};

const LIST: &str = "cloudtrail:ListTrails";
const DESCRIBE: &str = "cloudtrail:DescribeTrails";
const SELECTORS: &str = "cloudtrail:GetEventSelectors";
const STATUS: &str = "cloudtrail:GetTrailStatus";

/// All trails that record the account, and what was refused about single ones.
///
/// `DescribeTrails` shows the trails of all Regions and of the organization, but of the others only those of the Region
/// that was asked; `ListTrails` names them all, those of the organization apart.
pub(super) async fn fetch(login: &Login) -> Result<(Vec<Value>, Vec<Refusal>), Refusal> {
    let mut trails: BTreeMap<String, Trail> = BTreeMap::new();
    login.tell(DESCRIBE);
    add(&mut trails, describe(&login.cloudtrail(None), Vec::new()).await?);
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (arn, region) in listed(&login.cloudtrail(None)).await? {
        if !trails.contains_key(&arn) {
            missing.entry(region).or_default().insert(arn);
        }
    }
    for (region, arns) in missing {
        let found = describe(&login.cloudtrail(Some(&region)), arns.iter().cloned().collect()).await?;
        add(&mut trails, found);
        if let Some(lost) = arns.iter().find(|arn| !trails.contains_key(*arn)) {
            let what = format!("{lost} is listed, but not described");
            return Err(Refusal::new(DESCRIBE, what, "try again: it may have been deleted meanwhile"));
        }
    }
    let (mut shown, mut refused) = (Vec::new(), Vec::new());
    for (arn, trail) in &trails {
        login.tell(SELECTORS);
        let client = login.cloudtrail(trail.home_region());
        let mut told = Vec::new();
        let mut keep = |answer: Result<Value, Refusal>| answer.map_err(|refusal| told.push(refusal.about(arn))).ok();
        let (selectors, status) = (keep(selectors(&client, arn).await), keep(status(&client, arn).await));
        // A member sees the organization's trail, and may be refused the rest; its owner is the one to ask. Until it was,
        // nobody knows what the trail records, and the judgement says so.
        let is_own = Arn::parse(arn).and_then(|arn| arn.account_id()) == Some(login.account());
        let left_out: Vec<String> = told.iter().map(|refusal| format!("{}: {}", refusal.call, refusal.what)).collect();
        shown.push(object([
            ("Trail", Some(described(trail))),
            ("EventSelectors", selectors),
            ("Status", status),
            ("Refused", (!left_out.is_empty()).then(|| Value::from(left_out))),
        ]));
        refused.extend(told.into_iter().filter(|_| is_own));
    }
    Ok((shown, refused))
}

fn add(trails: &mut BTreeMap<String, Trail>, found: Vec<Trail>) {
    trails.extend(found.into_iter().filter_map(|trail| Some((trail.trail_arn.clone()?, trail))));
}

async fn listed(client: &Client) -> Result<Vec<(String, String)>, Refusal> {
    let mut found = Vec::new();
    let (mut pages, mut token) = (Pages::of(LIST), None);
    loop {
        let answer = client.list_trails().set_next_token(token).send().await;
        let page = answer.map_err(|error| Refusal::of(LIST, &error))?;
        let named = page.trails().iter();
        found.extend(named.filter_map(|trail| Some((trail.trail_arn.clone()?, trail.home_region.clone()?))));
        token = pages.next(page.next_token())?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

async fn describe(client: &Client, arns: Vec<String>) -> Result<Vec<Trail>, Refusal> {
    let names = (!arns.is_empty()).then_some(arns);
    let answer = client.describe_trails().set_trail_name_list(names).include_shadow_trails(true).send().await;
    answer.map(|answer| answer.trail_list.unwrap_or_default()).map_err(|error| Refusal::of(DESCRIBE, &error))
}

fn described(trail: &Trail) -> Value {
    let flag = |flag: Option<bool>| flag.map(Value::from);
    object([
        ("Name", text(trail.name())),
        ("S3BucketName", text(trail.s3_bucket_name())),
        ("S3KeyPrefix", text(trail.s3_key_prefix())),
        ("IncludeGlobalServiceEvents", flag(trail.include_global_service_events())),
        ("IsMultiRegionTrail", flag(trail.is_multi_region_trail())),
        ("HomeRegion", text(trail.home_region())),
        ("TrailARN", text(trail.trail_arn())),
        ("LogFileValidationEnabled", flag(trail.log_file_validation_enabled())),
        ("HasCustomEventSelectors", flag(trail.has_custom_event_selectors())),
        ("IsOrganizationTrail", flag(trail.is_organization_trail())),
    ])
}

async fn selectors(client: &Client, arn: &str) -> Result<Value, Refusal> {
    let answer = client.get_event_selectors().trail_name(arn).send().await;
    let answer = answer.map_err(|error| Refusal::of(SELECTORS, &error))?;
    let advanced = |selector: &aws_sdk_cloudtrail::types::AdvancedEventSelector| {
        json!({"Name": selector.name(),
            "FieldSelectors": selector.field_selectors().iter().map(field).collect::<Vec<_>>()})
    };
    Ok(object([
        ("TrailARN", text(answer.trail_arn())),
        ("EventSelectors", list(answer.event_selectors(), basic)),
        ("AdvancedEventSelectors", list(answer.advanced_event_selectors(), advanced)),
    ]))
}

fn basic(selector: &EventSelector) -> Value {
    let resources = list(selector.data_resources(), |resource| {
        object([("Type", text(resource.r#type())), ("Values", texts(resource.values()))])
    });
    object([
        ("ReadWriteType", text(selector.read_write_type().map(|kind| kind.as_str()))),
        ("IncludeManagementEvents", selector.include_management_events().map(Value::from)),
        ("DataResources", resources),
        ("ExcludeManagementEventSources", texts(selector.exclude_management_event_sources())),
    ])
}

fn field(selector: &AdvancedFieldSelector) -> Value {
    let values = |values: &[String]| if values.is_empty() { None } else { texts(values) };
    object([
        ("Field", text(Some(selector.field()))),
        ("Equals", values(selector.equals())),
        ("StartsWith", values(selector.starts_with())),
        ("EndsWith", values(selector.ends_with())),
        ("NotEquals", values(selector.not_equals())),
        ("NotStartsWith", values(selector.not_starts_with())),
        ("NotEndsWith", values(selector.not_ends_with())),
    ])
}

async fn status(client: &Client, arn: &str) -> Result<Value, Refusal> {
    let answer = client.get_trail_status().name(arn).send().await;
    let answer = answer.map_err(|error| Refusal::of(STATUS, &error))?;
    Ok(object([
        ("IsLogging", answer.is_logging().map(Value::from)),
        ("LatestDeliveryError", text(answer.latest_delivery_error())),
        ("StartLoggingTime", time(answer.start_logging_time())),
        ("StopLoggingTime", time(answer.stop_logging_time())),
    ]))
}
