//! The exit codes, which scripts rely on.

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Done, and findings at or above `--fail-on`; an error of `policy lint`; more than before granted in `policy diff`; a
    /// role that lets a caller in without its external id.
    Findings = 1,
    /// The user's mistake: usage, unreadable input; nothing was written.
    Mistake = 2,
    /// Done, but objects or records could not be read, or of a role's external id nothing could be told. Goes before [`ExitCode::Findings`]: the findings may lack some.
    Incomplete = 3,
    /// A bug.
    Bug = 70,
    /// Stopped by Ctrl-C; evidence is saved as far as it was read.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
