//! Judgement: what the evidence and the grants together mean, role by role, with the findings that follow.
//!
//! Pure. [`assessment`] is the result as types; the fields that serialize are those of `report.json`.

pub mod access;
pub mod assess;
pub mod assessment;
pub mod beside;
pub mod call_log;
pub mod calls;
pub mod compare;
pub mod configured;
mod cost;
pub mod coverage;
pub mod daily;
pub mod external_id;
pub mod groups;
pub mod guardrail;
pub mod hand_offs;
pub mod id_check;
pub mod idle;
pub mod investigate;
pub mod keep;
pub mod ledger;
pub mod narrowing;
pub mod parties;
pub mod proposal;
pub mod replay;
pub mod risk;
pub mod role;
pub mod rules;
pub mod session_advice;
pub mod session_table;
pub mod share;
pub mod suppress;
pub mod trail;
pub mod trust;
pub mod trust_narrowing;
pub mod trust_steps;
mod trust_steps_more;
mod trust_steps_web;
pub mod usage_table;
pub mod users;
