//! Digests in a bucket: their signatures come from metadata, and only as many as are needed.

use std::sync::{Arc, Mutex};

use serde_json::json;
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::plan::Request;
use thirdtrail::store::aws::Aws;
use thirdtrail::store::s3::{Manner, S3Store};

use crate::bucket::{Answer, Objects, Server, answer};
use crate::signed::{BUCKET, PREFIX};
use crate::verified::{Way, chains, report_from, sound};

/// S3: read from a bucket, a sound trail is verified to its newest digest, whole or by window; metadata is asked for once
/// for each chain.
#[test]
fn a_bucket_has_the_newest_signatures_too() {
    let trail = sound();
    let objects: Objects = trail.files.iter().map(|(key, bytes)| (format!("{PREFIX}{key}"), bytes.clone())).collect();
    let (signatures, asked) = (trail.signatures.clone(), Arc::new(Mutex::new(Vec::new())));
    let heads = Arc::clone(&asked);
    let server = Server::start(move |request| {
        if request.method != "HEAD" {
            return answer(&objects, request);
        }
        heads.lock().unwrap().push(request.key.clone());
        let signature = signatures.get(request.key.strip_prefix(PREFIX).unwrap()).unwrap().clone();
        let headers =
            vec![("x-amz-meta-signature", signature), ("x-amz-meta-signature-algorithm", "SHA256withRSA".into())];
        Answer { headers, ..Answer::of(200, "") }
    });
    let store = S3Store::open(Aws::connect(&server.aws()).unwrap(), BUCKET, PREFIX, None, Manner::default()).unwrap();
    let way = Way { metadata: true, jobs: 2, keys: Some(trail.keys.clone()) };
    let window = Request { since: parse_time("2026-05-02"), until: parse_time("2026-05-03"), ..Request::default() };
    for request in [Request::default(), window] {
        let report = report_from(&store, &way, request.clone()).unwrap();
        let integrity = &report["coverage"]["integrity"];
        assert_eq!((&integrity["intact"], &integrity["gaps"]), (&json!(true), &json!([])), "{request:?}");
        assert_eq!(integrity["digests"]["read"], integrity["digests"]["verified"], "{request:?}");
        assert_eq!(integrity["objects"]["verified"], report["coverage"]["objects"]["read"], "{request:?}");
        let heads = std::mem::take(&mut *asked.lock().unwrap());
        assert_eq!(heads.len(), chains(&trail).len(), "{request:?}: {heads:?}");
    }
}
