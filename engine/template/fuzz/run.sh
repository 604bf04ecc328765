#!/usr/bin/env bash
# Fuzzes the template engine for SECONDS (default 3600) and stops by itself.
#
#   engine/template/fuzz/run.sh [SECONDS] [WORK_DIR]
#
# libFuzzer in fork mode: a supervisor that runs workers as children, writes the input of each crash, hang or excess of memory
# to WORK_DIR/artifacts, and goes on. Needs no nightly toolchain: coverage is an LLVM pass that the stable compiler has, too.
# Panics that the engine turned into errors are listed in WORK_DIR/caught-panics.txt.
set -euo pipefail
cd "$(dirname "$0")"
readonly here=$PWD
readonly seconds=${1:-3600}
readonly work=$(mkdir -p "${2:-$here/target/work}" && cd "${2:-$here/target/work}" && pwd)
readonly target=x86_64-unknown-linux-gnu
# What one input may take: 30 s of wall time, 2 GiB, and the 2 MiB stack that worker threads have.
readonly unit_seconds=30 memory_mb=2048 stack_kb=2048

# With --target, build scripts and macros are built without these flags.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Cpanic=unwind --cfg fuzzing" \
    nice -n 19 cargo build --release --locked --target "$target"
readonly binary="${CARGO_TARGET_DIR:-$here/target}/$target/release/render"

mkdir -p "$work/corpus" "$work/artifacts"
cd "$work"
ulimit -s "$stack_kb"
exec nice -n 19 "$binary" corpus -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -max_total_time="$seconds" \
    -timeout="$unit_seconds" -rss_limit_mb="$memory_mb" -max_len=8192 -artifact_prefix=artifacts/ -seed=20240607
