"""As much of Mumble's protocol as it takes to log in, see the channels and make one.

A message is its kind and its length (!HI), then protobuf: fields, each with a key (number << 3 | wire type) before it.
"""

import os
import socket
import ssl
import struct

VERSION, AUTHENTICATE, REJECT, SERVER_SYNC, CHANNEL_STATE, DENIED = 0, 2, 4, 5, 7, 12
# Fields of Version (1.2.4, which both releases still speak), Authenticate and ChannelState.
SPOKEN = 0x010204
V_NUMBER, A_NAME, A_PASSWORD, A_OPUS, C_PARENT, C_NAME = 1, 1, 2, 5, 2, 3


def varint(number):
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def read_varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return number, at


def packed(fields):
    """Protobuf of {field: number or text}."""
    parts = []
    for field, value in fields.items():
        if isinstance(value, int):
            parts += [varint(field << 3), varint(value)]
        else:
            parts += [varint(field << 3 | 2), varint(len(value.encode())), value.encode()]
    return b"".join(parts)


def unpacked(data):
    """{field: number or bytes} of protobuf; of a repeated field the last."""
    fields, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        fields[key >> 3] = value
    return fields


class Mumble:
    """A login at the server at $ADDRESS; `channels` are the names of those that are there."""

    def __init__(self, name, password=""):
        host, _, port = os.environ["ADDRESS"].rpartition(":")
        trust = ssl.create_default_context()
        # The server made its own certificate; it is reached over the loopback address.
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        self.line = trust.wrap_socket(socket.create_connection((host, int(port)), timeout=30))
        self.channels = set()
        self.say(VERSION, {V_NUMBER: SPOKEN})
        self.say(AUTHENTICATE, {A_NAME: name, A_PASSWORD: password, A_OPUS: 1})
        self.hear(SERVER_SYNC)

    def say(self, kind, fields):
        data = packed(fields)
        self.line.sendall(struct.pack("!HI", kind, len(data)) + data)

    def hear(self, awaited):
        """Read messages until one of the kind `awaited`; its fields."""
        while True:
            kind, length = struct.unpack("!HI", self.exactly(6))
            data = self.exactly(length)
            if kind in {REJECT, DENIED}:
                raise SystemExit(f"the server refuses: {data!r}")
            fields = unpacked(data) if kind in {CHANNEL_STATE, SERVER_SYNC} else {}
            if kind == CHANNEL_STATE and C_NAME in fields:
                self.channels.add(fields[C_NAME].decode())
            if kind == awaited:
                return fields

    def exactly(self, count):
        data = b""
        while len(data) < count:
            if not (more := self.line.recv(count - len(data))):
                raise SystemExit("the server hung up")
            data += more
        return data

    def make_channel(self, name):
        """A lasting one, directly below the root (channel 0)."""
        self.say(CHANNEL_STATE, {C_PARENT: 0, C_NAME: name})
        while name not in self.channels:
            self.hear(CHANNEL_STATE)
