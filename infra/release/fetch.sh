#!/usr/bin/env bash
# Downloads a release from GitHub to target/releases/<version>, verifies that this repository's release workflow built
# it, and puts its command line where `cargo xtask smoke` looks.
#
#   infra/release/fetch.sh <version>
#
# Needs `gh` with GH_TOKEN, and GH_REPO.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${1:?which version, such as v1.2.3}
folder=target/releases/$version
[[ $version =~ ^v[0-9][A-Za-z0-9.-]*$ ]] || { echo "no version: $version" >&2; exit 1; }

rm -rf "$folder"
mkdir -p "$folder" target/release
gh release download "$version" --dir "$folder"
(cd "$folder" && sha256sum --check --strict SHA256SUMS)
for file in "$folder"/*; do
  gh attestation verify "$file" --repo "$GH_REPO" \
    --signer-workflow "$GH_REPO/.github/workflows/release.yml" --source-ref "refs/tags/$version"
done
tar --extract --gzip --file "$folder"/longshore-cli-*.tar.gz --strip-components=1 --directory target/release
