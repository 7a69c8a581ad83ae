//! The commands that work on lines (`map`, `policy`), and `plan` and `generate`: what scripts pipe.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot run the program has failed")]

mod bundled;
mod folders;
mod program;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use folders::files;
use program::{run, run_with};

/// Exit code and one JSON value a line.
fn lines(arguments: &[&str], input: &[String]) -> (i32, Vec<Value>) {
    let done = run_with(arguments, &input.join("\n"));
    assert_eq!(done.stderr, "");
    (done.code, done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn vendors() -> String {
    bundled::folder("vendors").display().to_string()
}

#[test]
fn plan_tells_what_would_be_read() {
    let done = run(&["plan", &vendors()]);
    assert_eq!(done.code, 0);
    for part in ["days     2026-", "to read  379 objects", "skipped  18 digest", "012345678901  us-east-1"] {
        assert!(done.stdout.contains(part), "{part} is not in\n{}", done.stdout);
    }
    let done = run(&["plan", &vendors(), "--format", "json"]);
    assert_eq!(done.code, 0);
    let plan: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&plan["read"]["objects"], &plan["skipped"]["digest"]), (&json!(379), &json!(18)));
    let listed = plan["listed"].as_u64().unwrap();
    let skipped: u64 = plan["skipped"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(listed, 379 + skipped);
    let objects = plan["objects"].as_array().unwrap();
    let bytes: u64 = objects.iter().map(|object| object["bytes"].as_u64().unwrap()).sum();
    assert_eq!((objects.len(), bytes), (379, plan["read"]["bytes"].as_u64().unwrap()));
    let places: u64 = plan["places"].as_array().unwrap().iter().map(|place| place["objects"].as_u64().unwrap()).sum();
    assert_eq!(places, 379);
    let done = run(&["plan", &vendors(), "--format", "json", "--account", "333344445555"]);
    let one: Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(one["read"]["objects"].as_u64().unwrap() < 379 && one["skipped"]["account"].as_u64().unwrap() > 0);
}

/// S26: holes that keys show, and what reading would cost, are told before anything is read.
#[test]
fn plan_tells_holes_and_costs() {
    let holes = bundled::folder("holes").display().to_string();
    let window = ["--since", "2026-05-01", "--until", "2026-06-01"];
    let done = run(&[&["plan", &holes][..], &window].concat());
    let parts =
        ["333344445555: 2 days without objects: 2026-05-09, 2026-05-10", "free within", "Athena", "us-east-1, S3"];
    for part in parts {
        assert!(done.stdout.contains(part), "{part} is not in\n{}", done.stdout);
    }
    let done = run(&[&["plan", &holes, "--format", "json"][..], &window].concat());
    let plan: Value = serde_json::from_str(&done.stdout).unwrap();
    let days = plan["days_without_objects"].as_array().unwrap();
    let of_one: Vec<&Value> = days.iter().filter(|day| day["account_id"] == "333344445555").collect();
    let hole = |day: &str| json!({"account_id": "333344445555", "day": day, "digest": false});
    assert_eq!(of_one, [&hole("2026-05-09"), &hole("2026-05-10")]);
    let (estimate, read) = (&plan["estimate"], &plan["read"]);
    assert_eq!(estimate["s3"]["get_requests"], read["objects"]);
    assert_eq!(
        (&estimate["transfer"]["bytes"], &estimate["athena"]["bytes_scanned"]),
        (&read["bytes"], &json!(10_000_000))
    );
    assert!(plan["objects"][0]["tag"].as_str().is_some_and(|tag| !tag.is_empty()), "{}", plan["objects"][0]);
}

/// S26: `plan` reads nothing, so it does not say that digests without logs show a quiet day.
#[test]
fn plan_leaves_days_with_digests_alone_open() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, day) in [("CloudTrail", "01"), ("CloudTrail-Digest", "02"), ("CloudTrail", "03")] {
        let place = folder.path().join(format!("AWSLogs/333344445555/{kind}/us-east-1/2026/05/{day}"));
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("x.json.gz"), "").unwrap();
    }
    let done = run(&["plan", folder.path().to_str().unwrap()]);
    let line = "digests  333344445555: 1 day with digests and without objects: holes unless the digests";
    assert!(done.stdout.contains(line) && !done.stdout.contains("no hole"), "{}", done.stdout);
}

fn record(name: &str, source: &str, error: Option<&str>, parameters: &Value) -> String {
    let mut record = json!({
        "eventID": format!("id-{name}"), "eventName": name, "eventSource": format!("{source}.amazonaws.com"),
        "eventTime": "2026-05-01T00:00:00Z", "awsRegion": "us-east-1", "eventType": "AwsApiCall",
        "recipientAccountId": "012345678901", "requestParameters": parameters,
        "userIdentity": {"type": "IAMUser", "accountId": "012345678901"},
    });
    if let Some(error) = error {
        record["errorCode"] = error.into();
    }
    record.to_string()
}

/// S20, S21: one answer a line, in order; a bad line is answered too, and the rest goes on.
#[test]
fn map_answers_every_line() {
    let input = [
        record("DescribeInstances", "ec2", None, &Value::Null),
        "not json".to_owned(),
        record("GetObject", "s3", Some("AccessDenied"), &json!({"bucketName": "b", "key": "k"})),
        "{\"eventSource\": \"ec2.amazonaws.com\"}".to_owned(),
        String::new(),
        record("GetCallerIdentity", "sts", None, &Value::Null),
        record("MakeCoffee", "kitchen", Some("ThrottlingException"), &Value::Null),
    ];
    let (code, answers) = lines(&["map"], &input);
    assert_eq!((code, answers.len()), (2, 6));
    for bad in [1, 3] {
        assert!(answers[bad]["error"].as_str().is_some_and(|error| !error.is_empty()), "{}", answers[bad]);
    }
    for (at, class, outcome, action) in [
        (0, "mapped", "allowed", Some("ec2:DescribeInstances")),
        (2, "mapped", "denied", Some("s3:GetObject")),
        (4, "no_iam", "allowed", None),
        (5, "unmapped", "failed", None),
    ] {
        let answer = &answers[at];
        assert_eq!((&answer["class"], &answer["outcome"]), (&json!(class), &json!(outcome)), "{answer}");
        assert!(answer["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{answer}");
        let actions = answer["actions"].as_array().unwrap();
        let primary = actions.iter().find(|action| action["certainty"] == "primary");
        assert_eq!(primary.and_then(|found| found["action"].as_str()), action, "{answer}");
    }
    assert_eq!(answers[2]["event_id"], "id-GetObject");
    assert_eq!(answers[2]["actions"][0]["resources"], json!(["arn:aws:s3:::b/k"]));
    assert_eq!(lines(&["map"], &input[..1]).0, 0);
    // A file that is missing, and a folder.
    for wrong in ["no-such-file.jsonl", env!("CARGO_MANIFEST_DIR")] {
        let done = run(&["map", wrong]);
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.lines().count()), (2, "", 1));
        assert!(done.stderr.starts_with(&format!("error: cannot read `{wrong}`")), "{}", done.stderr);
    }
}

fn request(action: &str, context: &Value) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
        {"Sid": "Home", "Effect": "Allow", "Action": "ec2:StartInstances", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
        {"Sid": "Never", "Effect": "Deny", "Action": "s3:GetObjectAcl", "Resource": "*"},
    ]});
    let request = json!({"action": action, "resource": "arn:aws:s3:::b/k", "context": context});
    json!({"policies": [policy], "boundaries": [], "request": request}).to_string()
}

/// S31, S32.
#[test]
fn policy_evaluate_decides_every_line() {
    let none = json!({});
    let input = [
        request("s3:GetObject", &none),
        request("s3:PutObject", &none),
        "[".to_owned(),
        request("s3:GetObjectAcl", &none),
        request("ec2:StartInstances", &none),
        request("ec2:StartInstances", &json!({"aws:SourceIp": "192.0.2.7"})),
        "{\"policies\": []}".to_owned(),
        json!({"policies": [{"Statement": 7}], "request": {"action": "s3:GetObject", "resource": "*"}}).to_string(),
    ];
    let decisions = |arguments: &[&str]| -> Vec<String> {
        let (code, answers) = lines(arguments, &input);
        assert_eq!((code, answers.len()), (2, input.len()));
        let decision = |answer: &Value| match answer["error"].as_str() {
            Some(_) => "error".to_owned(),
            None => answer["decision"].as_str().unwrap().to_owned(),
        };
        answers.iter().map(decision).collect()
    };
    let mut expected = [
        "allowed",
        "implicitly_denied",
        "error",
        "explicitly_denied",
        "implicitly_denied",
        "allowed",
        "error",
        "error",
    ];
    assert_eq!(decisions(&["policy", "evaluate"]), expected);
    expected[4] = "unknown";
    assert_eq!(decisions(&["policy", "evaluate", "--partial-context"]), expected);
    let (code, answers) = lines(&["policy", "evaluate"], &input[..1]);
    assert_eq!(code, 0);
    assert!(answers[0]["statements"].to_string().contains("Read"), "{}", answers[0]);
}

#[test]
fn policy_expand_lists_actions() {
    let policy = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": ["sqs:*Message", "EC2:describeinstances"], "Resource": "*"}});
    let done = run_with(&["policy", "expand"], &policy.to_string());
    let actions: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(done.code, 0);
    assert_eq!(actions, ["ec2:DescribeInstances", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]);
    let done = run_with(&["policy", "expand", "--format", "json"], &policy.to_string());
    let first: Value = serde_json::from_str(done.stdout.lines().next().unwrap()).unwrap();
    let by = json!([{"statement": "#1", "Resource": "*"}]);
    assert_eq!(first, json!({"action": "ec2:DescribeInstances", "conditional": false, "granted_by": by}));
    for bad in ["", "{", "[]", "{\"Statement\": [{\"Effect\": \"Perhaps\"}]}"] {
        let done = run_with(&["policy", "expand"], bad);
        let stderr = done.stderr;
        assert_eq!((done.code, done.stdout.as_str(), stderr.lines().count()), (2, "", 1), "{bad}: {stderr}");
        assert!(stderr.starts_with("error: cannot read the policy"), "{bad}: {stderr}");
    }
}

/// S34: what is kept stays allowed, the rest goes, and a bad line is answered.
#[test]
fn policy_rightsize_cuts() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Queues", "Effect": "Allow", "Action": "sqs:*Message", "Resource": "arn:aws:sqs:*:*:jobs"},
        {"Sid": "Never", "Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    ]});
    let input = [
        json!({"policy": policy, "keep": ["sqs:SendMessage"]}).to_string(),
        json!({"policy": policy}).to_string(),
        json!({"policy": policy, "keep": ["everything"]}).to_string(),
        json!({"policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}, "keep": []}).to_string(),
    ];
    let (code, answers) = lines(&["policy", "rightsize"], &input);
    assert_eq!((code, answers.len()), (2, 4));
    let statements = answers[0]["policy"]["Statement"].as_array().unwrap();
    assert_eq!((&statements[0]["Sid"], &statements[0]["Resource"]), (&json!("Queues"), &json!("arn:aws:sqs:*:*:jobs")));
    assert!(statements[0]["Action"].to_string().contains("sqs:SendMessage"));
    assert_eq!(statements[1], policy["Statement"][1]);
    assert_eq!(answers[0]["kept"], json!(["sqs:SendMessage"]));
    assert_eq!(answers[0]["removed"], json!(["sqs:DeleteMessage", "sqs:ReceiveMessage"]));
    assert!(answers[1]["error"].is_string() && answers[2]["error"].is_string());
    assert_eq!(answers[3]["policy"]["Statement"], json!([]));
}

/// S35: with the resources of every use, the kept actions are limited to them.
#[test]
fn policy_rightsize_narrows() {
    let statement = json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"});
    let line = |extra: Value| {
        let mut line = json!({"policy": {"Version": "2012-10-17", "Statement": statement}, "keep": ["s3:GetObject"]});
        line.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        line.to_string()
    };
    let uses = json!({"s3:GetObject": ["arn:aws:s3:::b/x/1", "arn:aws:s3:::b/x/2"]});
    let input = [
        line(json!({"uses": uses})),
        line(json!({"uses": uses, "narrow": "prefix"})),
        line(json!({"uses": uses, "narrow": "much"})),
        line(json!({"uses": ["s3:GetObject"]})),
    ];
    let (code, answers) = lines(&["policy", "rightsize"], &input);
    assert_eq!(code, 2);
    assert_eq!(answers[0]["policy"]["Statement"]["Resource"], "arn:aws:s3:::b/*");
    assert_eq!(answers[1]["policy"]["Statement"]["Resource"], "arn:aws:s3:::b/x/*");
    assert_eq!(answers[1]["narrowed"][0]["resources"], json!(["arn:aws:s3:::b/x/*"]));
    assert!(answers[2]["error"].is_string() && answers[3]["error"].is_string());
}

/// S32: session policies limit what the role may do.
#[test]
fn policy_evaluate_takes_session_policies() {
    let document = |action: &str| {
        json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": action, "Resource": "*"}})
    };
    let line = |action: &str| {
        json!({"policies": [document("s3:*")], "sessions": [document("s3:Get*")],
               "request": {"action": action, "resource": "arn:aws:s3:::b/k"}})
        .to_string()
    };
    let (code, answers) = lines(&["policy", "evaluate"], &[line("s3:GetObject"), line("s3:PutObject")]);
    assert_eq!(code, 0);
    assert_eq!((&answers[0]["decision"], &answers[1]["decision"]), (&json!("allowed"), &json!("implicitly_denied")));
}

/// S44: every answer comes before the next line is read, also after a broken line, and memory stays what it was.
#[test]
fn policy_commands_stream() {
    let policy = json!({"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}});
    let cut = json!({"policy": policy, "keep": ["sqs:SendMessage"]}).to_string();
    for (arguments, good) in
        [(["policy", "evaluate"], request("s3:GetObject", &json!({}))), (["policy", "rightsize"], cut)]
    {
        let mut program = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = program.stdin.take().unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut answer = |line: &str| -> Value {
            input.write_all(format!("{line}\n").as_bytes()).unwrap();
            serde_json::from_str(&output.next().unwrap().unwrap()).unwrap()
        };
        for bad in ["{", "\u{0}", "7", &"[".repeat(200_000)] {
            assert!(answer(bad)["error"].as_str().is_some_and(|error| !error.is_empty()), "{arguments:?}: {bad:.9}");
        }
        let first = answer(&good);
        assert!(first.get("error").is_none(), "{arguments:?}: {first}");
        let before = peak_memory_kib(program.id());
        for _ in 0..2_000 {
            assert_eq!(answer(&good), first);
        }
        let after = peak_memory_kib(program.id());
        assert!(after <= before + 4_096, "{arguments:?}: memory grew from {before} to {after} KiB");
        drop(input);
        assert_eq!(program.wait().unwrap().code(), Some(2), "{arguments:?}: a line was broken");
    }
}

/// Zero where the system does not tell.
fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// S44: a document of any size, and one that is nested as nothing should be.
#[test]
fn policy_expand_reads_documents_of_any_size() {
    let statement = json!({"Effect": "Allow", "Action": ["sqs:SendMessage", "none:*"], "Resource": "x".repeat(1_000)});
    let policy = json!({"Statement": vec![statement; 5_000]}).to_string();
    assert!(policy.len() > 5_000_000);
    let done = run_with(&["policy", "expand"], &policy);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "sqs:SendMessage\n", ""));
    let done = run_with(&["policy", "expand"], &"[".repeat(1_000_000));
    assert_eq!((done.code, done.stderr.lines().count()), (2, 1));
    assert!(done.stderr.contains("recursion limit exceeded at line 1 column 128"), "{}", done.stderr);
}

#[test]
fn generate_repeats_itself_by_seed() {
    let folder = TempDir::new().unwrap();
    let generate = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        let shown = out.display().to_string();
        let size = ["--days", "5", "--accounts", "2", "--vendors", "3", "--records", "400"];
        let arguments = [&["generate", "--out", &shown, "--seed", seed][..], &size].concat();
        let done = run(&arguments);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        assert!(done.stdout.trim_end().ends_with(&shown), "{}", done.stdout);
        let again = run(&arguments);
        assert_eq!((again.code, again.stderr.lines().count()), (2, 1), "a used folder must be refused");
        files(&out)
    };
    let first = generate("a", "7");
    assert!(first.len() > 5 && first.contains_key("truth.json"));
    assert!(first == generate("b", "7"), "equal seeds gave other bytes");
    assert!(first != generate("c", "8"), "another seed gave the same bytes");
}
