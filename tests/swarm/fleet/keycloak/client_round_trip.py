"""A new client gets a token with its own secret; Keycloak says that it is in force, and until it is revoked."""

import os
import sys

from keycloak import admin_token, ask, post_form

REALM = f"clients-{os.getpid()}"
CLIENT = {"client_id": "notes", "client_secret": "Bernoulli-numbers-1843"}
OPENID = f"/realms/{REALM}/protocol/openid-connect"


def in_force(token):
    return post_form(f"{OPENID}/token/introspect", token=token, **CLIENT)["active"]


ask("POST", "/admin/realms", {"realm": REALM, "enabled": True}, admin_token())
client = {"clientId": CLIENT["client_id"], "secret": CLIENT["client_secret"], "serviceAccountsEnabled": True}
ask("POST", f"/admin/realms/{REALM}/clients", client | {"publicClient": False}, admin_token())
token = post_form(f"{OPENID}/token", grant_type="client_credentials", **CLIENT)["access_token"]
if not in_force(token):
    sys.exit("the token that Keycloak just gave is not in force")
post_form(f"{OPENID}/revoke", token=token, token_type_hint="access_token", **CLIENT)
if in_force(token):
    sys.exit("the token is still in force though it was revoked")
ask("DELETE", f"/admin/realms/{REALM}", token=admin_token())
