#!/bin/sh
# Restore a dump of `manage.py backup` into an empty database, as the role that will own the tables:
#   PGHOST=… PGUSER=crm_owner PGPASSFILE=… deploy/restore.sh FILE DATABASE [JOBS]
#
# Policies come last. With several jobs, pg_restore may create them before foreign keys, which then find no rows.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 FILE DATABASE [JOBS]" >&2; exit 2; }
bin=${PG_BIN:+$PG_BIN/}
lists=$(mktemp -d)
trap 'rm -r "$lists"' EXIT
"${bin}pg_restore" --list "$1" > "$lists/all"
grep -Ev '^[0-9; ]+ (POLICY|ROW SECURITY) ' "$lists/all" > "$lists/first"
grep -E '^[0-9; ]+ (POLICY|ROW SECURITY) ' "$lists/all" > "$lists/policies"
for list in first policies; do
    "${bin}pg_restore" --no-owner --no-acl --exit-on-error --jobs "${3:-2}" --use-list "$lists/$list" --dbname "$2" "$1"
done
# A dump has no statistics before PostgreSQL 18. Without them every plan is a guess until autovacuum has been everywhere.
# The owner can't analyze some catalogs of the server, and would get a warning for each.
"${bin}psql" --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname "$2" \
    --command 'SET client_min_messages = error' --command ANALYZE
