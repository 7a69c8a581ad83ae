//! The access graph: for each service, what was granted, how much of it was used, and what of the rest is dangerous.

use plotters::style::text_anchor::HPos;

use super::super::words::{count, number};
use super::{Area, Chart, DrawError, draw, paint, rect, scaled, short, text};

/// Services drawn one by one; the rest is summed up in one bar.
pub(super) const SERVICES_DRAWN: usize = 18;
/// Height of a service's row.
const ROW: i32 = 26;
/// Where the bars begin, and how long they can get.
const BARS: (i32, i32) = (150, 480);

/// What a role was granted of one service, each action in one number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Service {
    /// Its prefix.
    pub(in super::super) name: String,
    /// Used, or needed by what is used.
    pub(in super::super) used: u64,
    /// Not used and not dangerous.
    pub(in super::super) unused: u64,
    /// Not used, and dangerous.
    pub(in super::super) dangerous: u64,
    /// Nobody can tell.
    pub(in super::super) unseen: u64,
}

impl Service {
    /// All of its granted actions.
    pub(in super::super) fn granted(&self) -> u64 {
        self.used + self.unused + self.dangerous + self.unseen
    }

    fn plus(mut self, other: &Self) -> Self {
        self.used += other.used;
        self.unused += other.unused;
        self.dangerous += other.dangerous;
        self.unseen += other.unseen;
        self
    }
}

/// Draws the services in the order given; nothing where there is none.
pub(in super::super) fn services(all: &[Service]) -> Result<Option<Chart>, DrawError> {
    let drawn = if all.len() > SERVICES_DRAWN + 1 { SERVICES_DRAWN } else { all.len() };
    let (first, rest) = all.split_at_checked(drawn).unwrap_or((all, &[]));
    let mut rows = first.to_vec();
    if !rest.is_empty() {
        let name = format!("{} more", rest.len());
        rows.push(rest.iter().fold(Service { name, ..Service::default() }, Service::plus));
    }
    let Some(most) = rows.iter().map(Service::granted).max() else { return Ok(None) };
    let height = u32::try_from(rows.len()).unwrap_or_default() * ROW.unsigned_abs() + 4;
    let label = format!(
        "Granted actions by service, {}: used ones, unused ones, dangerous unused ones, and those of which nobody can tell.",
        count(all.len() as u64, "service")
    );
    draw(height, label, |area| {
        rows.iter().zip(0..).try_for_each(|(service, at)| row(area, service, ROW * at + ROW / 2 + 2, most))
    })
    .map(Some)
}

fn row(area: &Area<'_>, service: &Service, middle: i32, most: u64) -> Result<(), DrawError> {
    text(area, (BARS.0 - 10, middle), HPos::Right, &short(&service.name, 22))?;
    let mut x = BARS.0;
    for (amount, color) in [
        (service.used, paint::USED),
        (service.dangerous, paint::DANGER),
        (service.unused, paint::UNUSED),
        (service.unseen, paint::UNSEEN),
    ] {
        let length = scaled(amount, most, BARS.1);
        if length > 0 {
            rect(area, (x, middle - 8), (length, 16), color)?;
            x += length;
        }
    }
    text(area, (x + 10, middle), HPos::Left, &words(service))
}

fn words(service: &Service) -> String {
    let mut words = format!("{} of {} used", number(service.used), number(service.granted()));
    if service.dangerous > 0 {
        words.push_str(&format!(", {} dangerous and unused", number(service.dangerous)));
    }
    words
}
