#!/bin/sh
# Writes a dump into the database's volume, or replaces the database by that dump.
set -eu

dump=/var/lib/mysql/backup.sql

case ${1:-} in
  backup)
    mariadb-dump --single-transaction --databases "$MYSQL_DATABASE" --add-drop-database >"$dump.new"
    mv "$dump.new" "$dump"
    ;;
  restore)
    [ -s "$dump" ]
    mariadb <"$dump"
    rm "$dump"
    ;;
  *)
    echo "usage: db_backup.sh backup|restore" >&2
    exit 64
    ;;
esac
