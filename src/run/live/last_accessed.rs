//! Action-level last-accessed details, role by role: a job is started, waited for, and its answer read to the end.

use std::time::Duration;

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput as Details;
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, JobStatusType, ServiceLastAccessed};
use serde_json::Value;

use super::at_once::at_once;
use super::login::Login;
use super::pages::Pages;
use super::refusal::Refusal;
use super::shape::{list, object, text, time};

const GENERATE: &str = "iam:GenerateServiceLastAccessedDetails";
const GET: &str = "iam:GetServiceLastAccessedDetails";
/// Roles that are asked about at the same time; IAM throttles these calls by account.
const AT_ONCE: usize = 4;
/// How often a job is asked for before that is given up, waiting longer each time up to [`LONGEST`].
const POLLS: u32 = 60;
const LONGEST: Duration = Duration::from_secs(5);

/// The details of each role that has some, and what was refused about the others.
pub(super) async fn fetch(login: &Login, roles: Vec<String>) -> (Vec<Value>, Vec<Refusal>) {
    let client = login.iam();
    let ask = |role| {
        login.tell(GENERATE);
        of_role(client.clone(), role)
    };
    let answers = at_once(roles, AT_ONCE, ask).await;
    let (mut details, mut refused) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(detail) => details.push(detail),
            Err(refusal) => refused.push(refusal),
        }
    }
    (details, refused)
}

/// The refusal of an account whose roles are not known.
pub(super) fn unknown_roles() -> Refusal {
    Refusal::new(GENERATE, "no inventory tells which roles to ask about", "see to it that the inventory can be read")
}

async fn of_role(client: Client, role: String) -> Result<Value, Refusal> {
    let level = AccessAdvisorUsageGranularityType::ActionLevel;
    let answer = client.generate_service_last_accessed_details().arn(&role).granularity(level).send().await;
    let job = answer.map_err(|error| Refusal::of(GENERATE, &error).about(&role))?.job_id;
    let job = job.ok_or_else(|| Refusal::new(GENERATE, format!("{role}: the answer names no job"), "try again"))?;
    let first = finished(&client, &job).await.map_err(|refusal| refusal.about(&role))?;
    let mut services: Vec<Value> = first.services_last_accessed().iter().map(service).collect();
    let mut pages = Pages::of(GET);
    let mut marker = pages.next_of(first.is_truncated(), first.marker())?;
    while let Some(next) = marker {
        let answer = client.get_service_last_accessed_details().job_id(&job).marker(next).send().await;
        let page = answer.map_err(|error| Refusal::of(GET, &error).about(&role))?;
        services.extend(page.services_last_accessed().iter().map(service));
        marker = pages.next_of(page.is_truncated(), page.marker()).map_err(|refusal| refusal.about(&role))?;
    }
    let details = object([
        ("JobStatus", text(Some(first.job_status().as_str()))),
        ("JobType", text(first.job_type().map(|kind| kind.as_str()))),
        ("JobCreationDate", time(Some(first.job_creation_date()))),
        ("JobCompletionDate", time(Some(first.job_completion_date()))),
        ("ServicesLastAccessed", Some(Value::Array(services))),
    ]);
    Ok(object([("Arn", text(Some(&role))), ("Details", Some(details))]))
}

/// The first page of a job that is done.
async fn finished(client: &Client, job: &str) -> Result<Details, Refusal> {
    let mut pause = Duration::from_millis(250);
    for _ in 0..POLLS {
        let answer = client.get_service_last_accessed_details().job_id(job).send().await;
        let answer = answer.map_err(|error| Refusal::of(GET, &error))?;
        match answer.job_status() {
            JobStatusType::Completed => return Ok(answer),
            JobStatusType::Failed => {
                let error = answer.error().map_or("no reason given", |error| error.message());
                return Err(Refusal::new(GET, format!("the job failed: {error}"), "try again later"));
            }
            _ => tokio::time::sleep(pause).await,
        }
        pause = LONGEST.min(pause * 2);
    }
    Err(Refusal::new(GET, format!("the job is not done after {POLLS} requests"), "try again later"))
}

fn service(service: &ServiceLastAccessed) -> Value {
    let tracked = list(service.tracked_actions_last_accessed(), |action| {
        object([
            ("ActionName", text(action.action_name())),
            ("LastAccessedEntity", text(action.last_accessed_entity())),
            ("LastAccessedTime", time(action.last_accessed_time())),
            ("LastAccessedRegion", text(action.last_accessed_region())),
        ])
    });
    object([
        ("ServiceName", text(Some(service.service_name()))),
        ("LastAuthenticated", time(service.last_authenticated())),
        ("ServiceNamespace", text(Some(service.service_namespace()))),
        ("LastAuthenticatedEntity", text(service.last_authenticated_entity())),
        ("LastAuthenticatedRegion", text(service.last_authenticated_region())),
        ("TotalAuthenticatedEntities", service.total_authenticated_entities().map(Value::from)),
        ("TrackedActionsLastAccessed", tracked),
    ])
}
