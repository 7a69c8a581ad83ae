//! What the known parts of records mean to the evidence: which records leave no more than sums, and in which.
//!
//! A record is quiet when whatever lies between its known parts cannot matter: nobody from outside made it, it opens no
//! session, and it is no data event. Everything else is telling and is read in full.

use hashbrown::{HashMap, HashTable};
use xxhash_rust::xxh3::xxh3_64;

use crate::aws::window::Time;
use crate::aws::{AccountId, Network};
use crate::cloudtrail::access_change::changes_access;
use crate::cloudtrail::record::{Category, EventId, Record};
use crate::cloudtrail::skim::{Part, Skim, SkimmedCaller};

use super::coverage::Recorded;
use super::limits::cut;
use super::names::Names;
use super::scope::Scope;
use super::tally::{ApiSlot, RoleSlot, Tally, UserSlot};

/// The meaning of every known part, and where its sums are.
#[derive(Default)]
pub(super) struct Familiar {
    calls: Vec<Call>,
    tails: Vec<Tail>,
    apis: HashMap<(Part, Part, AccountId), Option<ApiSlot>>,
    /// By the id, which hardly any two share.
    roles: HashTable<Role>,
    /// By the key's id; few, and each with many records.
    users: HashTable<User>,
}

struct User {
    arn: Box<str>,
    key: Box<str>,
    /// `None` for a user whose calls are kept.
    slot: Option<UserSlot>,
}

struct Role {
    account: AccountId,
    name: Box<[u8]>,
    id: Box<[u8]>,
    /// `None` for a role that is not quiet.
    slot: Option<RoleSlot>,
}

struct Call {
    source: Box<str>,
    name: Box<str>,
    region: Box<str>,
    is_telling: bool,
}

struct Tail {
    recipient: Option<AccountId>,
    recorded: Recorded,
    is_telling: bool,
}

/// A record of which no more is needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quiet {
    pub(super) id: EventId,
    pub(super) time: Time,
    call: Part,
    tail: Part,
    /// The caller's account.
    account: Option<AccountId>,
    /// The quiet role that called.
    pub(super) role: Option<RoleSlot>,
    /// The key that a user called with, and from where.
    pub(super) user: Option<(UserSlot, Option<Network>)>,
}

/// Where a quiet record is summed up.
pub(super) struct Sums {
    /// The account whose trail holds it.
    pub(super) account: AccountId,
    /// The API's; `None` when its account and Region were not asked for.
    pub(super) api: Option<ApiSlot>,
    pub(super) recorded: Recorded,
}

impl Familiar {
    /// Learns the meaning of those parts of a record that are new.
    pub(super) fn learn(&mut self, [call, tail]: [Part; 2], record: &Record<'_>) {
        if call.index() == self.calls.len() {
            let opens_session = record.source == "sts" && record.name.starts_with("AssumeRole");
            self.calls.push(Call {
                source: Box::from(cut(record.source)),
                name: Box::from(cut(record.name)),
                region: Box::from(cut(record.region)),
                is_telling: opens_session
                    || record.source == "cloudtrail"
                    || changes_access(record.source, record.name),
            });
        }
        if tail.index() == self.tails.len() {
            self.tails.push(Tail {
                recipient: record.recipient,
                recorded: Recorded::of(record),
                is_telling: record.category == Category::Data,
            });
        }
    }

    /// The record, if it is quiet.
    pub(super) fn quiet(&mut self, skim: &Skim<'_>, tallied: &mut Tallied<'_>) -> Option<Quiet> {
        if self.calls.get(skim.call.index())?.is_telling || self.tails.get(skim.tail.index())?.is_telling {
            return None;
        }
        let (account, role, user) = match skim.caller {
            SkimmedCaller::Telling => return None,
            SkimmedCaller::NoRole(account) => (account, None, None),
            SkimmedCaller::Role { account, name, id, caller } => {
                (caller, Some(self.quiet_role(account, name, id, tallied)?), None)
            }
            SkimmedCaller::User { account, arn, key } => {
                let slot = self.quiet_user(arn, key, tallied)?;
                let address = std::str::from_utf8(skim.address).unwrap_or_default();
                (account, None, Some((slot, Network::of(address))))
            }
        };
        Some(Quiet { id: skim.id, time: skim.time, call: skim.call, tail: skim.tail, account, role, user })
    }

    /// The slot of a role, if it is quiet.
    fn quiet_role(
        &mut self,
        account: AccountId,
        name: &[u8],
        id: &[u8],
        tallied: &mut Tallied<'_>,
    ) -> Option<RoleSlot> {
        let same = |role: &Role| *role.id == *id && *role.name == *name && role.account == account;
        if let Some(role) = self.roles.find(xxh3_64(id), same) {
            return role.slot;
        }
        let (text, id_text) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(id).ok()?);
        let slot = tallied.quiet_role((account, text, id_text));
        let role = Role { account, name: Box::from(name), id: Box::from(id), slot };
        self.roles.insert_unique(xxh3_64(id), role, |role| xxh3_64(&role.id));
        slot
    }

    /// The slot of a user's key, if the user's calls are not kept.
    fn quiet_user(&mut self, arn: &str, key: &str, tallied: &mut Tallied<'_>) -> Option<UserSlot> {
        let same = |user: &User| *user.key == *key && *user.arn == *arn;
        let hash = |arn: &str, key: &str| xxh3_64(if key.is_empty() { arn } else { key }.as_bytes());
        if let Some(user) = self.users.find(hash(arn, key), same) {
            return user.slot;
        }
        let slot = tallied.quiet_user([arn, key]);
        let user = User { arn: Box::from(arn), key: Box::from(key), slot };
        self.users.insert_unique(hash(arn, key), user, |user| hash(&user.arn, &user.key));
        slot
    }

    /// Where a quiet record is summed up; `None` when nothing tells its account.
    pub(super) fn sums(&mut self, quiet: &Quiet, place: Option<AccountId>, tallied: &mut Tallied<'_>) -> Option<Sums> {
        let call = self.calls.get(quiet.call.index())?;
        let tail = self.tails.get(quiet.tail.index())?;
        let account = tail.recipient.or(place).or(quiet.account)?;
        let api = *self.apis.entry((quiet.call, quiet.tail, account)).or_insert_with(|| {
            let admitted = tallied.scope.admits_place(account, &call.region);
            admitted.then(|| tallied.api(account, [&call.region, &call.source, &call.name]))
        });
        Some(Sums { account, api, recorded: tail.recorded })
    }

    /// Forgets where sums are, because they were handed over.
    pub(super) fn forget_slots(&mut self) {
        self.apis.clear();
        self.roles.clear();
        self.users.clear();
    }
}

/// A tally, with what its slots are made from.
pub(super) struct Tallied<'a> {
    pub(super) tally: &'a mut Tally,
    pub(super) names: &'a mut Names,
    pub(super) scope: &'a Scope,
}

impl Tallied<'_> {
    fn api(&mut self, account: AccountId, texts: [&str; 3]) -> ApiSlot {
        self.tally.api_slot(self.names, account, texts)
    }

    /// The slot of a role, if it is quiet.
    fn quiet_role(&mut self, role: (AccountId, &str, &str)) -> Option<RoleSlot> {
        let slot = self.tally.role_slot(self.names, self.scope, role);
        self.tally.is_quiet(slot).then_some(slot)
    }

    /// The slot of a user's key, if the user's calls are not kept.
    fn quiet_user(&mut self, texts: [&str; 2]) -> Option<UserSlot> {
        let slot = self.tally.user_slot(self.names, self.scope, texts);
        (!self.tally.is_party(slot)).then_some(slot)
    }
}
