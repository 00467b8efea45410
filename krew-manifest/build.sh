#!/usr/bin/env bash
# Builds a release: an archive for each target, SHA256SUMS, and krew's manifest.
#
#   krew-manifest/build.sh [TARGET...]      Rust targets; by default, the one of this machine
#
# BASE_URL is the address of the folder with the archives, HOMEPAGE the plugin's web page. Both have placeholders, which are
# enough for a test: kubectl krew install --manifest krew-manifest/ess-mas.yaml --archive target/dist/ARCHIVE
#
# The script skips targets that it cannot build here, and lists them. A target needs its part of the Rust toolchain
# (`rustup target add TARGET`) and, for the cryptography library, a C compiler for it. A binary for *-linux-gnu needs a C
# library as new as the one of this machine; *-linux-musl runs everywhere.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${CARGO_TARGET_DIR:-target}
host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  targets=("$host")
fi

built=()
left_out=()
for target in "${targets[@]}"; do
  echo "building for $target" >&2
  # For this machine, reuse what cargo has built.
  if [ "$target" = "$host" ]; then
    place=(--target-dir "$folder")
    program=$folder/release/kubectl-ess_mas
  else
    place=(--target-dir "$folder" --target "$target")
    program=$folder/$target/release/kubectl-ess_mas
  fi
  if cargo build --release --locked --bin kubectl-ess_mas "${place[@]}"; then
    case $target in *windows*) program=$program.exe ;; esac
    built+=("$target=$program")
    if [[ $target == *-linux-gnu ]] && command -v objdump > /dev/null; then
      needs=$(objdump -T "$program" | sed -n 's/.*(\(GLIBC_[0-9.]*\)).*/\1/p' | sort -Vu | tail -n 1)
      echo "$target requires ${needs:-an unknown version of glibc}" >&2
    fi
  else
    left_out+=("$target")
  fi
done
if [ ${#built[@]} -eq 0 ]; then
  echo "error: no target could be built" >&2
  exit 1
fi

cargo run --quiet --locked --example package -- \
  --out "$folder/dist" --manifest krew-manifest/ess-mas.yaml \
  ${BASE_URL:+--base-url "$BASE_URL"} ${HOMEPAGE:+--homepage "$HOMEPAGE"} "${built[@]}"

if [ ${#left_out[@]} -gt 0 ]; then
  echo "skipped, because they cannot be built here: ${left_out[*]}" >&2
  exit 1
fi
