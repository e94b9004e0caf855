"""Makes an account at the accounts app, and writes with its token."""

import json
import os

from calling import call, post

made = call(os.environ["ACCOUNTS_URL"], "/accounts", {}, json.dumps({"name": "lovelace"}).encode())
post("/entries", token=made["token"], text="The engine weaves patterns.")
