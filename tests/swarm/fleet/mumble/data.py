"""`mark` lets the superuser make a lasting channel, `check` logs in as a guest and sees it."""

import os
import subprocess
import sys

from protocol import Mumble

CHANNEL = "Analytical Engine"


def mark():
    told = [os.environ["APP_RUN"], "cat", "/run/secrets/superuser_password"]
    password = subprocess.run(told, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    Mumble("SuperUser", password).make_channel(CHANNEL)


def check():
    channels = Mumble("guest").channels
    if CHANNEL not in channels:
        sys.exit(f"no channel {CHANNEL!r}, only {sorted(channels)}")


{"mark": mark, "check": check}[sys.argv[1]]()
