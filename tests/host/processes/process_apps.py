"""Asks apps that run as processes."""

import urllib.request

from reconciler.ports.app import RunningApp

# What a shell adds to the environment of what it runs, whoever started it.
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


def get(seen: RunningApp, path: str) -> bytes:
    with urllib.request.urlopen(seen.url + path) as answer:  # noqa: S310 - a url of our own
        body: bytes = answer.read()
    return body
