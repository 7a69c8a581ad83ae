//! What a role's grants amount to: how far each reaches, the known ways from them to more, and one number for it all.
//!
//! Everything is answered by deciding requests with the policies in force, after every `Deny`, boundary and condition; no
//! text is searched. The question is always the same: what would be allowed on a resource that nobody had in mind when the
//! policy was written? [`stranger`] makes such resources, [`reach`] asks about them, [`paths`] combines the answers.

pub mod classes;
pub mod paths;
pub mod radius;
pub mod reach;
pub mod stranger;
pub mod wildcard;

pub use classes::{Class, Classes};
pub use paths::{Gives, OpenPath, escalations};
pub use radius::{BlastRadius, Counts, Radius};
pub use reach::{Answer, Powers, Reach, Standing};
pub use wildcard::{Wildcard, wildcards};
