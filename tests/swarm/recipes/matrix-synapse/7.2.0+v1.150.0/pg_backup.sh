#!/bin/sh
# Writes a dump into the database's volume, or replaces the database by that dump.
set -eu

dump=/var/lib/postgresql/data/backup.sql

case ${1:-} in
  backup)
    pg_dump --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file "$dump.new"
    mv "$dump.new" "$dump"
    ;;
  restore)
    [ -s "$dump" ]
    # The app is connected, and does not let go by itself.
    sql="psql --username $POSTGRES_USER --quiet --set ON_ERROR_STOP=1"
    $sql --dbname postgres --command "DROP DATABASE \"$POSTGRES_DB\" WITH (FORCE)"
    $sql --dbname postgres --command "CREATE DATABASE \"$POSTGRES_DB\" TEMPLATE template0"
    $sql --dbname "$POSTGRES_DB" --single-transaction --output /dev/null --file "$dump"
    rm "$dump"
    ;;
  *)
    echo "usage: pg_backup.sh backup|restore" >&2
    exit 64
    ;;
esac
