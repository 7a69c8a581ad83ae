//! The shape of one record: CloudTrail's fields in CloudTrail's order, written straight into a buffer.
//!
//! Session tokens are synthetic and all contain [`TOKEN_MARK`], so that a test can look for them where none may be.

use super::apis::Api;
use super::clock::write_time;
use super::rng::Rng;
use super::templates::Outcome;

/// Stands in every session token.
pub(crate) const TOKEN_MARK: &str = "SYNTHETICSESSIONTOKEN";

/// Everything that a record says, apart from its drawn ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) time: i64,
    /// The `userIdentity` object.
    pub(crate) identity: &'a str,
    pub(crate) api: &'a Api,
    /// `eventName`, where it is another than the API's (`AssumeRoleWithSAML`, ...).
    pub(crate) event: Option<&'a str>,
    pub(crate) outcome: Outcome,
    pub(crate) address: &'a str,
    pub(crate) agent: &'a str,
    /// The service through which the call came: `invokedBy`, source address and agent.
    pub(crate) via: Option<&'a str>,
    /// `requestParameters`, where they are others than the API's template.
    pub(crate) params: Option<&'a str>,
    /// `responseElements`, where there are some.
    pub(crate) response: Option<&'a str>,
    /// `resources`, where they are others than the API's template.
    pub(crate) resources: Option<&'a str>,
    pub(crate) shared_event_id: Option<&'a str>,
    /// The caller's ARN, for the message of a denial.
    pub(crate) caller: &'a str,
}

const VERSIONS: [&str; 4] = ["1.08", "1.09", "1.10", "1.11"];

/// Appends the record as one JSON object.
pub(crate) fn write(out: &mut Vec<u8>, rng: &mut Rng, record: &Record<'_>) {
    let put = |out: &mut Vec<u8>, parts: &[&str]| parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
    let api = record.api;
    let version = rng.pick(&VERSIONS).copied().unwrap_or("1.11");
    put(out, &[r#"{"eventVersion":""#, version, r#"","userIdentity":"#]);
    match record.via {
        Some(service) => {
            let open = record.identity.strip_suffix('}').unwrap_or(record.identity);
            put(out, &[open, r#","invokedBy":""#, service, "\"}"]);
        }
        None => put(out, &[record.identity]),
    }
    put(out, &[r#","eventTime":""#]);
    write_time(out, record.time);
    put(out, &[r#"","eventSource":""#, api.source, r#".amazonaws.com","eventName":""#]);
    put(out, &[record.event.unwrap_or(api.event), r#"","awsRegion":""#, record.region]);
    put(out, &[r#"","sourceIPAddress":""#, record.via.unwrap_or(record.address)]);
    put(out, &[r#"","userAgent":""#, record.via.unwrap_or(record.agent), "\""]);
    write_error(out, record);
    put(out, &[r#","requestParameters":"#]);
    write_template(out, rng, record.params.unwrap_or(api.params), record);
    put(out, &[r#","responseElements":"#]);
    match record.response {
        Some(response) => put(out, &[response]),
        None if api.event_type == "AwsConsoleSignIn" => put(out, &[r#"{"ConsoleLogin":"Success"}"#]),
        None if api.event_type == "AwsServiceEvent" => put(out, &["null"]),
        None if api.read || record.outcome != Outcome::Ok => put(out, &["null"]),
        None => put(out, &[r#"{"_return":true}"#]),
    }
    put(out, &[r#","requestID":""#]);
    rng.base32(out, 16);
    put(out, &[r#"","eventID":""#]);
    rng.uuid(out);
    put(out, &[r#"","readOnly":"#, if api.read || api.source == "sts" { "true" } else { "false" }]);
    let resources = record.resources.unwrap_or(api.resources);
    if !resources.is_empty() {
        put(out, &[r#","resources":"#]);
        write_template(out, rng, resources, record);
    }
    put(
        out,
        &[r#","eventType":""#, api.event_type, r#"","managementEvent":"#, if api.data { "false" } else { "true" }],
    );
    put(out, &[r#","recipientAccountId":""#, record.account, "\""]);
    if let Some(id) = record.shared_event_id {
        put(out, &[r#","sharedEventID":""#, id, "\""]);
    }
    put(out, &[r#","eventCategory":""#, if api.data { "Data" } else { "Management" }, "\""]);
    if record.via.is_none() && record.address != record.agent {
        put(out, &[r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","#]);
        put(out, &[r#""clientProvidedHostHeader":""#, api.source, ".", record.region, ".amazonaws.com\"}"]);
    }
    out.push(b'}');
}

fn write_error(out: &mut Vec<u8>, record: &Record<'_>) {
    let api = record.api;
    let text = match record.outcome {
        Outcome::Ok => return,
        Outcome::AccessDenied => format!(
            r#","errorCode":"AccessDenied","errorMessage":"User: {} is not authorized to perform: {} because no identity-based policy allows the {} action""#,
            record.caller, api.action, api.action
        ),
        Outcome::Unauthorized => format!(
            r#","errorCode":"Client.UnauthorizedOperation","errorMessage":"You are not authorized to perform this operation. User: {} is not authorized to perform: {} because no identity-based policy allows the {} action""#,
            record.caller, api.action, api.action
        ),
        Outcome::Throttled => r#","errorCode":"ThrottlingException","errorMessage":"Rate exceeded""#.to_owned(),
        Outcome::NotFound => {
            r#","errorCode":"ResourceNotFoundException","errorMessage":"The requested resource was not found""#.to_owned()
        }
        Outcome::DryRun => r#","errorCode":"Client.DryRunOperation","errorMessage":"Request would have succeeded, but DryRun flag is set.""#.to_owned(),
    };
    out.extend_from_slice(text.as_bytes());
}

/// Copies the template, `%a %r %b %i` filled in.
fn write_template(out: &mut Vec<u8>, rng: &mut Rng, template: &str, record: &Record<'_>) {
    let mut parts = template.split('%');
    out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (letter, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        match letter {
            "a" => out.extend_from_slice(record.account.as_bytes()),
            "r" => out.extend_from_slice(record.region.as_bytes()),
            "b" => {
                out.extend_from_slice(b"acme-export-");
                out.extend_from_slice(record.account.as_bytes());
            }
            "i" => rng.hex(out, 17),
            _ => out.extend_from_slice(letter.as_bytes()),
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::apis;
    use super::*;

    /// S21: every outcome gives a JSON record with the error code that names it.
    #[test]
    fn records_are_json_with_the_error_of_their_outcome() {
        let (_, api) = apis::find("ec2:StopInstances").unwrap();
        let cases = [
            (Outcome::Ok, None),
            (Outcome::AccessDenied, Some("AccessDenied")),
            (Outcome::Unauthorized, Some("Client.UnauthorizedOperation")),
            (Outcome::Throttled, Some("ThrottlingException")),
            (Outcome::NotFound, Some("ResourceNotFoundException")),
            (Outcome::DryRun, Some("Client.DryRunOperation")),
        ];
        for (outcome, code) in cases {
            let mut out = Vec::new();
            let record = Record {
                account: "012345678901",
                region: "eu-west-1",
                time: 1_777_593_600,
                identity: r#"{"type":"AWSService"}"#,
                api,
                event: None,
                outcome,
                address: "192.0.2.1",
                agent: "agent",
                via: Some("ssm.amazonaws.com"),
                params: None,
                response: None,
                resources: None,
                shared_event_id: Some("x"),
                caller: "arn:aws:iam::012345678901:user/x",
            };
            write(&mut out, &mut Rng::new(1, "record"), &record);
            let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(json["errorCode"].as_str(), code);
            assert_eq!(json["userIdentity"]["invokedBy"], "ssm.amazonaws.com");
            assert_eq!(json["eventTime"], "2026-05-01T00:00:00Z");
        }
    }
}
