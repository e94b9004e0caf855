"""A guestbook whose writers are members of the accounts app."""

import json
import os
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction


def ask_accounts(page: str, **query: str) -> dict:
    """What the accounts app answers; its refusals are ours."""
    try:
        with urlopen(f"{os.environ['ACCOUNTS_URL']}/{page}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)
    except HTTPError as refused:
        raise RefusedError(refused.code, json.load(refused)["error"]) from refused


def front(_: Given) -> object:
    """What this is, and how many entries it holds."""
    return {"version": os.environ["VERSION"]} | rows("SELECT count(*) AS entries FROM entry")[0]


def write(given: Given) -> object:
    """Keep an entry under the number of the account whose token is given."""
    writer = ask_accounts("whoami", token=given["token"])["id"]
    with transaction() as database:
        database.execute("INSERT INTO entry (writer, text) VALUES (?, ?)", (writer, given["text"]))
    return {"writer": writer}


def entries(_: Given) -> object:
    """All entries that are not hidden, with the names that their writers have now."""
    return [
        {"text": row["text"], "writer": ask_accounts("account", id=str(row["writer"]))["name"]}
        for row in rows("SELECT text, writer FROM entry WHERE NOT hidden ORDER BY id")
    ]


if __name__ == "__main__":
    migrate()
    serve({"GET /": front, "POST /entries": write, "GET /entries": entries})
