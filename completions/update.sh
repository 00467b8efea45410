#!/usr/bin/env bash
# Writes the completion scripts anew, as the program prints them. A test compares.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --bin kubectl-ess_mas
program="${CARGO_TARGET_DIR:-target}/debug/kubectl-ess_mas"
"$program" completion bash > completions/kubectl-ess_mas.bash
"$program" completion zsh > completions/_kubectl-ess_mas
"$program" completion fish > completions/kubectl-ess_mas.fish
"$program" completion powershell > completions/_kubectl-ess_mas.ps1
