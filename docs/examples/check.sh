#!/bin/sh
# Checks the OpenAPI document with Redocly, and compiles the TypeScript here against it. `make check` runs it.
# Where npm or its packages can't be had, it says so and passes: the product needs no Node.
set -eu
python=$PWD/${BIN:-.venv/bin}/python
manage=$PWD/manage.py
cd "$(dirname "$0")"
if ! command -v npm >/dev/null; then
    echo "Skipped Redocly and TypeScript: npm isn't installed."
    exit 0
fi
if [ ! node_modules/.package-lock.json -nt package-lock.json ] && ! npm ci --silent; then
    echo "Skipped Redocly and TypeScript: npm can't install their packages."
    exit 0
fi
"$python" "$manage" spectacular --file openapi.yml
npm run --silent check
