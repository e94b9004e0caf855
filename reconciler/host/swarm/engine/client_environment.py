"""Separates the variables of compose files from the settings of Docker's client.

The client reads both from one environment. But a setting of a recipe may have the name of a variable that the client,
the Go runtime or the dynamic linker reads.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reconciler.host.swarm.engine.engine_address import config_folder, tls_files, tls_folder

# Variables that change the result of `docker stack config`, or keep it from starting. Tried with clients 26 and 28.
# The command contacts no engine, so DOCKER_HOST, HOME, proxies and the like change nothing.
_OBEYED = re.compile(r"LD_\w+|GLIBC_TUNABLES|GO[A-Z]+|DOCKER_(?:API_VERSION|CUSTOM_HEADERS)|CANON_\w+")
# `$$` is an escaped `$`, not a variable.
_VARIABLE = re.compile(rb"\$\$|(\$\{?)([A-Za-z_][A-Za-z0-9_]*)")
_PREFIX = "CANON_OF_RECIPE_"


def client_flags(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return flags for the `docker` command that replace its own settings in `environment`.

    There are flags for its configuration folder; for the engine's address or context, if one is set; and for the TLS
    files, if TLS is used.
    """
    flags = ["--config", str(config_folder(environment))]
    if host := environment.get("DOCKER_HOST"):
        flags += ["--host", host]
    elif context := environment.get("DOCKER_CONTEXT"):
        flags += ["--context", context]
    folder = tls_folder(environment)
    if folder is None:
        return tuple(flags)
    authority, certificate, key = tls_files(folder)
    flags.append("--tlsverify" if environment.get("DOCKER_TLS_VERIFY") else "--tls")
    return (*flags, f"--tlscacert={authority}", f"--tlscert={certificate}", f"--tlskey={key}")


def rename_variables(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return `variables`, with the prefix CANON_OF_RECIPE_ before each name that Docker's client would obey.

    So the client cannot take a setting of the recipe, such as LD_PRELOAD, for one of its own. Compose files that use
    such a setting must use the new name too, see `rename_in_text`.
    """
    return {f"{_PREFIX}{name}" if affects_client(name) else name: value for name, value in variables.items()}


def affects_client(name: str) -> bool:
    """Return whether a variable named `name` changes what Docker's client does."""
    return _OBEYED.fullmatch(name) is not None


def rename_in_text(text: bytes) -> bytes:
    """Return the text of a compose file, with CANON_OF_RECIPE_ before each variable that Docker's client would obey.

    For example, `${LD_PRELOAD}` becomes `${CANON_OF_RECIPE_LD_PRELOAD}`, the name that `rename_variables` gives it.
    """

    def rename(match: re.Match[bytes]) -> bytes:
        obeyed = match[2] is not None and affects_client(match[2].decode())
        return match[1] + _PREFIX.encode() + match[2] if obeyed else match[0]

    return _VARIABLE.sub(rename, text)


@contextmanager
def renamed_copies(files: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Yield a path for each of `files`: of a copy with renamed variables, or of the file itself if it needs no copy.

    A file needs a copy if it has variables that Docker's client would obey, see `rename_in_text`. A file that cannot be
    read is not copied. A copy is in the same folder as its file, because the client resolves relative paths from there.
    Copies are removed at the end of the `with` block.
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
    """Yield those of `names` that an `env_file` of a compose file lists without a value: as NAME, not as NAME=VALUE.

    `file` is the path of the `env_file`. Raise OSError if it cannot be read.
    """
    lines = (line.strip() for line in file.read_text("utf-8", "replace").splitlines())
    return (line for line in lines if line in names)
