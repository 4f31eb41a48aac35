#!/bin/sh
# Creates the two roles and the database when the database's volume is new. docs/deploying.md explains them.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE crm_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE crm LOGIN PASSWORD :'app_password';
CREATE DATABASE crm OWNER crm_owner;
SQL
