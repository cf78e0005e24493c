# What can be done with this repository. `just ci` is what CI does.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Tools that are neither Rust nor Python 3, see tools/setup. Kept outside of the checkout, so that clones share them.
export BRIDGE_TOOLS := env("BRIDGE_TOOLS", env("XDG_CACHE_HOME", home_directory() / ".cache") / "pms-bridge")
py := BRIDGE_TOOLS / "python" / "bin"
built := env("CARGO_TARGET_DIR", "target")
began := datetime_utc("%s")

[private]
default:
    @{{ just_executable() }} --list --unsorted

# Run the whole bridge on this machine.
up *args:
    cargo run -- up {{ args }}

# Tests of all crates. Property tests try the same cases each time, so that a change fails for what it changes;
# `just properties` looks for new ones.
test *args:
    PROPTEST_RNG_SEED=20260302 cargo test --workspace {{ args }}

# The property tests, so many cases of each, others each time. What it finds becomes a test with fixed input.
properties cases="20000":
    PROPTEST_CASES={{ cases }} cargo test --workspace --lib --test properties --test writing --test delta \
        --test round_trip --test oracle --test answers --test it

# Formatting and lints of Rust and Python.
lint: tools
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    {{ py }}/ruff format --check --config tools/ruff.toml tools infra tests/interop
    {{ py }}/ruff check --config tools/ruff.toml tools infra tests/interop

# Licences, bans and sources of dependencies; known vulnerabilities where their database can be reached.
deny: tools
    {{ BRIDGE_TOOLS }}/cargo-deny/bin/cargo-deny check licenses bans sources
    if {{ BRIDGE_TOOLS }}/cargo-deny/bin/cargo-deny fetch db 2>/dev/null; then \
        {{ BRIDGE_TOOLS }}/cargo-deny/bin/cargo-deny check advisories; \
    else \
        echo "advisories not checked: their database can't be reached from here"; \
    fi

# The templates: linters, promises, every role and the wiring under the emulator.
template: tools
    {{ py }}/pytest infra/tests

# The binaries as the tests of the workspace have them: another selection of crates would build most of AWS's again.
[private]
binaries:
    cargo test --workspace --no-run

# The real functions, deployed by the template to the emulator: a webhook in, a delivery out.
e2e: tools binaries
    {{ py }}/pytest infra/tests/e2e --binaries {{ built }}/debug

# Other engines' clients against the MLLP gateway, over the emulator. Those that can't be had here are skipped by name.
interop: tools binaries
    {{ py }}/pytest -rs tests/interop --binaries {{ built }}/debug

# SOAP requests against their schema, and HL7's own validator over what HL7 v2 messages become; files or folders of messages, the project's own by default.
validate *messages:
    tools/validate {{ messages }}

# Everything that CI checks: the fast and the telling first. CI has 45 minutes; fuzzing comes last and ends in time.
ci: test lint deny template validate e2e interop sim
    FUZZ_UNTIL=$(({{ began }} + 40 * 60)) FUZZ_FRESH=report tools/fuzz 300

# The simulation, so many seeds of it; a failing seed is printed and can be run again.
sim seeds="10000":
    SIM_SEEDS={{ seeds }} cargo test --workspace --test simulation no_seed -- --nocapture

alias simulate := sim

# Real processes, killed and restarted, in a world that misbehaves; a seed repeats its choices.
chaos seed="" deliveries="5000":
    BRIDGE_SEED={{ seed }} BRIDGE_DELIVERIES={{ deliveries }} cargo test --package bridge --test chaos -- --ignored --nocapture

# So many appointments changed at once in two products, through processes that die: calls, rows a second and memory.
burst changes="100000" seed="1":
    BRIDGE_BURST={{ changes }} BRIDGE_BURST_SEED={{ seed }} cargo test --profile bench --package bridge-testkit --test burst -- --nocapture

# What a webhook costs in process, what HL7 v2 and adapters cost beside their yardsticks, and what a message costs on AWS.
bench:
    cargo bench --package bridge-testkit --package bridge-hl7v2 --package bridge-convert --package bridge-formats \
        --package bridge-adapters --package mllp-gateway
    cargo run -- bench cost

# Files of synthetic patients through file-ingest, so many megabytes each: memory, rows a second beside the bare csv crate, and
# what a second day sends. Takes half an hour.
bench-files megabytes="10,100,1000":
    BRIDGE_FILE_MB={{ megabytes }} cargo test --profile bench --package bridge-pipeline --test files_memory -- --nocapture

# A file of synthetic patients: `just synthesize csv 1000 > patients.csv`; csv, ndjson or xml, megabytes, seed, day.
synthesize +args:
    @cargo run --quiet --package bridge-testkit --example synthesize -- {{ args }}

# A file of a hundred megabytes, and a bridge that is killed while it reads it. Takes half an hour.
kill-files kills="50":
    BRIDGE_KILLS={{ kills }} BRIDGE_KILL_WITHIN=11000 BRIDGE_LOAD_MESSAGES=5000 BRIDGE_NOTE=20000 \
        cargo test --package bridge --test files killed -- --nocapture

# Starts of the release binaries, from exec to the first event asked for, beside a hello world.
coldstart rounds="40":
    cargo build --release --package webhook-intake --package hl7-intake --package file-ingest --package export --package normalize --package deliver --package poll --package fhir-api --package retry
    cargo build --release --package bridge-aws --example hello
    tools/coldstart.py {{ built }}/release {{ rounds }}

# Look for inputs that break a reader, for so many seconds each; with 0, replay what once did. See tools/fuzz.
fuzz seconds="300" *targets:
    tools/fuzz {{ seconds }} {{ targets }}

# Build and deploy to AWS: `just deploy staging`.
deploy environment: tools
    PATH="{{ py }}:$PATH" {{ py }}/sam build --config-env {{ environment }}
    PATH="{{ py }}:$PATH" {{ py }}/sam deploy --config-env {{ environment }}

# Format everything.
fmt: tools
    cargo fmt --all
    {{ py }}/ruff format --config tools/ruff.toml tools infra tests/interop
    {{ py }}/ruff check --fix --config tools/ruff.toml tools infra tests/interop

# Install the tools that the other recipes need.
tools:
    @tools/setup

# Pin Python requirements again, with hashes, after a change of a requirements.in.
lock-python:
    {{ py }}/python -m venv --clear {{ built }}/uv
    {{ built }}/uv/bin/pip install --quiet uv
    for list in tools/requirements infra/emulator-requirements; do \
        {{ built }}/uv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-annotate \
            --no-emit-find-links --no-emit-index-url --custom-compile-command "just lock-python" \
            "$list.in" --output-file "$list.txt"; \
    done
