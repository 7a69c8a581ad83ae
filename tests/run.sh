#!/usr/bin/env bash
# Everything that must pass before a merge: format, clippy, tests, documentation.
# On a fresh machine it gets what some tests need beside Rust (packages of tests/tools/*.txt) into a cache folder of its
# own; what it cannot get it names in one line, and goes on: those tests then say for themselves that they did not run.
set -euo pipefail
cd "$(dirname "$0")/.."

tools="${THIRDTRAIL_TOOLS:-$HOME/.cache/thirdtrail-tools}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/thirdtrail/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

say() { printf '==> %s\n' "$*"; }
missing() { printf '==> NOT AVAILABLE: %s\n' "$*" >&2; }

# Python packages that tests use to read outputs back with other people's programs.
python_tools() {
    [ -f tests/tools/python.txt ] || return 0
    command -v python3 >/dev/null || { missing "python3: tests that read outputs back with DuckDB do not run"; return 0; }
    local venv="$tools/python"
    if ! cmp -s tests/tools/python.txt "$venv/installed.txt"; then
        say "python packages: $(tr '\n' ' ' < tests/tools/python.txt)"
        mkdir -p "$tools"
        if python3 -m venv "$venv" 2>/dev/null &&
            "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/tools/python.txt; then
            cp tests/tools/python.txt "$venv/installed.txt"
        else
            missing "python packages of tests/tools/python.txt: tests that need them do not run"
            return 0
        fi
    fi
    export THIRDTRAIL_PYTHON="$venv/bin/python3"
}

# Node packages that tests compare the policy engine with.
node_tools() {
    [ -f tests/tools/node.txt ] || return 0
    command -v npm >/dev/null || { missing "npm: tests that compare with Node packages do not run"; return 0; }
    local folder="$tools/node"
    if ! cmp -s tests/tools/node.txt "$folder/installed.txt"; then
        say "node packages: $(tr '\n' ' ' < tests/tools/node.txt)"
        mkdir -p "$folder"
        if xargs npm install --silent --no-audit --no-fund --prefix "$folder" < tests/tools/node.txt; then
            cp tests/tools/node.txt "$folder/installed.txt"
        else
            missing "node packages of tests/tools/node.txt: tests that need them do not run"
            return 0
        fi
    fi
    export THIRDTRAIL_NODE_MODULES="$folder/node_modules"
}

command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 2; }
python_tools
node_tools

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
