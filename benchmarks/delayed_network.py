"""Two network namespaces, joined so that every packet between them takes 10 ms, as to a forge far away. Needs root."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

FORGE_ADDRESS = "10.213.0.2"
CLIENT_ADDRESS = "10.213.0.1"
_SECONDS_ONE_WAY = 0.010

# From Linux's headers: linux/sched.h, linux/if_tun.h.
_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
_PACKET = 65_536


@frozen
class DelayedNetwork:
    """The names of the two namespaces."""

    client: str
    forge: str

    def inside(self, namespace: str, *argv: str) -> tuple[str, ...]:
        """Return the command that runs `argv` in a namespace."""
        return ("ip", "netns", "exec", namespace, *argv)


@contextmanager
def delayed_network() -> Iterator[DelayedNetwork]:
    """Make both namespaces and start the relay; end it and remove both afterwards."""
    made = DelayedNetwork(f"bench-client-{os.getpid()}", f"bench-forge-{os.getpid()}")
    relay = None
    try:
        for namespace in (made.client, made.forge):
            _run("ip", "netns", "add", namespace)
        argv = (sys.executable, "-m", "benchmarks.delayed_network", made.client, made.forge)
        relay = subprocess.Popen(argv, stdout=subprocess.PIPE)
        if relay.stdout is None or relay.stdout.readline() != b"ready\n":
            raise OSError("the relay did not start")
        for namespace, own in ((made.client, CLIENT_ADDRESS), (made.forge, FORGE_ADDRESS)):
            _run(*made.inside(namespace, "ip", "link", "set", "lo", "up"))
            _run(*made.inside(namespace, "ip", "address", "add", f"{own}/24", "dev", "tun0"))
            _run(*made.inside(namespace, "ip", "link", "set", "tun0", "up", "txqueuelen", "10000"))
        yield made
    finally:
        if relay is not None:
            relay.terminate()
            relay.wait()
        for namespace in (made.client, made.forge):
            subprocess.run(("ip", "netns", "delete", namespace), check=False)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


def _open_tun(namespace: str) -> int:
    """Return the descriptor of the new device tun0 in a namespace. Moves this process into that namespace."""
    with Path(f"/run/netns/{namespace}").open("rb") as entered:
        _enter(entered.fileno())
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", b"tun0", _TUN_WITHOUT_HEADER))
    return device


def _enter(descriptor: int) -> None:
    # os.setns came with Python 3.12.
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def relay(first: int, second: int) -> None:
    """Pass every packet from one device to the other, each after the delay. Does not return."""
    other = {first: second, second: first}
    waiting: deque[tuple[float, int, bytes]] = deque()
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, device, packet = waiting.popleft()
            # Full, or not up yet: the packet is lost, and TCP sends it again.
            with suppress(OSError):
                os.write(device, packet)
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for device in select.select([first, second], [], [], pause)[0]:
            with suppress(BlockingIOError):
                while True:
                    packet = os.read(device, _PACKET)
                    waiting.append((time.monotonic() + _SECONDS_ONE_WAY, other[device], packet))


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    devices = [_open_tun(namespace) for namespace in sys.argv[1:]]
    print("ready", flush=True)
    relay(*devices)


if __name__ == "__main__":
    main()
