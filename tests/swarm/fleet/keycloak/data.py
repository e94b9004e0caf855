"""`mark` lets Ada add Grace to the realm, `check` logs Grace in and asks who she is.

For a way, Ada also adds somebody named $MARK_ID, who then logs in.
"""

import os
import sys

from keycloak import OPENID, REALM, ask, person, token_of

USER, PASSWORD = "grace", "Nanoseconds-of-wire-1982"
GRACE = person(USER, PASSWORD, "Grace", "Hopper")
MORE = os.environ.get("MARK_ID")


def mark():
    added = person(MORE, PASSWORD, "Ann", "Other") if MORE else GRACE
    ask("POST", f"/admin/realms/{REALM}/users", added, token_of())


def check():
    told = ask("GET", f"{OPENID}/userinfo", token=token_of(USER, PASSWORD))
    found = [told.get(key) for key in ("preferred_username", "email", "name")]
    if found != [USER, GRACE["email"], "Grace Hopper"]:
        sys.exit(f"Keycloak says of Grace: {found}")
    if MORE:
        token_of(MORE, PASSWORD)


{"mark": mark, "check": check}[sys.argv[1]]()
