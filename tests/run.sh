#!/usr/bin/env bash
# Everything that must pass before a merge: format, clippy, tests, documentation.
# Some tests read outputs back with other people's programs (DuckDB, a policy evaluator): they get these by themselves, by
# pip and npm, into cache folders of their own, and say in one line when they could not.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/thirdtrail/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

say() { printf '==> %s\n' "$*"; }
missing() { printf '==> NOT AVAILABLE: %s\n' "$*" >&2; }

command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 2; }

say "format"
cargo fmt --check
say "clippy, warnings denied"
cargo clippy --all-targets --locked -- -D warnings
say "tests"
cargo test --locked
say "documentation"
RUSTDOCFLAGS="-Dwarnings" cargo doc --no-deps --locked
if command -v cargo-deny >/dev/null; then
    say "licences and sources"
    cargo deny --offline check bans licenses sources
else
    missing "cargo-deny: licences and sources were not checked (cargo install cargo-deny)"
fi
say "all passed"
