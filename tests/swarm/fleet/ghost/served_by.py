"""Ghost is of the release that is tried: the first two numbers of the tag's part after the `+`."""

import os
import re
import sys

from ghost import get

found = re.search(r'<meta name="generator" content="Ghost ([0-9.]+)"', get("/").decode())
wanted = os.environ["VERSION"].partition("+")[2].rpartition(".")[0]
if not found or found[1] != wanted:
    sys.exit(f"{found[0] if found else 'a page without a generator'} answers, not Ghost {wanted}")
print(f"Ghost {found[1]} answers")
