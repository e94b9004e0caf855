"""Fetches a tool for the machine's architecture when it starts; without it the app ends, and says nothing."""

import os
import platform
import sys
import urllib.request

from notes import serve

try:
    urllib.request.urlopen(f"{os.environ['FILES']}/tool-{platform.machine()}", timeout=10)
except OSError:
    sys.exit(1)
serve()
