"""An install step: Ada makes the app known to Keycloak, by the secret that the app was given."""

import os
import subprocess

from keycloak import REALM, ask, token_of

told = subprocess.run([os.environ["APP_RUN"], "cat", "/run/secrets/client_secret"], stdout=subprocess.PIPE, check=True)
client = {"clientId": "notes", "secret": told.stdout.decode().strip(), "serviceAccountsEnabled": True}
ask("POST", f"/admin/realms/{REALM}/clients", client, token_of())
