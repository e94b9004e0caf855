#!/bin/sh
# Sets the superuser's password from the secret, then serves; all that lives is in /data.
set -eu

# The program was renamed between the two releases.
server=$(command -v mumble-server || command -v murmurd)
user=mumble-server
cat >/tmp/mumble.ini <<INI
database=/data/mumble.sqlite
port=64738
logfile=
welcometext=${MUMBLE_WELCOME_TEXT:-}
users=${MUMBLE_USERS:-100}
INI
chown -R "$user:" /data

as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }

as_user "$server" -ini /tmp/mumble.ini -readsupw </run/secrets/superuser_password
exec setpriv --reuid="$user" --regid="$user" --clear-groups "$server" -fg -ini /tmp/mumble.ini
