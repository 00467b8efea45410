#!/usr/bin/env bash
# Packs a release: an archive for each program, SHA256SUMS, and krew's manifest from .krew.yaml.
#
#   krew-manifest/package.sh PLATFORM=PROGRAM...      for example linux-amd64="$(.ci/build x86_64-unknown-linux-gnu)"
#
# Writes target/dist and krew-manifest/ess-mas.yaml; DIST and MANIFEST name other places. The same files give the same
# archive: the time in it is SOURCE_DATE_EPOCH, or 0. MAN names a folder with manual pages; without it they are generated.
# Needs GNU tar, Go and Cargo.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
dist=${DIST:-${CARGO_TARGET_DIR:-target}/dist}
staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
rm -rf "$dist"
mkdir -p "$dist" "$staged/completions" "$staged/man"

# krew expects a file of this name.
printf '%s\n' 'You may use kubectl ess-mas under the terms of the MIT license or of the Apache License 2.0, at your option.' \
    'The files LICENSE-MIT and LICENSE-APACHE contain the texts.' > "$staged/LICENSE"
cp CHANGELOG.md LICENSE-APACHE LICENSE-MIT README.md completions/kubectl_complete-ess_mas "$staged"
cp completions/*kubectl-ess_mas* "$staged/completions"
cp -r docs "$staged"
if [[ -n ${MAN:-} ]]; then
    cp "$MAN"/*.1 "$staged/man"
else
    cargo run --quiet --locked --example man -- "$staged/man"
fi

for word in "$@"; do
    platform=${word%%=*}
    program=kubectl-ess_mas
    [[ $platform != windows-* ]] || program=$program.exe
    rm -f "$staged"/kubectl-ess_mas*
    cp "${word#*=}" "$staged/$program"
    chmod -R u=rwX,go=rX "$staged"
    chmod 755 "$staged/$program" "$staged/kubectl_complete-ess_mas"
    # Names without `./` before them: krew moves what it finds under `bin`.
    (cd "$staged" && tar --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
        --mtime="@${SOURCE_DATE_EPOCH:-0}" -- *) | gzip -n > "$dist/kubectl-ess_mas-$version-$platform.tar.gz"
done
(cd "$dist" && sha256sum -- *.tar.gz | tee SHA256SUMS)
go run krew-manifest/render.go .krew.yaml "$version" "$dist/SHA256SUMS" > "${MANIFEST:-krew-manifest/ess-mas.yaml}"
