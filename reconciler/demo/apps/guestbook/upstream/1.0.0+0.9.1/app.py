"""A guestbook whose writers are members of the accounts app."""

import json
import os
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction


def ask_accounts(page: str, **query: str) -> dict:
    """Return what the accounts app answers. If it refuses, raise RefusedError with the same status."""
    try:
        with urlopen(f"{os.environ['ACCOUNTS_URL']}/{page}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)
    except HTTPError as refused:
        raise RefusedError(refused.code, json.load(refused)["error"]) from refused


def front(_: Given) -> object:
    """Return the version of the app, and how many entries it has."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS entries FROM entry")[0]


def write(given: Given) -> object:
    """Store an entry of the account whose token is given. Return the number of this account."""
    writer = ask_accounts("whoami", token=given["token"])["id"]
    with transaction() as database:
        database.execute("INSERT INTO entry (writer, text) VALUES (?, ?)", (writer, given["text"]))
    return {"writer": writer}


def entries(_: Given) -> object:
    """Return all entries, with the present names of their writers."""
    return [
        {"text": row["text"], "writer": ask_accounts("account", id=str(row["writer"]))["name"]}
        for row in rows("SELECT text, writer FROM entry ORDER BY id")
    ]


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /entries": write, "GET /entries": entries})
