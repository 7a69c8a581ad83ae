//! What is granted: policy documents, their evaluation, and the smaller policy that evidence allows.
//!
//! Pure: documents and requests in, decisions and documents out. Imports `aws` only.

pub mod builtin;
pub mod catalog;
pub mod danger;
