"""The variables that every app of the process driver gets."""

from collections.abc import Mapping

from reconciler.ports.app import App


def app_variables(app: App, version: str, port: int) -> Mapping[str, str]:
    """Return the environment variables that every app of the process driver gets: its folders, port and version."""
    return {
        "HOME": str(app.folder / "home"),
        "TMPDIR": str(app.folder / "tmp"),
        "PORT": str(port),
        "DATA_DIR": str(app.data),
        "SECRETS_DIR": str(app.secrets),
        "VERSION": version,
    }
