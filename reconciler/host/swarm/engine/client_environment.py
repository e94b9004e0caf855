"""What Docker's client takes from its environment: its own settings, and the variables of compose files.

It has one environment for both. A recipe may well name a setting of its app as the client, the runtime that it is
written in, or the loader of programs names one of theirs.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

# What these have in them changes what `docker stack config` does, or keeps it from starting. Tried with clients of 26
# and 28: it asks no engine, so that DOCKER_HOST, HOME, proxies and the like change nothing.
_OBEYED = re.compile(r"LD_\w+|GLIBC_TUNABLES|GO[A-Z]+|DOCKER_(?:API_VERSION|CUSTOM_HEADERS)|CANON_\w+")
# A doubled `$` begins no variable.
_VARIABLE = re.compile(rb"\$\$|(\$\{?)([A-Za-z_][A-Za-z0-9_]*)")
_PREFIX = "CANON_OF_RECIPE_"


def client_flags(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What an environment tells the client of itself, as flags: its configuration, its engine and how to trust it."""
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
    """The variables under names that nobody obeys."""
    return {f"{_PREFIX}{name}" if affects_client(name) else name: value for name, value in variables.items()}


def affects_client(name: str) -> bool:
    return _OBEYED.fullmatch(name) is not None


def rename_in_text(text: bytes) -> bytes:
    """A compose file that asks for its variables by the names that `renamed` gives them."""

    def rename(match: re.Match[bytes]) -> bytes:
        obeyed = match[2] is not None and affects_client(match[2].decode())
        return match[1] + _PREFIX.encode() + match[2] if obeyed else match[0]

    return _VARIABLE.sub(rename, text)


@contextmanager
def renamed_copies(files: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """The files to read instead of these: beside each that asks for an obeyed variable a copy with it renamed.

    A copy lies in the same folder, as the client takes paths in a file from there. It is gone afterwards.
    """
    with ExitStack() as stack:
        yield tuple(_copy(stack, file, number) for number, file in enumerate(files))


def _copy(stack: ExitStack, file: Path, number: int) -> Path:
    try:
        text = file.read_bytes()
    except OSError:
        # The client says what is wrong with it.
        return file
    if (changed := rename_in_text(text)) == text:
        return file
    copy = file.with_name(f".canon-{number}-{file.name}")
    stack.callback(copy.unlink, missing_ok=True)
    copy.write_bytes(changed)
    return copy


def names_without_value(file: Path, names: Collection[str]) -> Iterator[str]:
    """Those of `names` that a file of variables (`env_file`) names without a value."""
    lines = (line.strip() for line in file.read_text("utf-8", "replace").splitlines())
    return (line for line in lines if line in names)
