#!/bin/sh
set -eu

chown pds: /pds
exec setpriv --reuid=pds --regid=pds --clear-groups node /app/index.mjs
