"""An install step: a realm with Ada in it, who rules it. Who needs Keycloak finds both."""

import os
import subprocess

from keycloak import PASSWORD, REALM, USER, ask, person, token_of

told = subprocess.run([os.environ["APP_RUN"], "cat", "/run/secrets/admin_password"], stdout=subprocess.PIPE, check=True)
ada = person(USER, PASSWORD, "Ada", "Lovelace") | {"clientRoles": {"realm-management": ["realm-admin"]}}
admin = token_of("admin", told.stdout.decode().strip(), "master")
ask("POST", "/admin/realms", {"realm": REALM, "enabled": True, "users": [ada]}, admin)
