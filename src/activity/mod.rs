//! The whole picture: who did what, and which IAM actions that used.
//!
//! Pure joins over whole evidence. What is granted is none of its business: the catalog comes in as
//! [`crate::aws::KnownActions`].

pub mod action_map;
pub mod action_resources;
pub mod action_tables;
pub mod attribution;
pub mod calls;
pub mod directory;
pub mod opening;
pub mod party;
pub mod party_user;
pub mod resolve;
pub mod sessions;
pub mod usage;
pub mod vendors;
