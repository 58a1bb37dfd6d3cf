#!/usr/bin/env bash
# Compares every locked package with the vulnerabilities that PyPI knows of; arguments go to pip-audit
# (--ignore-vuln ID, with the reason beside it in the Makefile). Exit status 1: one is known, or a package is unknown.
set -euo pipefail
cd "$(dirname "$0")/.."
# pip-audit takes a version that PyPI does not answer for to be no package of PyPI.
answers() {
    .venv/bin/python - <<'PY'
import sys

import requests

try:
    answer = requests.get("https://pypi.org/pypi/requests/2.31.0/json", timeout=15)
    known = answer.ok and answer.json()["vulnerabilities"]
except (requests.RequestException, ValueError, KeyError):
    known = []
sys.exit(not known)
PY
}

if ! answers; then
    echo 'make audit was left out: https://pypi.org/pypi/NAME/VERSION/json does not tell here what is known.'
    exit 0
fi
locked=$(mktemp)
trap 'rm -f "$locked"' EXIT
# The extras exclude each other, so all packages are in two lists.
for extras in "--extra s3 --extra embedded --extra export" "--extra gpu"; do
    # shellcheck disable=SC2086 # several words
    .tools/bin/uv export --frozen --quiet --no-emit-project --all-groups $extras --output-file "$locked" >/dev/null
    .venv/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement "$locked" "$@"
done
