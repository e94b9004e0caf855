"""Calls the HTTP API of a Docker engine, each call with a time limit. Failures become errors of the host or recipe."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from reconciler.errors import InfrastructureError
from reconciler.host.swarm.engine.docker_faults import classify_failure
from reconciler.host.swarm.engine.engine_address import EngineAddress, find_engine_address, tls_files

if TYPE_CHECKING:
    import requests
    from docker.api.client import APIClient

Json = Mapping[str, Any]
"""The JSON of one of the engine's objects."""

QUERY_SECONDS = 60.0
CHANGE_SECONDS = 300.0

_DAEMON = "Error response from daemon: "
_NOT_FOUND = 404
_REFUSED = 400
_CHUNK = 256 * 1024
_LOOK = "look at the log of Docker's engine"


@frozen
class ApiCall:
    """One call of the engine's API.

    * `path`: without the API version. `params`: the query of the URL.
    * `what`: names the call at the beginning of an error message.
    * `body`: is sent as JSON. `data`: is sent as it is: bytes, or an open file.
    * `stream`: True if the caller reads the answer piece by piece.
    * `seconds`: for how long the engine may be silent.
    * `may_blame_recipe`: gets the engine's message, and returns whether the recipe may be to blame.
    * `may_be_gone`: True if NotThereError is to be raised when the engine does not have the object of the call.
    """

    method: str
    path: str
    what: str
    params: Mapping[str, object] = field(factory=dict)
    body: object = None
    data: object = None
    stream: bool = False
    seconds: float = QUERY_SECONDS
    may_blame_recipe: Callable[[bytes], bool] = lambda _: False
    may_be_gone: bool = False


class NotThereError(Exception):
    """The engine does not have the object that a call names. The text of the error is the engine's message."""


@define(slots=False)
class Connection:
    """Calls one Docker engine. Each thread has a connection of its own, which its first call opens.

    `environment` is an environment in which Docker's client would find this engine.
    """

    environment: Mapping[str, str]
    _clients: threading.local = field(factory=threading.local, init=False, eq=False)
    # The beginning of each path, such as "/v1.41". The first answer tells it, so that no call is made for it alone.
    _version: str = field(default="", init=False, eq=False)

    @cached_property
    def address(self) -> EngineAddress:
        return find_engine_address(self.environment)

    def call(self, request: ApiCall) -> "requests.Response":
        """Send a request. Return the engine's answer.

        * The engine does not have the object, and `request.may_be_gone` is True: raise NotThereError.
        * The engine refuses the request, and the recipe is to blame: raise RecipeError.
        * The engine refuses for another reason, does not answer in time or cannot be reached: raise
          InfrastructureError.
        """
        with self._failures(request):
            client = self._client()
            response: requests.Response = client.request(
                request.method,
                f"{client.base_url}{self._version}{request.path}",
                params=dict(request.params),
                json=request.body,
                data=request.data,
                stream=request.stream,
                timeout=request.seconds,
            )
        if not self._version and "Api-Version" in response.headers:
            self._version = f"/v{response.headers['Api-Version']}"
        if response.status_code >= _REFUSED:
            raise _refusal(request, response)
        return response

    def read_json(self, request: ApiCall) -> Any:  # noqa: ANN401 - any JSON
        """Send a request. Return the JSON of the answer.

        Raise the errors of `call`. Raise InfrastructureError if the answer is not JSON.
        """
        return parse_json(request, self.call(request).content)

    def chunks(self, request: ApiCall, response: "requests.Response") -> Iterator[bytes]:
        """Yield the body of `response`, the answer to `request`, piece by piece as it comes.

        The connection is closed at the end. Raise InfrastructureError if the connection fails, or if no piece comes in
        time.
        """
        with self._failures(request):
            try:
                while chunk := response.raw.read1(_CHUNK):
                    yield chunk
            finally:
                response.close()

    def _client(self) -> "APIClient":
        if not hasattr(self._clients, "client"):
            self._clients.client = _open(self.address)
        client: APIClient = self._clients.client
        return client

    @contextmanager
    def _failures(self, request: ApiCall) -> Iterator[None]:
        """Turn an error of the library in the `with` block into an InfrastructureError, whose message names the call.

        The library raises an error if no answer comes in time, or if the connection fails.
        """
        import requests
        from docker.errors import DockerException
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        late = (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError)
        try:
            yield
        except (requests.exceptions.RequestException, DockerException, HTTPError, OSError) as failure:
            if any(isinstance(cause, late) for cause in _causes(failure)):
                raise _late(request) from failure
            message = connection_message(self.address.url, failure)
            raise classify_failure(request.what, message.encode()) from failure


def _late(request: ApiCall) -> InfrastructureError:
    return InfrastructureError(f"{request.what}: Docker did not answer within {request.seconds:.0f} s", _LOOK)


def parse_json(request: ApiCall, text: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON in `text`, the answer to `request`. Raise InfrastructureError if it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        raise InfrastructureError(f"{request.what}: the answer is no JSON", _LOOK) from None


def _open(address: EngineAddress) -> "APIClient":
    """Return a client for the engine at `address`, with the newest API version that the client and the engine know."""
    from docker.api.client import APIClient
    from docker.constants import DEFAULT_DOCKER_API_VERSION
    from docker.tls import TLSConfig

    tls: object = False
    if address.certificates is not None:
        authority, certificate, key = tls_files(address.certificates)
        tls = TLSConfig(client_cert=(certificate, key), ca_cert=authority, verify=address.verify)
    client = APIClient(address.url, DEFAULT_DOCKER_API_VERSION, tls=tls, timeout=QUERY_SECONDS, use_ssh_client=True)
    # Proxies, .netrc and certificates of this process's environment are not for the engine.
    client.trust_env = False
    return client


def connection_message(address: str, failure: BaseException) -> str:
    """Return the message that Docker's own client would print for the error `failure`. `address` is the engine's URL.

    There is a message for a socket that is forbidden to this user, one for an engine that does not run, and one for any
    other error, such as a lost connection. `failure` is an error of the library.
    """
    causes = [cause for cause in _causes(failure) if isinstance(cause, OSError)]
    if any(isinstance(cause, PermissionError) for cause in causes):
        return f"permission denied while trying to connect to the Docker daemon socket at {address}"
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        return f"Cannot connect to the Docker daemon at {address}. Is the docker daemon running?"
    return f"error during connect: {address}: {failure}"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield the error `failure`, and all errors that caused it, each once.

    The libraries store such errors as causes, or as arguments.
    """
    rest, seen = [failure], set[int]()
    while rest:
        cause = rest.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        linked = (cause.__cause__, cause.__context__, *cause.args)
        rest.extend(one for one in linked if isinstance(one, BaseException))


def _refusal(request: ApiCall, response: "requests.Response") -> Exception:
    message = refusal_message(response.content).encode()
    if response.status_code == _NOT_FOUND and request.may_be_gone:
        return NotThereError(message.decode("utf-8", "replace"))
    return classify_failure(request.what, _DAEMON.encode() + message, of_recipe=request.may_blame_recipe(message))


def refusal_message(body: bytes) -> str:
    """Return the message in the body of an answer that refuses a call.

    If the body is not JSON with a message, return all of it.
    """
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")


def filter_text(filters: Iterable[str]) -> str:
    """Return filters in the form of the engine's API: '{"label": ["name=value"]}' for `label=name=value`.

    The result is a JSON object with a list of values for each name.
    """
    found: dict[str, list[str]] = {}
    for one in filters:
        name, _, value = one.partition("=")
        found.setdefault(name, []).append(value)
    return json.dumps(found)
