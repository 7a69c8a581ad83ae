//! Getting and putting the bytes of objects.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::time::timeout;

use super::super::StoreError;
use super::Bucket;
use super::refusal::{Call, Refusal};

/// Room that is made at once for a body; a length is only what somebody says.
const ROOM_BYTES: u64 = 64 << 20;

impl Bucket {
    /// The bytes of one object, whole, in a buffer whose room is used again.
    pub(super) async fn get(&self, key: &str, mut buffer: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let name = format!("{}{key}", self.root);
        let name = &name;
        let attempt = || {
            // An attempt that fails keeps the room; the next one makes its own.
            let mut buffer = std::mem::take(&mut buffer);
            buffer.clear();
            async move {
                let call = self.client.get_object().bucket(&self.name).key(name);
                let sent = call.set_request_payer(self.payer.clone()).send();
                let answer = self.in_time(Call::GetObject, 0, sent).await?;
                self.read(answer.map_err(|error| Refusal::of(Call::GetObject, &error))?, &mut buffer).await?;
                Ok(buffer)
            }
        };
        self.persistence.repeat(name, attempt).await
    }

    /// Reads a body to its end. One that breaks off, stalls or fails its checksum may be whole the next time.
    async fn read(&self, answer: GetObjectOutput, buffer: &mut Vec<u8>) -> Result<(), Refusal> {
        let trouble = |reason: &str| Refusal::passing(Call::GetObject, reason);
        let promised = answer.content_length().and_then(|length| u64::try_from(length).ok());
        buffer.reserve(usize::try_from(promised.unwrap_or(0).min(ROOM_BYTES)).unwrap_or(0));
        let (patience, mut body) = (self.persistence.patience(), answer.body);
        let whole = async {
            loop {
                match timeout(patience.silence, body.next()).await {
                    Err(_) => return Err(trouble("the body stalled")),
                    Ok(Some(Err(_))) => return Err(trouble("the body broke off, or its checksum is wrong")),
                    Ok(Some(Ok(bytes))) => buffer.extend_from_slice(&bytes),
                    Ok(None) => return Ok(()),
                }
            }
        };
        let longest = patience.longest_transfer(promised.unwrap_or(0));
        timeout(longest, whole).await.map_err(|_| trouble("the body comes too slowly"))??;
        match promised {
            Some(promised) if promised != buffer.len() as u64 => Err(trouble("the body is not as long as promised")),
            _ => Ok(()),
        }
    }

    /// What was stored with one object, by name in small letters.
    pub(super) async fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, Refusal> {
        let name = format!("{}{key}", self.root);
        let attempt = || async {
            let call = self.client.head_object().bucket(&self.name).key(&name);
            let asked = call.set_request_payer(self.payer.clone()).send();
            let answer = self.in_time(Call::HeadObject, 0, asked).await?;
            answer.map_err(|error| Refusal::of(Call::HeadObject, &error))
        };
        let answer = self.persistence.repeat(&name, attempt).await?;
        let pairs = answer.metadata.unwrap_or_default().into_iter();
        Ok(pairs.map(|(name, value)| (name.to_lowercase(), value)).collect())
    }

    /// Takes one object away; to S3 it is the same when there is none.
    pub(super) async fn remove(&self, key: &str) -> Result<(), Refusal> {
        let name = format!("{}{key}", self.root);
        let name = &name;
        let attempt = || async move {
            let call = self.client.delete_object().bucket(&self.name).key(name);
            let sent = call.set_request_payer(self.payer.clone()).send();
            self.in_time(Call::DeleteObject, 0, sent).await?.map_err(|e| Refusal::of(Call::DeleteObject, &e))
        };
        self.persistence.repeat(name, attempt).await.map(|_| ())
    }

    /// Writes one object: at once, or in parts that become an object when the last one is there.
    pub(super) async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let name = format!("{}{key}", self.root);
        if bytes.len() > self.manner.part_bytes {
            return self.put_in_parts(&name, bytes).await;
        }
        let name = &name;
        let attempt = || async move {
            let call = self.client.put_object().bucket(&self.name).key(name).body(ByteStream::from(bytes.to_vec()));
            let sent = call.set_request_payer(self.payer.clone()).send();
            self.in_time(Call::PutObject, bytes.len(), sent).await?.map_err(|e| Refusal::of(Call::PutObject, &e))
        };
        self.persistence.repeat(name, attempt).await.map(|_| ())
    }

    async fn put_in_parts(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let begin = || async {
            let call = self.client.create_multipart_upload().bucket(&self.name).key(name);
            let sent = call.set_request_payer(self.payer.clone()).send();
            self.in_time(Call::CreateUpload, 0, sent).await?.map_err(|e| Refusal::of(Call::CreateUpload, &e))
        };
        let upload = self.persistence.repeat(name, begin).await?;
        let Some(id) = upload.upload_id() else {
            let reason = format!("{}: the answer names no upload", Call::CreateUpload.name());
            return Err(Refusal { passing: false, region: None, error: StoreError::Other(reason) });
        };
        let done = self.upload(name, id, bytes).await;
        if done.is_err() {
            // Parts without an object cost money; what hinders this too was said already.
            let call = self.client.abort_multipart_upload().bucket(&self.name).key(name).upload_id(id);
            let _ = self.in_time(Call::UploadPart, 0, call.set_request_payer(self.payer.clone()).send()).await;
        }
        done
    }

    async fn upload(&self, name: &str, id: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let mut parts = Vec::new();
        for (number, part) in (1..).zip(bytes.chunks(self.manner.part_bytes)) {
            let attempt = || async move {
                let call = self.client.upload_part().bucket(&self.name).key(name).upload_id(id).part_number(number);
                let sent = call.body(ByteStream::from(part.to_vec())).set_request_payer(self.payer.clone()).send();
                self.in_time(Call::UploadPart, part.len(), sent).await?.map_err(|e| Refusal::of(Call::UploadPart, &e))
            };
            let sent = self.persistence.repeat(name, attempt).await?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag().map(str::to_owned));
            let part = part.set_checksum_crc32(sent.checksum_crc32().map(str::to_owned));
            parts.push(part.build());
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let parts = &parts;
        let complete = || async move {
            let call = self.client.complete_multipart_upload().bucket(&self.name).key(name).upload_id(id);
            let sent = call.multipart_upload(parts.clone()).set_request_payer(self.payer.clone()).send();
            // S3 puts the parts together before it answers.
            let sent = self.in_time(Call::CompleteUpload, bytes.len(), sent).await?;
            sent.map_err(|error| Refusal::of(Call::CompleteUpload, &error))
        };
        self.persistence.repeat(name, complete).await.map(|_| ())
    }

    /// A call that moves so many bytes, with the time that they may take.
    pub(super) async fn in_time<T>(
        &self,
        call: Call,
        bytes: usize,
        sent: impl Future<Output = T>,
    ) -> Result<T, Refusal> {
        let longest = self.persistence.patience().longest_transfer(bytes as u64);
        timeout(longest, sent).await.map_err(|_| Refusal::passing(call, "no answer in time"))
    }
}
