"""Tells from a message of Docker whether the host or the recipe is to blame."""

import re
from collections.abc import Sequence

from attrs import frozen

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.text import one_line


@frozen
class _Fault:
    """A pattern for messages of Docker, and what such messages mean.

    * `words`: the pattern.
    * `of_host`: True for a fault of the host, False for one of the recipe.
    * `hint`: what a user can do about it; "" if nothing is known.
    """

    words: re.Pattern[bytes]
    of_host: bool
    hint: str = ""


def _fault(words: str, hint: str = "", *, of_host: bool = True) -> _Fault:
    return _Fault(re.compile(words.encode(), re.IGNORECASE | re.MULTILINE), of_host, hint)


# In characters. Docker puts long ids of containers and endpoints before the reason.
LONGEST_MESSAGE = 600

_ANYTHING = re.compile(b"")

# The first match counts. Messages of Docker Engine 20.10 and of clients up to 28.
_FAULTS = (
    _fault(
        r"permission denied while trying to connect|dial unix \S+ connect: permission denied",
        "add the user that runs Canon to the group of Docker's socket",
    ),
    _fault(
        r"cannot connect to the docker daemon|failed to connect to the docker api|error during connect",
        "start Docker; if its socket is elsewhere, pass DOCKER_HOST: [environment] pass",
    ),
    _fault(
        r"this node is not a swarm manager|not part of a swarm",
        "make this host a manager of a swarm: docker swarm init",
    ),
    _fault(r"no space left on device|disk quota exceeded", "make room where the engine keeps its data"),
    _fault(
        r"non-overlapping IPv4 address pool|no available (?:IPv4 )?address(?:es)?",
        "remove networks that are not used, or give Docker more room: default-address-pools",
    ),
    _fault(
        r"network \S+ is declared as external, but",
        "create it as the recipes expect it: docker network create --driver overlay NAME",
    ),
    _fault(
        r"port is already allocated|address already in use|port already in use",
        "free the port, or let the recipe publish another one by an overlay",
    ),
    _fault(
        r"manifest (?:for \S+ )?(?:unknown|not found)|not found: manifest|no such image|invalid reference format"
        r"|no matching manifest|failed to resolve reference \S+: \S+: not found$",
        of_host=False,
    ),
    _fault(r"could not find the file .+? in container", of_host=False),
    _fault(
        r"pull access denied|requested access to the resource is denied|unauthorized: authentication required",
        "check that the image is published",
        of_host=False,
    ),
    _fault(
        r"error creating vxlan interface: file exists",
        "an earlier network left its interface: ip -d link show type vxlan; remove it, or restart Docker's engine",
    ),
    _fault(
        r"input/output error|read-only file system|cannot allocate memory|sandbox join failed|update out of sequence"
        r"|network \S+ not found",
        "look at the log of Docker's engine",
    ),
    _fault(
        r"toomanyrequests|429 too many|i/o timeout|tls handshake|connection refused|no such host"
        r"|\b50[0234] (?:internal|bad gateway|service|gateway)|status(?: code)?:? 50[0234]\b"
        r"|context deadline exceeded|client\.timeout|\beof$|connection reset|server misbehaving|x509: |HTTPS client"
        r"|error parsing HTTP \d+ response body|error unmarshalling content|network is unreachable|no route to host"
        r"|name resolution|request canceled|HTTP status: 5\d\d|unauthorized: incorrect|denied: denied",
        "check that the registry of images can be reached from here",
    ),
    _fault(r"the swarm does not have a leader|rpc error: code = Unavailable", "look at the swarm: docker node ls"),
)
# For a task, a missing image is a fault of the host: the image was here when the stack was deployed.
_FAULTS_OF_TASKS = (_fault(r"no such image", "its image was here before: who removes images?"), *_FAULTS)


def is_not_found(text: bytes) -> bool:
    """Return whether Docker's message `text` says that something does not exist, such as an image of the recipe.

    Return False for any unknown message, because it may be about a failure of the registry or the network.
    """
    fault = _known(text)
    return fault is not None and not fault.of_host


def classify_failure(what: str, text: bytes, *, of_recipe: bool = False, of_task: bool = False) -> CanonError:
    """Return the error for a failed Docker command: RecipeError if the recipe is to blame, InfrastructureError if not.

    * `what`: names the command at the beginning of the error's message.
    * `text`: Docker's message. A known message tells who is to blame.
    * `of_recipe`: True if the recipe chose an argument of the command. Then the recipe is to blame also for a message
      that is not known. If False, the recipe is never to blame.
    * `of_task`: True if `text` is the message of a task: other messages are known of tasks than of commands.
    """
    fault = _known(text, _FAULTS_OF_TASKS if of_task else _FAULTS) or _Fault(_ANYTHING, of_host=not of_recipe)
    message = f"{what}: {one_line(_without_preamble(text), LONGEST_MESSAGE) or 'Docker said nothing'}"
    if fault.of_host or not of_recipe:
        return InfrastructureError(message, fault.hint)
    return RecipeError(message, fault.hint)


def _known(text: bytes, faults: Sequence[_Fault] = _FAULTS) -> _Fault | None:
    return next((fault for fault in faults if fault.words.search(text)), None)


def _without_preamble(text: bytes) -> bytes:
    """Return the last line of a message that is not blank, without Docker's prefix "Error response from daemon: ".

    This line has the reason. Return b"" if the message is empty or has only blank lines.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else b""
    return re.sub(rb"^Error response from daemon: (?:rpc error: code = \w+ desc = )?", b"", last)
