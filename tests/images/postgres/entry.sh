#!/bin/sh
# Makes the cluster, the role and the database on an empty volume, then serves. Settings have the names that recipes know:
# POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD_FILE, POSTGRES_INITDB_ARGS.
set -eu

role=${POSTGRES_USER:-postgres}
base=${POSTGRES_DB:-$role}
volume=$(dirname "$PGDATA")
mkdir -p /run/postgresql
chown postgres: "$volume" /run/postgresql

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ ! -d "$PGDATA" ]; then
  # Under another name until it is whole: one that was cut short is no cluster.
  new=$volume/new
  rm -rf "$new"
  install -o postgres -g postgres -m 0600 "$POSTGRES_PASSWORD_FILE" /tmp/password
  # shellcheck disable=SC2086  # several options in one setting
  as_postgres initdb --pgdata="$new" --username="$role" --auth=scram-sha-256 --auth-local=trust \
    --pwfile=/tmp/password --no-instructions ${POSTGRES_INITDB_ARGS:-}
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$new/pg_hba.conf"
  [ "$base" = postgres ] || echo "CREATE DATABASE \"$base\" OWNER \"$role\"" | as_postgres postgres --single -D "$new" postgres
  mv "$new" "$PGDATA"
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -c listen_addresses='*' -c jit=off
