"""Finds the address of the Docker engine in the same way as Docker's own client."""

import json
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.host.run import CommandSpec, capture
from reconciler.host.text import one_line

_DEFAULT = "unix:///var/run/docker.sock"
_SECONDS = 30.0


@frozen
class EngineAddress:
    """Where an engine is reached.

    * `url`: its URL.
    * `certificates`: the folder with ca.pem, cert.pem and key.pem; None without TLS.
    * `verify`: True if the certificate of the engine must be signed by ca.pem.
    """

    url: str
    certificates: Path | None = None
    verify: bool = True


def find_engine_address(environment: Mapping[str, str]) -> EngineAddress:
    """Return the address of the engine that Docker's client would use in this environment.

    * DOCKER_HOST is set: its value.
    * A context is chosen, by DOCKER_CONTEXT or by `docker context use`: the engine of that context. Raise
      InfrastructureError if there is no such context.
    * In all other cases: the local socket.
    """
    if host := environment.get("DOCKER_HOST"):
        return _with_tls_of_environment(host, environment)
    context = environment.get("DOCKER_CONTEXT") or _current_context(config_folder(environment))
    if context in {"", "default"}:
        return _with_tls_of_environment(_DEFAULT, environment)
    return _address_of_context(environment)


def config_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder with the settings of Docker's client: DOCKER_CONFIG, or ~/.docker if that is not set."""
    if folder := environment.get("DOCKER_CONFIG"):
        return Path(folder)
    return Path(environment.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir, ".docker")


def tls_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder with the TLS files that Docker's client uses in this environment; None if it uses no TLS."""
    if not (environment.get("DOCKER_TLS_VERIFY") or environment.get("DOCKER_TLS")):
        return None
    folder = environment.get("DOCKER_CERT_PATH")
    return Path(folder) if folder else config_folder(environment)


def tls_files(folder: Path) -> tuple[str, str, str]:
    """Return the paths of the CA's certificate, of our own certificate, and of its key, as Docker names these files."""
    return str(folder / "ca.pem"), str(folder / "cert.pem"), str(folder / "key.pem")


def _with_tls_of_environment(url: str, environment: Mapping[str, str]) -> EngineAddress:
    folder = None if url.startswith("unix://") else tls_folder(environment)
    return (
        EngineAddress(url) if folder is None else EngineAddress(url, folder, bool(environment.get("DOCKER_TLS_VERIFY")))
    )


def _current_context(folder: Path) -> str:
    """Return the name of the context that `docker context use` has chosen; "" if it has chosen none."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(config.get("currentContext") or "") if isinstance(config, dict) else ""


def _address_of_context(environment: Mapping[str, str]) -> EngineAddress:
    output = capture(CommandSpec(("docker", "context", "inspect"), environment, Path("/"), _SECONDS))
    if not output.ok:
        raise InfrastructureError(f"docker context inspect: {one_line(output.err)}", "docker context ls")
    return parse_context(json.loads(output.out))


def parse_context(inspected: Any) -> EngineAddress:  # noqa: ANN401 - what `docker context inspect` prints
    """Return the engine's address from what `docker context inspect` prints for one context, parsed as JSON."""
    endpoint = inspected[0]["Endpoints"]["docker"]
    has_tls = "docker" in (inspected[0].get("TLSMaterial") or {})
    folder = Path(inspected[0]["Storage"]["TLSPath"], "docker") if has_tls else None
    return EngineAddress(str(endpoint["Host"]), folder, not endpoint.get("SkipTLSVerify"))
