#!/bin/sh
# The step of action.yml. The lock file pins every dependency; nothing else is downloaded.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
main=$root/dist/src/cli/main.js
[ -f "$main" ] || (cd "$root" && npm ci --ignore-scripts && npm run -s build)
# Domains and options are words and never patterns of file names.
set -f
status=0
# shellcheck disable=SC2086
node "$main" check --sarif "$HERMETIC_SARIF" --profile "$HERMETIC_PROFILE" \
  --fail-on "$HERMETIC_FAIL_ON" $HERMETIC_OPTIONS -- $HERMETIC_DOMAINS || status=$?
echo "status=$status" >> "${GITHUB_OUTPUT:-/dev/null}"
if [ "$status" = 3 ]; then
  echo "::error::No certain result. Hosted runners block port 25: use a runner of your own."
fi
exit "$status"
