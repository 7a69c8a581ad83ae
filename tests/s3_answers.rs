//! What the program makes of a bucket's answers: each refusal before the work is one line that names the call and the
//! fix, each refusal of an object is coverage, and the options for S3 do what they say.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its answers has failed")]

mod bucket;
mod bundled;
mod folders;

use std::sync::{Arc, Mutex};

use assert_cmd::Command;

use bucket::{Answer, Objects, Request, Server, answer};
use bundled::folder;

/// How a run ended: exit code, standard output, standard error.
type Ended = (i32, String, String);

/// Runs the program with credentials and nothing else in its environment.
fn run(arguments: &[&str]) -> Ended {
    run_with(arguments, &[("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
}

fn run_with(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let nothing = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
    ];
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    command.env_clear().envs(nothing).envs(environment.iter().copied()).args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The arguments that lead to a server on loopback.
fn at(server: &Server) -> [&str; 5] {
    ["--endpoint-url", &server.url, "--force-path-style", "--region-name", "us-east-1"]
}

/// `plan` of a bucket whose every answer is the same.
fn planned(refusal: Answer) -> Ended {
    let server = Server::start(move |_| refusal.clone());
    run(&[&["plan", "s3://trail/logs"][..], &at(&server)].concat())
}

fn small_trail() -> Objects {
    let mut objects = folders::files(&folder("holes"));
    objects.retain(|key, _| key.contains("/CloudTrail/"));
    objects
}

#[test]
fn a_refusal_before_the_work_is_one_line_with_the_call_and_the_fix() {
    let check = |(status, code, message): (u16, &str, &str), what: &str, fix: &str| {
        let (exit, stdout, stderr) = planned(Answer::error(status, code, message));
        let expected = format!("error: cannot list `s3://trail/logs`: ListObjectsV2: {what}; {fix}\n");
        assert_eq!((exit, stdout.as_str(), stderr), (2, "", expected), "{code}");
    };
    let sign_in = "sign in again, for example with `aws sso login`";
    check((404, "NoSuchBucket", ""), "there is no such bucket", "check the name after `s3://`");
    let allow = "allow `s3:ListBucket` on the bucket, or use other credentials";
    check((403, "AccessDenied", "Access Denied"), "access denied: `s3:ListBucket` is missing", allow);
    check((400, "ExpiredToken", "The provided token has expired."), "the credentials have expired", sign_in);
    let whose = "check AWS_PROFILE, --profile and AWS_ACCESS_KEY_ID";
    check((403, "InvalidAccessKeyId", ""), "AWS does not know these credentials", whose);
    let secret = "check the secret access key and --endpoint-url";
    check((403, "SignatureDoesNotMatch", ""), "the signature does not match", secret);
    check((403, "RequestTimeTooSkewed", ""), "the clock of this machine is wrong", "set the clock");
    let region = "give its Region with --region-name";
    check((301, "PermanentRedirect", ""), "the bucket is in another Region", region);
    check((400, "AuthorizationHeaderMalformed", ""), "the bucket is in another Region", region);
    let again = "check the network and the endpoint, and run again";
    check((503, "SlowDown", ""), "SlowDown (HTTP 503) (4 attempts)", again);
    check((418, "Teapot", ""), "Teapot (HTTP 418)", "check the bucket, --endpoint-url and your permissions");
}

#[test]
fn an_endpoint_that_does_not_answer_is_named() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let plan = ["plan", "s3://trail", "--force-path-style", "--region-name", "us-east-1", "--endpoint-url"];
    let (exit, _, stderr) = run(&[&plan[..], &[&url]].concat());
    assert_eq!((exit, stderr.contains("no connection: Connection refused")), (2, true), "{stderr}");
    let (exit, _, stderr) = run(&[&plan[..], &["127.0.0.1:1"]].concat());
    assert_eq!((exit, stderr.contains("write --endpoint-url as")), (2, true), "{stderr}");
    let nonsense = Server::start(|_| Answer::of(200, "<html>It works!</html>"));
    let (exit, _, stderr) = run(&[&plan[..], &[&nonsense.url]].concat());
    assert_eq!((exit, stderr.contains("makes no sense (4 attempts)")), (2, true), "{stderr}");
}

#[test]
fn without_credentials_the_error_says_how_to_get_some() {
    let server = Server::start(|request| answer(&small_trail(), request));
    let arguments = [&["plan", "s3://trail", "--progress", "none"][..], &at(&server)].concat();
    let (exit, _, stderr) = run_with(&arguments, &[]);
    assert_eq!((exit, stderr.lines().count()), (2, 1), "{stderr}");
    assert!(stderr.contains("ListObjectsV2: no credentials: no credentials found in chain; sign in"), "{stderr}");
    let (exit, stdout, stderr) = run_with(&[&arguments[..], &["--no-sign-request"]].concat(), &[]);
    assert_eq!((exit, stdout.contains("objects")), (0, true), "{stderr}");
}

#[test]
fn a_place_that_is_none_is_refused() {
    for (place, fix) in [("s3://", "s3://bucket/prefix"), ("s3://a//b", "s3://bucket/prefix"), ("gs://trail", "`gs`")] {
        let (exit, _, stderr) = run(&["plan", place]);
        assert_eq!((exit, stderr.contains(fix), stderr.lines().count()), (2, true, 1), "{place}: {stderr}");
    }
}

/// The answers of a server that writes down what it was asked.
fn recorded(arguments: &[&str], behave: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Ended, Vec<Request>) {
    let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let server = Server::start(move |request| {
        seen.lock().unwrap().push(request.clone());
        behave(request)
    });
    let ended = run(&[arguments, &at(&server)].concat());
    let asked = asked.lock().unwrap().clone();
    (ended, asked)
}

#[test]
fn the_bucket_is_asked_in_the_region_that_it_is_in() {
    let trail = small_trail();
    let (ended, asked) = recorded(&["plan", "s3://trail"], move |request| {
        let here = request.headers["authorization"].contains("/eu-central-1/s3/");
        let mut elsewhere = Answer::error(301, "PermanentRedirect", "");
        elsewhere.headers.push(("x-amz-bucket-region", "eu-central-1".to_owned()));
        if here { answer(&trail, request) } else { elsewhere }
    });
    assert_eq!(ended.0, 0, "{}", ended.2);
    let wrong = asked.iter().filter(|request| !request.headers["authorization"].contains("/eu-central-1/"));
    assert_eq!(wrong.count(), 1, "asked in the wrong Region more than once");
}

#[test]
fn requests_are_signed_and_paid_as_asked() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("out");
    let analyze = ["analyze", "s3://trail", "--quiet", "--out", out.to_str().unwrap()];
    let asked = |more: &[&str]| {
        let trail = small_trail();
        let (ended, asked) = recorded(&[&analyze[..], more].concat(), move |request| answer(&trail, request));
        assert_eq!(ended.0, 0, "{}", ended.2);
        assert!(
            asked.iter().any(|request| request.key.is_empty()) && asked.iter().any(|request| !request.key.is_empty())
        );
        asked
    };
    let all = |asked: &[Request], header: &str| asked.iter().all(|request| request.headers.contains_key(header));
    let none = |asked: &[Request], header: &str| !asked.iter().any(|request| request.headers.contains_key(header));
    let plain = asked(&[]);
    assert!(all(&plain, "authorization") && none(&plain, "x-amz-request-payer"));
    let unsigned = asked(&["--no-sign-request"]);
    assert!(none(&unsigned, "authorization"));
    let paid = asked(&["--request-payer"]);
    assert!(paid.iter().all(|request| request.headers["x-amz-request-payer"] == "requester"));
}

#[test]
fn a_window_without_objects_is_said_to_be_that() {
    let planned = |window: &[&str]| {
        let mut trail = small_trail();
        trail.insert("notes.txt".to_owned(), Vec::new());
        trail.insert("notes.json".to_owned(), Vec::new());
        recorded(&[&["plan", "s3://trail"], window].concat(), move |request| answer(&trail, request))
    };
    let (ended, _) = planned(&["--since", "2030-01-01"]);
    let what = "error: the trail holds no object in the window, accounts and Regions asked for; widen";
    assert!(ended.0 == 2 && ended.2.starts_with(what), "{}", ended.2);
    let (ended, asked) = planned(&["--since", "2030-01-02", "--until", "2030-01-01"]);
    assert!(ended.0 == 2 && ended.2.contains("is not before"), "{}", ended.2);
    assert_eq!(asked.len(), 1, "listed although the dates contradict each other");
}

/// S6: objects that S3 refuses are coverage, each with a reason that a person understands; the rest is read, exit code 3.
#[test]
fn objects_that_are_refused_are_coverage() {
    let trail = small_trail();
    let keys: Vec<String> = trail.keys().step_by(3).take(5).cloned().collect();
    let kms = "User: x is not authorized to perform: kms:Decrypt on this resource";
    let refusals = [
        Answer::error(403, "AccessDenied", "Access Denied"),
        Answer::error(403, "AccessDenied", kms),
        Answer::error(403, "InvalidObjectState", "The operation is not valid for the object's storage class"),
        Answer::error(404, "NoSuchKey", ""),
        Answer::error(400, "KMS.DisabledException", ""),
    ];
    let reasons = [
        "GetObject: access denied: `s3:GetObject` is missing",
        "GetObject: access denied by KMS: `kms:Decrypt` on the object's key is missing",
        "GetObject: archived (Glacier or Deep Archive), it must be restored before it can be read",
        "does not exist",
        "GetObject: the object's KMS key cannot be used (KMS.DisabledException)",
    ];
    let (folder, refused) = (tempfile::tempdir().unwrap(), keys.clone());
    let out = folder.path().join("out");
    let arguments = ["analyze", "s3://trail", "--out", out.to_str().unwrap()];
    let count = trail.len();
    let (ended, _) = recorded(&arguments, move |request| {
        let refused = refused.iter().position(|key| *key == request.key);
        refused.map_or_else(|| answer(&trail, request), |at| refusals[at].clone())
    });
    assert_eq!(ended.0, 3, "{}", ended.2);
    let report = folders::json_file(&out.join("report.json"));
    let failed = report["coverage"]["objects"]["failed"].as_array().unwrap();
    let failed: Vec<(&str, &str)> =
        failed.iter().map(|object| (object["key"].as_str().unwrap(), object["reason"].as_str().unwrap())).collect();
    let expected: Vec<(&str, &str)> = keys.iter().map(String::as_str).zip(reasons).collect();
    assert_eq!(failed, expected);
    assert_eq!(report["coverage"]["objects"]["read"], count - keys.len());
    assert!(ended.1.contains("coverage is INCOMPLETE: 5 objects"), "{}", ended.1);
}
