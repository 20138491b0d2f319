#!/usr/bin/env bash
# After a deployment that failed: puts back what was there before, and runs the main job once.
#
#   infra/release/roll-back.sh <version that failed> <version before> <environment>
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${1:?which version failed}
before=${2?which version was there before; empty for none}
environment=${3:?which environment of infra/samconfig.toml}

case "$before" in
  "" | unreleased)
    echo "::error::$environment had no release before $version, so there is nothing to go back to." >&2
    exit 1
    ;;
  "$version")
    echo "::error::$version was there before, too. Deploy an older release by hand (Actions, Deploy)." >&2
    exit 1
    ;;
esac
[ -d "target/releases/$before" ] || infra/release/fetch.sh "$before"
infra/release/deploy.sh "$before" "$environment"
echo "::warning::$environment is back at $before, because $version failed there." >&2
