"""Keeps pages; starts only with all that it was declared to have."""

import configparser
import sys
from pathlib import Path

from notes import serve

SECRETS = {"admin_password", "db-password", "jwt-key", "SESSION_KEY", "salt", "mail_password", "search_key"}

found = {path.name for path in Path("/run/secrets").iterdir() if path.read_text()}
if found != SECRETS:
    sys.exit(f"secrets are {sorted(found)}")
settings = configparser.ConfigParser(interpolation=None)
settings.read("/etc/wiki.ini")
wiki = settings["wiki"]
if wiki["jwt_key"] != Path("/run/secrets/jwt-key").read_text().strip():
    sys.exit("the settings bear another key than the secret")
if not all(wiki.values()):
    sys.exit(f"settings are missing: {dict(wiki)}")
serve()
