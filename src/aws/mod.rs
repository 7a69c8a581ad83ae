//! The words of AWS that every other folder speaks: accounts, ARNs, actions, API calls, windows of time.
//!
//! Newtypes parsed at the border, no I/O, no policy: a value of these types is well formed.

pub mod account;
pub mod action;
pub mod api_call;
pub mod arn;
pub mod external_id;
pub mod fingerprint;
pub mod window;

pub use account::AccountId;
pub use action::{AccessLevel, Action, KnownActions, ResourceShape};
pub use api_call::ApiCall;
pub use arn::Arn;
pub use fingerprint::Fingerprint;
pub use window::Window;
