#!/bin/sh
# The build steps of deploy/Dockerfile without a container, in a new folder: deploy/build_steps.sh FOLDER [PYTHON]
set -eu
target=$1
python=${2:-python3}
cd "$(dirname "$0")/.."
mkdir "$target"
# Copies what the Dockerfile copies.
sed -n '/ AS build$/,/^FROM python:[^ ]*$/s/^COPY \(.*\) [^ ]*$/\1/p' deploy/Dockerfile | while read -r path; do
    mkdir -p "$target/$(dirname "$path")"
    cp -R "$path" "$target/$path"
done
cd "$target"
"$python" -m venv .venv
.venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
.venv/bin/python manage.py collectstatic --noinput
.venv/bin/python manage.py check
