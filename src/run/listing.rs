//! What a listing of the source told, saved beside the evidence: so a report can be made without the source, and objects
//! that were listed and never observed are known to be missing.
//!
//! There is one file for each selection that was asked for; together they tell which objects the trail held. `analyze`,
//! which has the place to itself, takes from the others what it listed anew, so that an object that is gone is nowhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::aws::AccountId;
use crate::aws::window::{Time, parse_time, rfc3339};
use crate::cloudtrail::object_key::ObjectKey;
use crate::evidence::coverage::object_digest;
use crate::store::{Entry, Store};

use super::UserError;
use super::checkpoint::{Checkpoints, cannot_write};
use super::plan::{Plan, Request, asks_for};

/// Where they lie among the evidence.
pub(super) const FOLDER: &str = "listings/";
const SCHEMA: &str = "thirdtrail.listing/2";

/// What was listed for one selection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listing {
    schema: String,
    /// What was asked for.
    asked: Asked,
    listed: u64,
    skipped: BTreeMap<String, u64>,
    /// Days without objects that digests show to have been quiet; as texts, year first.
    quiet_days: BTreeSet<(AccountId, String)>,
    accounts: BTreeSet<AccountId>,
    /// Objects to be read: folder, name, size and tag.
    objects: BTreeMap<String, BTreeMap<String, (u64, String)>>,
    /// The Regions that the source held, if it is known to lack others.
    #[serde(default)]
    regions: BTreeSet<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Asked {
    since: Option<String>,
    until: Option<String>,
    accounts: BTreeSet<AccountId>,
    regions: BTreeSet<String>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            since: request.since.map(rfc3339),
            until: request.until.map(rfc3339),
            accounts: request.accounts.clone(),
            regions: request.regions.clone(),
        }
    }

    fn key(&self) -> String {
        let asked = serde_json::to_string(self).unwrap_or_default();
        format!("{FOLDER}{:032x}.json", object_digest(&asked))
    }

    fn since(&self) -> Time {
        self.since.as_deref().and_then(parse_time).unwrap_or(Time::MIN_UTC)
    }

    fn until(&self) -> Time {
        self.until.as_deref().and_then(parse_time).unwrap_or(Time::MAX_UTC)
    }

    /// Whether all accounts and Regions of a request were asked for.
    fn has_places_of(&self, request: &Request) -> bool {
        fn within<T: Ord>(asked: &BTreeSet<T>, now: &BTreeSet<T>) -> bool {
            asked.is_empty() || !now.is_empty() && now.is_subset(asked)
        }
        within(&self.accounts, &request.accounts) && within(&self.regions, &request.regions)
    }

    /// As a user would ask for it.
    fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.since.iter().map(|since| format!("--since {since}")));
        words.extend(self.until.iter().map(|until| format!("--until {until}")));
        words.extend(self.accounts.iter().map(|account| format!("--account {account}")));
        words.extend(self.regions.iter().map(|region| format!("--region {region}")));
        if words.is_empty() { "everything".to_owned() } else { words.join(" ") }
    }
}

impl Listing {
    /// What was planned of a source that holds these Regions; all of them if none is named.
    #[must_use]
    pub fn of(plan: &Plan, request: &Request, regions: &BTreeSet<String>) -> Self {
        let mut objects: BTreeMap<String, BTreeMap<String, (u64, String)>> = BTreeMap::new();
        for Entry { key, size_bytes, tag } in &plan.objects {
            let (folder, name) = split(key);
            objects.entry(folder.to_owned()).or_default().insert(name.to_owned(), (*size_bytes, tag.clone()));
        }
        Self {
            schema: SCHEMA.to_owned(),
            asked: Asked::of(request),
            listed: plan.listed,
            skipped: plan.skipped.clone(),
            quiet_days: plan.digest_days.iter().map(|(account, day)| (*account, day.to_string())).collect(),
            accounts: plan.accounts.clone(),
            objects,
            regions: regions.clone(),
        }
    }

    /// The Regions to which the run was limited, by its source or by what was asked for; all if there is none.
    fn regions(&self) -> &BTreeSet<String> {
        if self.regions.is_empty() { &self.asked.regions } else { &self.regions }
    }

    /// Its name: that of the selection.
    pub(super) fn key(&self) -> String {
        self.asked.key()
    }

    /// The name of that of a selection.
    pub(super) fn key_of(request: &Request) -> String {
        Asked::of(request).key()
    }

    fn load(evidence: &dyn Store, key: &str) -> Result<Self, UserError> {
        let wrong = |reason: String| {
            UserError::new(
                format!("cannot read `{key}` of the evidence: {reason}"),
                "check the permissions of --evidence, or remove that file and run `thirdtrail analyze` with the trail",
            )
        };
        let mut bytes = Vec::new();
        evidence.get(key, &mut bytes).map_err(|error| wrong(error.to_string()))?;
        let listing: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if listing.schema != SCHEMA {
            return Err(wrong(format!("it is `{}`, not `{SCHEMA}`", listing.schema)));
        }
        Ok(listing)
    }

    /// Saves it beside evidence, in place of the last one of its selection.
    fn save(&self, evidence: &dyn Store) -> Result<(), UserError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        evidence.put(&self.key(), &bytes).map_err(|error| cannot_write(&error))
    }

    /// The objects in it.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.objects.iter().flat_map(|(folder, names)| {
            names.iter().map(move |(name, (size_bytes, tag))| Entry {
                key: format!("{folder}{name}"),
                size_bytes: *size_bytes,
                tag: tag.clone(),
            })
        })
    }

    fn holds(&self, key: &str) -> bool {
        let (folder, name) = split(key);
        self.objects.get(folder).is_some_and(|names| names.contains_key(name))
    }

    /// Forgets the objects of a request; answers whether there were any.
    fn forget(&mut self, request: &Request, within: &str) -> bool {
        let before = self.objects.values().map(BTreeMap::len).sum::<usize>();
        for (folder, names) in &mut self.objects {
            names.retain(|name, _| {
                let key = format!("{folder}{name}");
                !(key.starts_with(within) && asks_for(request, &ObjectKey::parse(&key)))
            });
        }
        self.objects.retain(|_, names| !names.is_empty());
        before != self.objects.values().map(BTreeMap::len).sum::<usize>()
    }
}

/// Folder with its final `/`, and name.
fn split(key: &str) -> (&str, &str) {
    key.split_at(key.rfind('/').map_or(0, |at| at + 1))
}

/// Who saves a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Saver {
    /// Nobody else uses the place meanwhile, so what others listed and is listed anew may be forgotten.
    Alone,
    /// One of several tasks.
    Task,
}

/// All that was listed.
#[derive(Clone, Debug, Default)]
pub struct Listings(Vec<Listing>);

impl Listings {
    /// Those that lie beside evidence.
    ///
    /// # Errors
    /// When one cannot be read: what it lists would be missing without anybody knowing.
    pub fn load(checkpoints: &Checkpoints<'_>) -> Result<Self, UserError> {
        checkpoints
            .listings()
            .iter()
            .map(|key| Listing::load(checkpoints.store(), key))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Those of them that can be read, for a run that lists anew.
    #[must_use]
    pub fn sound(checkpoints: &Checkpoints<'_>) -> Self {
        Self(checkpoints.listings().iter().filter_map(|key| Listing::load(checkpoints.store(), key).ok()).collect())
    }

    /// Saves a new one beside them, unless they are of another source.
    ///
    /// # Errors
    /// When the store refuses, or the evidence is that of another trail.
    pub fn save(
        self,
        evidence: &dyn Store,
        new: Listing,
        request: &Request,
        within: &str,
        saver: Saver,
    ) -> Result<(), UserError> {
        let asked = |entry: &Entry| entry.key.starts_with(within) && asks_for(request, &ObjectKey::parse(&entry.key));
        let mut known = self.0.iter().flat_map(Listing::entries).filter(asked).peekable();
        if known.peek().is_some() && !known.any(|entry| new.holds(&entry.key)) {
            return Err(UserError::new(
                "the evidence is that of another source: no object that it lists for this selection is there",
                "give each source an --evidence of its own",
            ));
        }
        drop(known);
        new.save(evidence)?;
        if saver == Saver::Task {
            return Ok(());
        }
        for mut other in self.0.into_iter().filter(|other| other.asked != new.asked) {
            if other.forget(request, within) {
                // One that cannot be taken away tells of objects that are listed elsewhere or gone: a report says so.
                match other.objects.is_empty() {
                    true => drop(evidence.remove(&other.key())),
                    false => other.save(evidence)?,
                }
            }
        }
        Ok(())
    }

    /// All objects that were listed, some perhaps twice.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.0.iter().flat_map(Listing::entries)
    }

    /// A request with the sides of its window that it leaves open as they were asked for.
    ///
    /// # Errors
    /// When some of it was never asked for: nobody knows what the trail held there.
    pub fn complete_request(&self, request: &Request) -> Result<Request, UserError> {
        let mut asked: Vec<&Asked> =
            self.0.iter().map(|listing| &listing.asked).filter(|asked| asked.has_places_of(request)).collect();
        asked.sort_by_key(|asked| (asked.since(), asked.until()));
        let open = |time: Time, end: Time| (time != end).then_some(time);
        let first = asked.iter().map(|asked| asked.since()).min().and_then(|time| open(time, Time::MIN_UTC));
        let last = asked.iter().map(|asked| asked.until()).max().and_then(|time| open(time, Time::MAX_UTC));
        let full = Request { since: request.since.or(first), until: request.until.or(last), ..request.clone() };
        let (from, to) = (full.since.unwrap_or(Time::MIN_UTC), full.until.unwrap_or(Time::MAX_UTC));
        let reach = asked.iter().fold(
            from,
            |reach, asked| {
                if asked.since() <= reach { reach.max(asked.until()) } else { reach }
            },
        );
        if reach >= to && !asked.is_empty() {
            return Ok(full);
        }
        let words: Vec<String> = self.0.iter().map(|listing| format!("`{}`", listing.asked.words())).take(3).collect();
        Err(UserError::new(
            "the evidence does not cover the window, accounts and Regions asked for",
            format!(
                "ask for no more than it was made for ({}), or run `thirdtrail analyze` with the trail",
                words.join(", ")
            ),
        ))
    }

    /// The Regions of which evidence can hold what a request asks for; all if there is none. Where some runs saw less
    /// than others, what all of them saw.
    #[must_use]
    pub fn regions(&self, request: &Request) -> BTreeSet<String> {
        let asked = self.0.iter().filter(|listing| listing.asked.has_places_of(request));
        let mut limits = asked.map(Listing::regions).filter(|regions| !regions.is_empty());
        let Some(first) = limits.next() else { return BTreeSet::new() };
        let common = limits.fold(first.clone(), |common, regions| &common & regions);
        if common.is_empty() { first.clone() } else { common }
    }

    /// Completes a plan that was made of their objects: what the source held beside them. What was skipped is told only
    /// for a question that was asked then.
    pub fn complete(self, plan: &mut Plan, request: &Request) {
        let day = |(account, day): (AccountId, String)| Some((account, day.parse::<NaiveDate>().ok()?));
        let asked = Asked::of(request);
        for listing in self.0 {
            // What was quiet in some Regions need not have been quiet in others.
            if listing.asked.regions.is_empty() || listing.asked.regions == request.regions {
                plan.digest_days.extend(listing.quiet_days.into_iter().filter_map(day));
            }
            plan.accounts.extend(listing.accounts);
            if listing.asked == asked {
                (plan.listed, plan.skipped) = (listing.listed, listing.skipped);
            }
        }
    }
}

/// Whether a key among the evidence is that of a listing.
#[must_use]
pub fn is_listing(key: &str) -> bool {
    let name = key.strip_prefix(FOLDER);
    name.is_some_and(|name| !name.starts_with('.') && name.ends_with(".json") && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S24: evidence of one Region is not taken for that of all.
    #[test]
    fn listings_tell_to_which_regions_they_are_limited() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let listing = |asked: &[&str], held: &[&str]| {
            let request = Request { regions: set(asked), ..Request::default() };
            Listing::of(&Plan::default(), &request, &set(held))
        };
        let limited = |listings: Vec<Listing>, asked: &[&str]| {
            Listings(listings).regions(&Request { regions: set(asked), ..Request::default() })
        };
        assert_eq!(limited(vec![listing(&[], &[])], &[]), set(&[]));
        assert_eq!(limited(vec![listing(&["a"], &[])], &["a"]), set(&["a"]));
        assert_eq!(limited(vec![listing(&[], &["b"])], &[]), set(&["b"]));
        assert_eq!(limited(vec![listing(&[], &["b", "c"]), listing(&[], &["c"])], &[]), set(&["c"]));
    }
}
