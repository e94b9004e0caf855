"""Counts its rounds; takes a moment to write down the last one when it is told to stop."""

import os
import signal
import sys
import time
from pathlib import Path

EXPECTED = {
    "LANG": "eo.UTF-8",
    "HOME": "/data",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "DOCKER_HOST": "tcp://docker.invalid:2375",
}

found = {name: os.environ.get(name) for name in EXPECTED}
if found != EXPECTED:
    sys.exit(f"settings are {found}")
data = Path("/data")


def stop(*_):
    time.sleep(2)
    (data / "stopped-well").touch()
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
for mark in ("alive", "stopped-well"):
    (data / mark).unlink(missing_ok=True)
while True:
    # Its tmpfs is none: Swarm drops what a stack file says of one in this form.
    (data / "alive").touch()
    time.sleep(0.5)
