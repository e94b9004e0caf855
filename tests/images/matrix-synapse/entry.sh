#!/bin/sh
# Makes the signing key on an empty volume, then serves what $SYNAPSE_CONFIG_PATH says.
set -eu

chown synapse: /data
as_synapse="setpriv --reuid=synapse --regid=synapse --clear-groups"
cd /data
$as_synapse python3 -m synapse.app.homeserver --config-path "$SYNAPSE_CONFIG_PATH" --generate-keys
exec $as_synapse python3 -m synapse.app.homeserver --config-path "$SYNAPSE_CONFIG_PATH"
