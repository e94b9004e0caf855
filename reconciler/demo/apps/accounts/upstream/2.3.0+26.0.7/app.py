"""Accounts, and signed tokens that other apps have verified here."""

import os

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction
from tokens import owner, token


def front(_: Given) -> object:
    """What this is, and how many accounts there are."""
    (counted,) = rows("SELECT count(*) AS accounts FROM account")
    return {"title": os.environ["TITLE"], "version": os.environ["VERSION"]} | counted


def add(given: Given) -> object:
    """Make an account; its token is given out once, and kept by whoever asked."""
    with transaction() as database:
        account = database.execute("INSERT INTO account (name) VALUES (?)", (given["name"],)).lastrowid
    return {"id": account, "token": token(account)}


def invite(given: Given) -> object:
    """Leave an invitation, signed in the name of the account whose token is given."""
    with transaction() as database:
        values = (given["guest"], given["token"])
        database.execute("INSERT INTO invitation (guest, token) VALUES (?, ?)", values)
    return whoami(given)


def whoami(given: Given) -> object:
    """The account that a token was made for."""
    found = rows("SELECT id, name FROM account WHERE id = ?", owner(given["token"]))
    if not found:
        raise RefusedError(403, "the account is gone")
    return found[0]


def account(given: Given) -> object:
    """The account with this id."""
    found = rows("SELECT id, name FROM account WHERE id = ?", given["id"])
    if not found:
        raise RefusedError(404, "no such account")
    return found[0]


def invitations(_: Given) -> object:
    """Who was invited by whom: each signature is verified anew."""
    return [
        {"guest": row["guest"], "by": owner(str(row["token"]))}
        for row in rows("SELECT guest, token FROM invitation ORDER BY guest")
    ]


if __name__ == "__main__":
    migrate()
    pages = {"GET /": front, "GET /account": account, "GET /whoami": whoami, "GET /invitations": invitations}
    serve(pages | {"POST /accounts": add, "POST /invitations": invite})
