"""`mark` makes a realm with Ada in it through the interface, `check` logs her in and asks who she is.

The check needs no admin: a database that was restored has the password of the admin it was made with.
"""

import sys

from keycloak import admin_token, ask, token_of

REALM, USER, PASSWORD = "canon", "ada", "Notes-on-the-engine-1843"
ADA = {
    "username": USER,
    "email": "ada@example.org",
    "emailVerified": True,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "enabled": True,
    "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
}


def mark():
    ask("POST", "/admin/realms", {"realm": REALM, "enabled": True}, admin_token())
    # The realm is none that a token which is older than it may manage.
    ask("POST", f"/admin/realms/{REALM}/users", ADA, admin_token())


def check():
    token = token_of(REALM, USER, PASSWORD)
    told = ask("GET", f"/realms/{REALM}/protocol/openid-connect/userinfo", token=token)
    found = [told.get(key) for key in ("preferred_username", "email", "name")]
    if found != [USER, ADA["email"], "Ada Lovelace"]:
        sys.exit(f"Keycloak says of Ada: {found}")


{"mark": mark, "check": check}[sys.argv[1]]()
