"""Names that people claim, each signed with the rotation key."""

import hmac
import json
import os
from pathlib import Path

from keys import loaded, signature
from serving import Given, RefusedError, serve

KEY = loaded()
CLAIMS = Path(os.environ["DATA_DIR"], "claims")


def front(_: Given) -> object:
    """Return the version of the app, the id of its key, and how many claims there are."""
    return {"version": os.environ["VERSION"], "kid": KEY["kid"], "claims": len(list(CLAIMS.iterdir()))}


def claim(given: Given) -> object:
    """Sign a name, and store the claim. A name can be claimed only once."""
    name = given["name"]
    if not name.isalnum():
        raise RefusedError(422, "a name is letters and digits")
    record = {"name": name, "signature": signature(KEY, name)}
    try:
        with (CLAIMS / name).open("x", encoding="utf-8") as file:
            json.dump(record, file)
    except FileExistsError as taken:
        raise RefusedError(409, "that name is taken") from taken
    return record


def verified(given: Given) -> object:
    """Return a stored claim, and whether its signature is by this app's key."""
    if not given["name"].isalnum() or not (CLAIMS / given["name"]).exists():
        raise RefusedError(404, "nobody claims that name")
    record = json.loads((CLAIMS / given["name"]).read_text(encoding="utf-8"))
    ours = hmac.compare_digest(record["signature"], signature(KEY, record["name"]))
    return record | {"valid": ours}


if __name__ == "__main__":
    CLAIMS.mkdir(exist_ok=True)
    serve({"GET /": front, "POST /claims": claim, "GET /claim": verified})
