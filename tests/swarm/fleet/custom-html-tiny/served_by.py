"""The web server is of the release that is tried, the tag's part after the `+`; what nobody laid there is not found."""

import os
import subprocess
import sys
import urllib.error
import urllib.request

told = subprocess.run(
    [os.environ["APP_RUN"], "static-web-server", "--version"], stdout=subprocess.PIPE, check=True, text=True
).stdout
version = os.environ["VERSION"].partition("+")[2]
if version not in told.split():
    sys.exit(f"{told!r} answers, not {version}")
try:
    urllib.request.urlopen(f"{os.environ['URL']}/nobody-laid-this", timeout=30)
except urllib.error.HTTPError as error:
    if error.code != 404:
        sys.exit(f"a page that is not there: {error}")
else:
    sys.exit("a page that is not there was found")
print(f"static-web-server {version} answers")
