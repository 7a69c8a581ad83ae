//! Listing a bucket, page by page.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use percent_encoding::percent_decode_str;

use super::super::{Entry, KeyRange, Level, StoreError};
use super::Bucket;
use super::refusal::{Call, Refusal};

/// About how much a page of a thousand keys holds.
const PAGE_BYTES: usize = 512 << 10;

/// What a page is asked for.
#[derive(Clone, Default)]
struct Question {
    /// With the root.
    prefix: String,
    /// With the root.
    start_after: Option<String>,
    /// Whether longer keys are told by their folder alone.
    one_level: bool,
    most: Option<i32>,
}

impl Bucket {
    /// The first key, with its root, that begins like this.
    pub(super) async fn first_key(&self, prefix: &str) -> Result<Option<String>, Refusal> {
        let question = Question { prefix: prefix.to_owned(), most: Some(1), ..Question::default() };
        let page = self.page(&question, None).await?;
        let first = page.contents().first().and_then(|object| object.key());
        first.map(decoded).transpose()
    }

    /// The objects of a range, sorted; each once, although pages can overlap when one is asked for again.
    pub(super) async fn list(&self, range: &KeyRange) -> Result<Vec<Entry>, Refusal> {
        let prefix = format!("{}{}", self.root, range.prefix);
        let start_after = (!range.after.is_empty()).then(|| format!("{prefix}{}", range.after));
        let question = Question { prefix, start_after, ..Question::default() };
        let mut found = Vec::new();
        self.pages(&question, |page| {
            let before_end = |entry: &Entry| match (&range.to, entry.key.strip_prefix(&range.prefix)) {
                (Some(to), Some(rest)) => rest < to.as_str(),
                _ => true,
            };
            let entries = self.entries(page)?;
            // Keys come in order: what follows the end of the range need not be listed.
            let goes_on = entries.last().is_none_or(before_end);
            found.extend(entries.into_iter().filter(|entry| range.contains(&entry.key)));
            Ok(goes_on)
        })
        .await?;
        sort(&mut found);
        Ok(found)
    }

    /// What lies directly at a prefix.
    pub(super) async fn level(&self, prefix: &str) -> Result<Level, Refusal> {
        let question = Question { prefix: format!("{}{prefix}", self.root), one_level: true, ..Question::default() };
        let mut level = Level::default();
        self.pages(&question, |page| {
            level.objects.extend(self.entries(page)?);
            for folder in page.common_prefixes().iter().filter_map(|folder| folder.prefix()) {
                level.folders.extend(self.inside(&decoded(folder)?));
            }
            Ok(true)
        })
        .await?;
        sort(&mut level.objects);
        Ok(level)
    }

    /// Hands over one page after another, as long as there are more and `take` wants them.
    async fn pages(
        &self,
        question: &Question,
        mut take: impl FnMut(&ListObjectsV2Output) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        let mut token: Option<String> = None;
        loop {
            let page = self.page(question, token.as_deref()).await?;
            if !take(&page)? || !page.is_truncated().unwrap_or(false) {
                return Ok(());
            }
            let next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() || next == token {
                return Err(senseless("says that there is more, and does not say where"));
            }
            token = next;
        }
    }

    async fn page(&self, question: &Question, token: Option<&str>) -> Result<ListObjectsV2Output, Refusal> {
        let ask = || async {
            let asked = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(&question.prefix)
                .set_start_after(question.start_after.clone())
                .set_delimiter(question.one_level.then(|| "/".to_owned()))
                .max_keys(question.most.unwrap_or(self.manner.page_keys))
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token.map(str::to_owned))
                .set_request_payer(self.payer.clone())
                .send();
            let answer = self.in_time(Call::ListObjects, PAGE_BYTES, asked).await?;
            answer.map_err(|error| Refusal::of(Call::ListObjects, &error))
        };
        self.persistence.repeat(token.unwrap_or(&question.prefix), ask).await
    }

    /// The objects of a page, their keys without the root. A key that ends in `/` is a folder that a program made.
    fn entries(&self, page: &ListObjectsV2Output) -> Result<Vec<Entry>, Refusal> {
        let mut entries = Vec::with_capacity(page.contents().len());
        for object in page.contents() {
            let Some(key) = object.key() else { return Err(senseless("names an object without a key")) };
            let Some(key) = self.inside(&decoded(key)?) else { continue };
            if key.is_empty() || key.ends_with('/') {
                continue;
            }
            let size_bytes = object.size().and_then(|size| u64::try_from(size).ok());
            let Some(size_bytes) = size_bytes else { return Err(senseless("names an object without a size")) };
            let tag = object.e_tag().unwrap_or_default().trim_matches('"').to_owned();
            entries.push(Entry { key, size_bytes, tag });
        }
        Ok(entries)
    }

    /// A key without the root.
    fn inside(&self, key: &str) -> Option<String> {
        key.strip_prefix(&self.root).map(str::to_owned)
    }
}

fn sort(entries: &mut Vec<Entry>) {
    entries.sort();
    entries.dedup_by(|a, b| a.key == b.key);
}

/// Keys come as in a URL, because XML cannot hold every character of them.
fn decoded(key: &str) -> Result<String, Refusal> {
    let spaced = key.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned());
    text.map_err(|_| senseless("names a key that is not UTF-8"))
}

fn senseless(what: &str) -> Refusal {
    let reason = format!("{}: the answer {what}", Call::ListObjects.name());
    let fix = "check --endpoint-url: this is not how S3 answers".to_owned();
    Refusal { passing: false, region: None, error: StoreError::Refused { reason, fix } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_the_url_that_they_come_as() {
        assert_eq!(decoded("a/b%2Bc+d%C3%A9%01").unwrap(), "a/b+c dé\u{1}");
        assert!(decoded("%ff").is_err());
    }

    #[test]
    fn an_object_listed_twice_counts_once() {
        let entry = |key: &str, tag: &str| Entry { key: key.to_owned(), size_bytes: 1, tag: tag.to_owned() };
        let mut entries = vec![entry("b", "1"), entry("a", "1"), entry("b", "1"), entry("b", "2")];
        sort(&mut entries);
        assert_eq!(entries, [entry("a", "1"), entry("b", "1")]);
    }
}
