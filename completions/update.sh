#!/usr/bin/env bash
# Updates the completion scripts with the output of the program. A test compares them.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --bin kubectl-ess_mas
program="${CARGO_TARGET_DIR:-target}/debug/kubectl-ess_mas"
"$program" completion bash > completions/kubectl-ess_mas.bash
"$program" completion zsh > completions/_kubectl-ess_mas
"$program" completion fish > completions/kubectl-ess_mas.fish
"$program" completion powershell > completions/_kubectl-ess_mas.ps1
