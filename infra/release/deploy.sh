#!/usr/bin/env bash
# Deploys a release that is in target/releases/<version>, and runs the main job there once.
#
#   infra/release/deploy.sh <version> <environment>
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${1:?which version, such as v1.2.3}
environment=${2:?which environment of infra/samconfig.toml}
[[ $version =~ ^v[0-9][A-Za-z0-9.-]*$ ]] || { echo "no version: $version" >&2; exit 1; }

archives=("target/releases/$version/longshore-$version"-*.tar.gz)
said=$(cargo xtask release deploy "${archives[0]}" "$environment" | tee /dev/stderr)
api=$(sed -n 's/^api=//p' <<<"$said")
stack=$(sed -n 's/^stack=//p' <<<"$said")
cargo xtask smoke "$api" --stack "$stack"
