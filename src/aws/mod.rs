//! The words of AWS that every other folder speaks: accounts, ARNs, actions, API calls, windows of time.
//!
//! Newtypes parsed at the border, no I/O, no policy: a value of these types is well formed.

pub mod account;
pub mod action;
pub mod api_call;
pub mod arn;
pub mod external_id;
pub mod fingerprint;
pub mod network;
pub mod wildcard;
pub mod window;

pub use account::AccountId;
pub use action::{AccessLevel, Action, KnownActions, ResourceShape};
pub use api_call::ApiCall;
pub use arn::Arn;
pub use fingerprint::Fingerprint;
pub use network::Network;
pub use window::Window;

/// The service that opens sessions for holders of certificates: they stand behind its hand-offs, not AWS (S12).
pub const ROLES_ANYWHERE: &str = "rolesanywhere.amazonaws.com";
