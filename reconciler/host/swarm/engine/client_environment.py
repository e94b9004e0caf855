"""Keeps the variables of compose files apart from the settings of Docker's client.

The client reads both from one environment. A recipe may have a setting with the same name as a variable of the client,
of the Go runtime or of the dynamic linker.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Variables that change the result of `docker stack config`, or keep it from starting. Tried with clients 26 and 28.
# The command contacts no engine, so DOCKER_HOST, HOME, proxies and the like change nothing.
_OBEYED = re.compile(r"LD_\w+|GLIBC_TUNABLES|GO[A-Z]+|DOCKER_(?:API_VERSION|CUSTOM_HEADERS)|CANON_\w+")
# `$$` is an escaped `$`, not a variable.
_VARIABLE = re.compile(rb"\$\$|(\$\{?)([A-Za-z_][A-Za-z0-9_]*)")
_PREFIX = "CANON_OF_RECIPE_"


def client_flags(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the client settings of an environment as flags: configuration folder, engine and TLS."""
    home = environment.get("HOME")
    folder = environment.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    flags = ["--config", folder] if folder else []
    if host := environment.get("DOCKER_HOST"):
        flags += ["--host", host]
    elif context := environment.get("DOCKER_CONTEXT"):
        flags += ["--context", context]
    return (*flags, *_tls_flags(environment, folder))


def _tls_flags(environment: Mapping[str, str], folder: str) -> Iterator[str]:
    verify = environment.get("DOCKER_TLS_VERIFY")
    if verify or environment.get("DOCKER_TLS"):
        certificates = environment.get("DOCKER_CERT_PATH") or folder
        yield "--tlsverify" if verify else "--tls"
        yield from (
            f"--{flag}={certificates}/{file}.pem"
            for flag, file in (("tlscacert", "ca"), ("tlscert", "cert"), ("tlskey", "key"))
        )


def rename_variables(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables with a prefix on each name that affects the client."""
    return {f"{_PREFIX}{name}" if affects_client(name) else name: value for name, value in variables.items()}


def affects_client(name: str) -> bool:
    """Whether a variable of this name changes what Docker's client does."""
    return _OBEYED.fullmatch(name) is not None


def rename_in_text(text: bytes) -> bytes:
    """Return the text of a compose file with its variables named as `rename_variables` names them."""

    def rename(match: re.Match[bytes]) -> bytes:
        obeyed = match[2] is not None and affects_client(match[2].decode())
        return match[1] + _PREFIX.encode() + match[2] if obeyed else match[0]

    return _VARIABLE.sub(rename, text)


@contextmanager
def renamed_copies(files: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Yield a path for each of `files`: a copy with renamed variables, or the file itself if no variable is renamed.

    A copy is in the same folder, because the client resolves paths from there. The copies are removed at the end.
    """
    with ExitStack() as stack:
        yield tuple(_copy(stack, file, number) for number, file in enumerate(files))


def _copy(stack: ExitStack, file: Path, number: int) -> Path:
    try:
        text = file.read_bytes()
    except OSError:
        # The client reports the error.
        return file
    if (changed := rename_in_text(text)) == text:
        return file
    copy = file.with_name(f".canon-{number}-{file.name}")
    stack.callback(copy.unlink, missing_ok=True)
    copy.write_bytes(changed)
    return copy


def names_without_value(file: Path, names: Collection[str]) -> Iterator[str]:
    """Yield those of `names` that an `env_file` lists without a value."""
    lines = (line.strip() for line in file.read_text("utf-8", "replace").splitlines())
    return (line for line in lines if line in names)
