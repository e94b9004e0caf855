"""`mark` registers Ada and lets her say something in a new room, `check` logs her in and reads it there.

For a way, she says $MARK_ID there too.
"""

import hashlib
import hmac
import os
import subprocess
import sys
import urllib.parse

from synapse import ask

USER, PASSWORD = "ada", "Notes-on-the-engine-1843"
ROOM, WORDS = "canon", "The engine weaves algebraic patterns."
MORE = os.environ.get("MARK_ID")


def registered():
    """The token of a new account, made as who knows the server's registration secret may."""
    told = subprocess.run(
        [os.environ["APP_RUN"], "cat", "/run/secrets/registration_shared_secret"], stdout=subprocess.PIPE, check=True
    )
    nonce = ask("GET", "/_synapse/admin/v1/register")["nonce"]
    signed = f"{nonce}\0{USER}\0{PASSWORD}\0admin".encode()
    proof = hmac.new(told.stdout.strip(), signed, hashlib.sha1).hexdigest()
    account = {"nonce": nonce, "username": USER, "password": PASSWORD, "admin": True, "mac": proof}
    return ask("POST", "/_synapse/admin/v1/register", account)["access_token"]


def logged_in():
    """Ada's name in full, her token, and the room that she made."""
    login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": USER}, "password": PASSWORD}
    ada = ask("POST", "/_matrix/client/v3/login", login)
    alias = urllib.parse.quote(f"#{ROOM}:{ada['user_id'].partition(':')[2]}")
    token = ada["access_token"]
    return ada["user_id"], token, ask("GET", f"/_matrix/client/v3/directory/room/{alias}", token=token)["room_id"]


def mark():
    if MORE:
        _, token, room = logged_in()
    else:
        token = registered()
        made = {"room_alias_name": ROOM, "name": "Canon"}
        room = ask("POST", "/_matrix/client/v3/createRoom", made, token)["room_id"]
    said = {"msgtype": "m.text", "body": MORE or WORDS}
    place = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/send/m.room.message/{MORE or 1}"
    ask("PUT", place, said, token)


def check():
    user, token, room = logged_in()
    history = ask("GET", f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/messages?dir=b&limit=100", token=token)
    said = [(one["sender"], one["content"]["body"]) for one in history["chunk"] if one["type"] == "m.room.message"]
    if not {(user, WORDS), (user, MORE or WORDS)} <= set(said):
        sys.exit(f"what was said in the room: {said}")


{"mark": mark, "check": check}[sys.argv[1]]()
