#!/usr/bin/env bash
# Builds a release: an archive for each target, SHA256SUMS, and krew's manifest.
#
#   krew-manifest/build.sh [TARGET...]      targets of Rust; without any, the one of this machine
#
# BASE_URL is where the archives will be downloaded from, HOMEPAGE the plugin's page. Both have stand-ins, which do for
# trying out: kubectl krew install --manifest krew-manifest/ess-mas.yaml --archive target/dist/ARCHIVE
#
# What cannot be built here is left out, and said so. A target needs its part of the Rust toolchain
# (`rustup target add TARGET`) and, for the cryptography, a C compiler for it. A target *-linux-gnu runs where the C library
# is as new as the one it was built with; *-linux-musl runs anywhere.
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
  # What was built for this machine already is good.
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
      echo "$target needs a C library with ${needs:-no version that is known}" >&2
    fi
  else
    left_out+=("$target")
  fi
done
if [ ${#built[@]} -eq 0 ]; then
  echo "nothing could be built" >&2
  exit 1
fi

cargo run --quiet --locked --example package -- \
  --out "$folder/dist" --manifest krew-manifest/ess-mas.yaml \
  ${BASE_URL:+--base-url "$BASE_URL"} ${HOMEPAGE:+--homepage "$HOMEPAGE"} "${built[@]}"

if [ ${#left_out[@]} -gt 0 ]; then
  echo "left out, because they could not be built here: ${left_out[*]}" >&2
  exit 1
fi
