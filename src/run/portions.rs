//! What of a slot is read between two savings: objects of the first hour of a day apart from the others.
//!
//! The objects of the first hour hold events of the day before; what is delivered later hardly ever does.

use crate::aws::window::{Time, midnight};
use crate::cloudtrail::object_key::ObjectKey;
use crate::store::Entry;

use super::slot::Slot;

/// Most objects that are read between two moments at which everything is saved.
const PORTION_OBJECTS: usize = 512;
/// Most bytes, as delivered, of such a portion.
const PORTION_BYTES: u64 = 16 << 20;
/// Objects to be read together.
#[derive(Clone, Debug)]
pub struct Portion {
    /// The name of its slot.
    pub slot: String,
    /// The objects.
    pub objects: Vec<Entry>,
}

impl Portion {
    /// The midnight that these objects were delivered in the first hour after.
    #[must_use]
    pub fn midnight(&self) -> Option<Time> {
        let key = &self.objects.first()?.key;
        ObjectKey::parse(key).delivered.filter(|_| is_of_first_hour(key)).map(midnight)
    }
}

/// The objects of a slot that are wanted, so many at a time as are read between two savings.
#[must_use]
pub fn portions(slot: &Slot, wanted: &dyn Fn(&Entry) -> bool) -> Vec<Portion> {
    let mut portions: Vec<Portion> = Vec::new();
    let mut bytes = 0;
    // Apart, so that a window that begins or ends with the day cuts through few objects.
    let (early, late): (Vec<&Entry>, Vec<&Entry>) =
        slot.objects.iter().filter(|entry| wanted(entry)).partition(|entry| is_of_first_hour(&entry.key));
    let begins_late = late.first().map(|entry| entry.key.as_str());
    for entry in early.iter().chain(&late).copied() {
        let full = Some(entry.key.as_str()) == begins_late
            || bytes > PORTION_BYTES
            || portions.last().is_none_or(|last| last.objects.len() >= PORTION_OBJECTS);
        if full {
            portions.push(Portion { slot: slot.name.clone(), objects: Vec::new() });
            bytes = 0;
        }
        bytes += entry.size_bytes;
        if let Some(portion) = portions.last_mut() {
            portion.objects.push(entry.clone());
        }
    }
    portions
}

/// Whether an object was delivered in the first hour of its day, and so may hold events of the day before.
fn is_of_first_hour(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.split('_').any(|part| part.len() == 14 && part.get(8..11) == Some("T00"))
}
