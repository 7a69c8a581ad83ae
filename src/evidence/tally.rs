//! What almost every record repeats, summed up under the record's own texts, so that a record costs two lookups.
//!
//! Millions of records name a few hundred roles and a few thousand APIs. Only when a worker is done are the sums handed
//! to its evidence; which records met in one tally makes no difference to them.

use hashbrown::{Equivalent, HashMap};

use crate::aws::AccountId;
use crate::cloudtrail::record::Record;

use super::coverage::{Recorded, SeenKey};
use super::limits::cut;
use super::merge::Evidence;
use super::names::{Name, Names};
use super::scope::Scope;
use super::session::{RoleName, Span};
use super::sighting::join;

/// Sums of one worker.
#[derive(Debug, Default)]
pub struct Tally {
    apis: HashMap<Texts<3>, ApiTally>,
    roles: HashMap<Texts<2>, RoleTally>,
}

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
    names: ApiNames,
    recorded: Recorded,
    span: Span,
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

#[derive(Debug)]
struct RoleTally {
    role: RoleName,
    is_quiet: bool,
    active: Option<Span>,
}

impl Tally {
    /// Notes that an API was recorded, and how.
    pub fn api(&mut self, names: &mut Names, account: AccountId, record: &Record<'_>) -> ApiNames {
        let texts = TextsOf(account, [cut(record.region), cut(record.source), cut(record.name)]);
        let (recorded, span) = (Recorded::of(record), Span::at(record.time));
        if let Some(known) = self.apis.get_mut(&texts) {
            known.recorded.0 |= recorded.0;
            known.span = known.span.and(span);
            return known.names;
        }
        let [region, source, name] = texts.1.map(|text| names.intern(text));
        let api = ApiNames { region, source, name };
        self.apis.insert(Texts::from(&texts), ApiTally { names: api, recorded, span });
        api
    }

    /// A role, and whether it is quiet; notes a moment of its activity if there is one.
    pub fn role(
        &mut self,
        names: &mut Names,
        scope: &Scope,
        (account, name, id): (AccountId, &str, &str),
        active: Option<Span>,
    ) -> (RoleName, bool) {
        let texts = TextsOf(account, [cut(name), cut(id)]);
        if let Some(known) = self.roles.get_mut(&texts) {
            known.active = join(known.active, active);
            return (known.role, known.is_quiet);
        }
        let [name, id] = texts.1;
        let role = RoleName { account, name: names.intern(name), id: names.intern(id) };
        let is_quiet = scope.is_quiet(account, name, id);
        self.roles.insert(Texts::from(&texts), RoleTally { role, is_quiet, active });
        (role, is_quiet)
    }

    /// Hands the sums over.
    pub fn settle(self, evidence: &mut Evidence) {
        for (Texts(account, _), api) in self.apis {
            let ApiNames { region, source, name } = api.names;
            evidence.coverage.note_api(SeenKey { account, region, source, name }, api.recorded, api.span);
        }
        for known in self.roles.into_values() {
            if let Some(active) = known.active {
                evidence.note_role(known.role, active);
            }
        }
    }
}
