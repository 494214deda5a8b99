#!/bin/sh
# Makes Polku's roles and database in PostgreSQL; run again, it only gives the roles the passwords of now.
#
#   SECRETS=FOLDER sh deploy/roles.sh
#
# Connects as a superuser by the usual variables (PGHOST, PGPORT, PGUSER, PGPASSWORD or PGPASSFILE). FOLDER holds the
# passwords, one a file: owner-password, app-password, auditor-password. They are read by psql itself and stand on no
# command line. In a container of PostgreSQL this is the script of /docker-entrypoint-initdb.d.
set -eu
SECRETS=${SECRETS:-/run/secrets}
DATABASE=${POLKU_DATABASE:-polku}
export SECRETS DATABASE
for role in owner app auditor; do
    [ -s "$SECRETS/$role-password" ] || {
        echo "roles.sh: $SECRETS/$role-password is missing or empty" >&2
        exit 1
    }
done

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${PGUSER:-${POSTGRES_USER:-postgres}}" --dbname postgres <<'SQL'
\set owner `cat "$SECRETS/owner-password"`
\set app `cat "$SECRETS/app-password"`
\set auditor `cat "$SECRETS/auditor-password"`
\set database `echo "$DATABASE"`
-- Statements with passwords are kept out of the server's log.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
-- polku_owner owns the tables and migrates; polku_app is the service, owns nothing and cannot change what is recorded;
-- polku_auditor reads what the chains commit to.
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['polku_owner', 'polku_app', 'polku_auditor']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE polku_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'owner';
ALTER ROLE polku_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app';
ALTER ROLE polku_auditor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'auditor';
SELECT format('CREATE DATABASE %I OWNER polku_owner TEMPLATE template0 ENCODING ''UTF8''', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'database') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO polku_app, polku_auditor', :'database') \gexec
SQL
echo "roles.sh: the roles polku_owner, polku_app and polku_auditor and the database $DATABASE are there"
