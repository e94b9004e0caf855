#!/bin/sh
# Makes the system's tables, the database and its user on an empty volume, then serves. Settings have the names that recipes
# know: MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD_FILE. The administrator is root, through the socket alone.
set -eu

volume=/var/lib/mysql
data=$volume/data
install -d -o mysql -g mysql "$volume" /run/mysqld

if [ ! -d "$data" ]; then
  # Under another name until it is whole: one that was cut short is no database.
  new=$volume/new
  rm -rf "$new"
  mariadb-install-db --user=mysql --datadir="$new" --skip-test-db >/dev/null
  password=$(cat "$MYSQL_PASSWORD_FILE")
  mariadbd --user=mysql --datadir="$new" --bootstrap <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE \`$MYSQL_DATABASE\` CHARACTER SET utf8mb4;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$password';
GRANT ALL ON \`$MYSQL_DATABASE\`.* TO '$MYSQL_USER'@'%';
SQL
  mv "$new" "$data"
fi
exec mariadbd --user=mysql --datadir="$data" --bind-address=0.0.0.0 --skip-name-resolve
