"""A client without any guard, to compare with: posts `ls-refs` to the URLs on standard input, eight at once.

It takes every answer as good: no deadline, no fallback, no check of the packets, no record.
"""

import hashlib
import os
import sys
from io import BytesIO

import pycurl

BODY = (
    b"0014command=ls-refs\n00010009peel\n000csymrefs\n0014ref-prefix HEAD\n"
    b"001bref-prefix refs/heads/\n001aref-prefix refs/tags/\n0000"
)
HEADERS = ["Content-Type: application/x-git-upload-pack-request", "Git-Protocol: version=2", "Expect:"]


def main() -> None:
    urls = sys.stdin.read().split()
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 8)
    running: dict[pycurl.Curl, BytesIO] = {}
    idle = [new_handle() for _ in range(8)]
    digests = set[bytes]()
    while urls or running:
        while urls and idle:
            handle, body = idle.pop(), BytesIO()
            handle.setopt(pycurl.URL, f"{urls.pop()}/git-upload-pack")
            handle.setopt(pycurl.WRITEFUNCTION, body.write)
            running[handle] = body
            multi.add_handle(handle)
        multi.perform()
        _, done, failed = multi.info_read()
        if failed:
            sys.exit(f"{failed[0][2]}")
        for handle in done:
            multi.remove_handle(handle)
            digests.add(hashlib.sha256(running.pop(handle).getvalue()).digest())
            idle.append(handle)
        if not done:
            multi.select(1.0)
    print(len(digests))


def new_handle() -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.POSTFIELDS, BODY)
    handle.setopt(pycurl.HTTPHEADER, HEADERS)
    if "GIT_SSL_CAINFO" in os.environ:
        handle.setopt(pycurl.CAINFO, os.environ["GIT_SSL_CAINFO"])
    return handle


if __name__ == "__main__":
    main()
