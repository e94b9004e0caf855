#!/bin/sh
# The settings are written once, and are to change no more.
set -eu

[ -e "$GITEA_APP_INI" ] || install -m 0444 /app.ini "$GITEA_APP_INI"
exec gitea --config "$GITEA_APP_INI" web
