//! An independent evaluator (npm `@cloud-copilot/iam-simulate`), the cases it is asked, and where it may differ from us.

pub(crate) mod child;
pub(crate) mod draw;
pub(crate) mod excuses;
pub(crate) mod generator;
pub(crate) mod vocabulary;
