"""A new client gets a token with its own secret; Keycloak says that it is in force, and until it is revoked."""

import sys

from keycloak import OPENID, REALM, ask, post_form, token_of

CLIENTS = f"/admin/realms/{REALM}/clients"
CLIENT = {"client_id": "round-trip", "client_secret": "Bernoulli-numbers-1843"}


def in_force(token):
    return post_form(f"{OPENID}/token/introspect", token=token, **CLIENT)["active"]


client = {"clientId": CLIENT["client_id"], "secret": CLIENT["client_secret"], "serviceAccountsEnabled": True}
ask("POST", CLIENTS, client, token_of())
token = post_form(f"{OPENID}/token", grant_type="client_credentials", **CLIENT)["access_token"]
if not in_force(token):
    sys.exit("the token that Keycloak just gave is not in force")
post_form(f"{OPENID}/revoke", token=token, token_type_hint="access_token", **CLIENT)
if in_force(token):
    sys.exit("the token is still in force though it was revoked")
[made] = ask("GET", f"{CLIENTS}?clientId={CLIENT['client_id']}", token=token_of())
ask("DELETE", f"{CLIENTS}/{made['id']}", token=token_of())
