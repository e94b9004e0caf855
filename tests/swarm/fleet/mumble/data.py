"""`mark` lets the superuser make a lasting channel, `check` logs in as a guest and sees it.

For a way, a second channel is named $MARK_ID.
"""

import os
import subprocess
import sys

from protocol import Mumble

CHANNEL = "Analytical Engine"
MORE = os.environ.get("MARK_ID")


def mark():
    told = [os.environ["APP_RUN"], "cat", "/run/secrets/superuser_password"]
    password = subprocess.run(told, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    Mumble("SuperUser", password).make_channel(MORE or CHANNEL)


def check():
    channels = Mumble("guest").channels
    if missing := {CHANNEL, MORE or CHANNEL} - channels:
        sys.exit(f"no channel {sorted(missing)}, only {sorted(channels)}")


{"mark": mark, "check": check}[sys.argv[1]]()
