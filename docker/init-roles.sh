#!/bin/sh
# First start of the database: two roles. The owner runs migrations, the app's role reads and writes.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
  --set owner="$(cat /run/secrets/owner_password)" --set app="$(cat /run/secrets/app_password)" <<'SQL'
CREATE ROLE sise_owner LOGIN PASSWORD :'owner';
CREATE ROLE sise_app LOGIN PASSWORD :'app';
ALTER DATABASE sise OWNER TO sise_owner;
ALTER SCHEMA public OWNER TO sise_owner;
CREATE EXTENSION IF NOT EXISTS timescaledb;
SQL
