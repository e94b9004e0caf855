"""Accounts, and signed tokens that other apps have verified here."""

import os

from serving import Given, RefusedError, serve
from store import migrate, rows, transaction
from tokens import owner, token


def front(_: Given) -> object:
    """Return the title and version of the app, and how many accounts there are."""
    (counted,) = rows("SELECT count(*) AS accounts FROM account")
    return {"title": os.environ["TITLE"], "version": os.environ["VERSION"]} | counted


def add(given: Given) -> object:
    """Make an account. Return its id and its token, which the app does not store."""
    with transaction() as database:
        account = database.execute(
            "INSERT INTO account (name, display) VALUES (?, ?)",
            (given["name"], given.get("display", given["name"].capitalize())),
        ).lastrowid
    return {"id": account, "token": token(account)}


def invite(given: Given) -> object:
    """Store an invitation in the name of the account whose token is given. Return that account."""
    with transaction() as database:
        values = (given["guest"], given["token"])
        database.execute("INSERT INTO invitation (guest, token) VALUES (?, ?)", values)
    return whoami(given)


def whoami(given: Given) -> object:
    """Return the account for which the given token was made."""
    found = rows("SELECT id, name, display FROM account WHERE id = ?", owner(given["token"]))
    if not found:
        raise RefusedError(403, "the account is gone")
    return found[0]


def account(given: Given) -> object:
    """Return the account with the given id."""
    found = rows("SELECT id, name, display FROM account WHERE id = ?", given["id"])
    if not found:
        raise RefusedError(404, "no such account")
    return found[0]


def invitations(_: Given) -> object:
    """Return who was invited by which account. Each signature is checked again."""
    return [
        {"guest": row["guest"], "by": owner(str(row["token"]))}
        for row in rows("SELECT guest, token FROM invitation ORDER BY guest")
    ]


if __name__ == "__main__":
    migrate()
    pages = {"GET /": front, "GET /account": account, "GET /whoami": whoami, "GET /invitations": invitations}
    serve(pages | {"POST /accounts": add, "POST /invitations": invite})
