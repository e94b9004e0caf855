#!/bin/sh
# Its own themes come with each release; everything else of the content is the volume's.
set -eu

for folder in data files images logs media public settings themes; do mkdir -p "$GHOST_CONTENT/$folder"; done
for theme in current/content/themes/*/; do
  rm -rf "$GHOST_CONTENT/themes/$(basename "$theme")"
  cp -r "$theme" "$GHOST_CONTENT/themes/"
done
chown -R node: "$GHOST_CONTENT"
exec setpriv --reuid=node --regid=node --clear-groups node current/index.js
