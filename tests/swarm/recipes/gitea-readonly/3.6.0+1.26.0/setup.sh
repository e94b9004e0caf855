#!/bin/sh
# The settings are written once; what the environment says of them is brought in at every start.
set -eu

[ -e "$GITEA_APP_INI" ] || install -m 0644 /app.ini "$GITEA_APP_INI"
gitea --config "$GITEA_APP_INI" config edit-ini --in-place --apply-env
exec gitea --config "$GITEA_APP_INI" web
