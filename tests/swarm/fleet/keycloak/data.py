"""`mark` lets Ada add Grace to the realm, `check` logs Grace in and asks who she is."""

import sys

from keycloak import OPENID, REALM, ask, person, token_of

USER, PASSWORD = "grace", "Nanoseconds-of-wire-1982"
GRACE = person(USER, PASSWORD, "Grace", "Hopper")


def mark():
    ask("POST", f"/admin/realms/{REALM}/users", GRACE, token_of())


def check():
    told = ask("GET", f"{OPENID}/userinfo", token=token_of(USER, PASSWORD))
    found = [told.get(key) for key in ("preferred_username", "email", "name")]
    if found != [USER, GRACE["email"], "Grace Hopper"]:
        sys.exit(f"Keycloak says of Grace: {found}")


{"mark": mark, "check": check}[sys.argv[1]]()
