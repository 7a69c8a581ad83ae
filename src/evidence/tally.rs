//! What almost every record repeats, summed up under the record's own texts, so that a record costs two lookups.
//!
//! Millions of records name a few hundred roles and a few thousand APIs. Only when a worker is done are the sums handed
//! to its evidence; which records met in one tally makes no difference to them.

use hashbrown::{Equivalent, HashMap};

use crate::aws::window::Time;
use crate::aws::{AccountId, Network};

use super::coverage::{Recorded, SeenKey};
use super::limits::cut;
use super::merge::Evidence;
use super::names::{Name, Names};
use super::scope::Scope;
use super::session::{RoleName, Span};
use super::sighting::join;
use super::user_key::{KeyUse, UserKey};

/// Sums of one worker.
#[derive(Debug, Default)]
pub struct Tally {
    apis: Vec<ApiTally>,
    roles: Vec<RoleTally>,
    users: Vec<UserTally>,
    api_slots: HashMap<Texts<3>, ApiSlot>,
    role_slots: HashMap<Texts<2>, RoleSlot>,
    user_slots: HashMap<[Box<str>; 2], UserSlot>,
}

/// Where an API in an account and Region is summed up.
#[derive(Clone, Copy, Debug)]
pub struct ApiSlot(usize);

/// Where a role's activity is summed up.
#[derive(Clone, Copy, Debug)]
pub struct RoleSlot(usize);

/// Where the use of a user's key is summed up.
#[derive(Clone, Copy, Debug)]
pub struct UserSlot(usize);

/// Some texts of one account.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Texts<const N: usize>(AccountId, [Box<str>; N]);

#[derive(Hash)]
struct TextsOf<'a, const N: usize>(AccountId, [&'a str; N]);

impl<const N: usize> Equivalent<Texts<N>> for TextsOf<'_, N> {
    fn equivalent(&self, key: &Texts<N>) -> bool {
        self.0 == key.0 && self.1.iter().zip(&key.1).all(|(one, other)| *one == &**other)
    }
}

impl<const N: usize> From<&TextsOf<'_, N>> for Texts<N> {
    fn from(texts: &TextsOf<'_, N>) -> Self {
        Self(texts.0, texts.1.map(Box::from))
    }
}

#[derive(Debug)]
struct ApiTally {
    account: AccountId,
    names: ApiNames,
    recorded: Recorded,
    span: Option<Span>,
}

/// An API in a Region, in names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ApiNames {
    /// The Region.
    pub region: Name,
    /// Event source without suffix.
    pub source: Name,
    /// Event name.
    pub name: Name,
}

impl ApiNames {
    const NONE: Self = Self { region: Names::EMPTY, source: Names::EMPTY, name: Names::EMPTY };
}

#[derive(Debug)]
struct RoleTally {
    role: RoleName,
    is_quiet: bool,
    active: Option<Span>,
}

#[derive(Debug)]
struct UserTally {
    key: UserKey,
    is_party: bool,
    used: Option<KeyUse>,
}

#[derive(Hash)]
struct KeyTexts<'a>([&'a str; 2]);

impl Equivalent<[Box<str>; 2]> for KeyTexts<'_> {
    fn equivalent(&self, key: &[Box<str>; 2]) -> bool {
        self.0.iter().zip(key).all(|(one, other)| *one == &**other)
    }
}

impl Tally {
    /// The slot of an API, given by Region, event source and event name.
    pub fn api_slot(&mut self, names: &mut Names, account: AccountId, texts: [&str; 3]) -> ApiSlot {
        let texts = TextsOf(account, texts.map(cut));
        if let Some(slot) = self.api_slots.get(&texts) {
            return *slot;
        }
        let slot = ApiSlot(self.apis.len());
        let [region, source, name] = texts.1.map(|text| names.intern(text));
        let names = ApiNames { region, source, name };
        self.apis.push(ApiTally { account, names, recorded: Recorded::default(), span: None });
        self.api_slots.insert(Texts::from(&texts), slot);
        slot
    }

    /// Notes that an API was recorded, when and how.
    pub fn note_api(&mut self, slot: ApiSlot, recorded: Recorded, time: Time) -> ApiNames {
        let Some(api) = self.apis.get_mut(slot.0) else { return ApiNames::NONE };
        api.recorded.0 |= recorded.0;
        api.span = join(api.span, Some(Span::at(time)));
        api.names
    }

    /// The slot of a role, given by account, name and id.
    pub fn role_slot(
        &mut self,
        names: &mut Names,
        scope: &Scope,
        (account, name, id): (AccountId, &str, &str),
    ) -> RoleSlot {
        let texts = TextsOf(account, [cut(name), cut(id)]);
        if let Some(slot) = self.role_slots.get(&texts) {
            return *slot;
        }
        let [name, id] = texts.1;
        let slot = RoleSlot(self.roles.len());
        let role = RoleName { account, name: names.intern(name), id: names.intern(id) };
        self.roles.push(RoleTally { role, is_quiet: scope.is_quiet(account, name, id), active: None });
        self.role_slots.insert(Texts::from(&texts), slot);
        slot
    }

    /// Whether a role's activity is all that is kept of it.
    #[must_use]
    pub fn is_quiet(&self, slot: RoleSlot) -> bool {
        self.roles.get(slot.0).is_some_and(|role| role.is_quiet)
    }

    /// Notes a moment of a role's activity, if there is one; tells the role, and whether it is quiet.
    pub fn note_role(&mut self, slot: RoleSlot, active: Option<Span>) -> Option<(RoleName, bool)> {
        let known = self.roles.get_mut(slot.0)?;
        known.active = join(known.active, active);
        Some((known.role, known.is_quiet))
    }

    /// The slot of a user's key, given by the user's ARN and the key's id.
    pub fn user_slot(&mut self, names: &mut Names, scope: &Scope, texts: [&str; 2]) -> UserSlot {
        let texts = texts.map(cut);
        if let Some(slot) = self.user_slots.get(&KeyTexts(texts)) {
            return *slot;
        }
        let [user, key] = texts;
        let slot = UserSlot(self.users.len());
        let is_party = scope.is_party_user(user);
        let key = UserKey { user: names.intern(user), key: names.intern(key) };
        self.users.push(UserTally { key, is_party, used: None });
        self.user_slots.insert(texts.map(Box::from), slot);
        slot
    }

    /// Whether the calls of a user are kept.
    #[must_use]
    pub fn is_party(&self, slot: UserSlot) -> bool {
        self.users.get(slot.0).is_some_and(|user| user.is_party)
    }

    /// Notes a use of a user's key; tells the key, and whether the user's calls are kept.
    pub fn note_user(&mut self, slot: UserSlot, time: Time, network: Option<Network>) -> Option<(UserKey, bool)> {
        let known = self.users.get_mut(slot.0)?;
        let span = Span::at(time);
        match &mut known.used {
            Some(used) => used.note(span, network),
            None => known.used = Some(KeyUse::at(span, network)),
        }
        Some((known.key, known.is_party))
    }

    /// Hands the sums over and is empty again.
    pub fn settle(&mut self, evidence: &mut Evidence) {
        let Self { apis, roles, users, .. } = std::mem::take(self);
        for api in apis {
            let ApiNames { region, source, name } = api.names;
            if let Some(span) = api.span {
                let key = SeenKey { account: api.account, region, source, name };
                evidence.coverage.note_api(key, api.recorded, span);
            }
        }
        for known in roles {
            if let Some(active) = known.active {
                evidence.note_role(known.role, active);
            }
        }
        for known in users {
            if let Some(used) = known.used {
                evidence.note_key(known.key, used);
            }
        }
    }
}
