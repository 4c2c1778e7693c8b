#!/bin/bash
# Make the three roles and the database on a fresh PostgreSQL, as its superuser.
# The official image runs it once, from its folder for first starts; elsewhere run it by hand with
# PGHOST and so on, and with the three passwords in the environment. May be repeated.
set -euo pipefail

: "${BILLING_OWNER_PASSWORD:?}" "${BILLING_APP_PASSWORD:?}" "${BILLING_MAINTENANCE_PASSWORD:?}"

psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
  --set=owner="$BILLING_OWNER_PASSWORD" --set=app="$BILLING_APP_PASSWORD" --set=maintenance="$BILLING_MAINTENANCE_PASSWORD" <<'SQL'
SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['billing_owner', 'billing_app', 'billing_maintenance']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
-- No role of the product is a superuser, and only maintenance passes row security.
ALTER ROLE billing_owner       LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'owner';
ALTER ROLE billing_app         LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'app';
ALTER ROLE billing_maintenance LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION   BYPASSRLS PASSWORD :'maintenance';
ALTER ROLE billing_owner SET lock_timeout = '30s';
SELECT 'CREATE DATABASE billing OWNER billing_owner TEMPLATE template0 ENCODING ''UTF8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'billing') \gexec
REVOKE ALL ON DATABASE billing FROM PUBLIC;
GRANT CONNECT ON DATABASE billing TO billing_app, billing_maintenance;
SQL
