"""The process driver: runs the lines of a Procfile as processes. It restarts none, and writes no pid files."""

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path

from attrs import evolve

from reconciler.errors import InfrastructureError, RecipeError, killed_error
from reconciler.host import app_directory, memory
from reconciler.host.environment import CEILING
from reconciler.host.processes import one_off
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.app_variables import app_variables
from reconciler.host.processes.line_supervisor import command_line, supervisor_of
from reconciler.host.processes.listeners import PORTS, free_port, why_not_listening
from reconciler.host.processes.process_deployment import ProcessDeployment, reap
from reconciler.host.processes.procfile import ONE_OFF, read_checkout
from reconciler.host.processes.procfs import (
    SLOT_MARK,
    STATE_MARK,
    Process,
    descendants,
    kill_all,
    living_processes,
    mark_of,
    marked_below,
    of_state_folder,
)
from reconciler.host.processes.starting import start, wait_until_started
from reconciler.host.processes.terminate import stop_lines
from reconciler.host.start_watch import watch_start
from reconciler.ports.app import App, DeployedParts, DeployOptions, NotRunning, RemovalResult, RunningApp, StartTimes
from reconciler.ports.app_secrets import SecretNeed

INHERITED = ("PATH", "LANG", "LC_ALL", CEILING, STATE_MARK)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = frozenset({*INHERITED, "HOME", "TMPDIR", "PORT", "DATA_DIR", "SECRETS_DIR", "VERSION"})


class ProcessDriver:
    """Runs apps as processes of this host: implements the port Driver.

    Apps get only those variables of `environment` that INHERITED names. Each app listens on one of `ports`. An app that
    is removed has `grace` seconds to stop. What runs is always read from /proc. Only what /proc does not tell is kept
    in memory, such as the exit codes of lines.
    """

    programs: tuple[str, ...] = ()

    def __init__(self, environment: Mapping[str, str], grace: float = 10.0, ports: range = PORTS) -> None:
        self._environment = {name: environment[name] for name in INHERITED if name in environment}
        self._grace = grace
        self._ports = ports
        self._state = self._environment.get(STATE_MARK)
        self._deployments: dict[App, ProcessDeployment] = {}

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:  # noqa: ARG002 - the sample names them
        """Return the secrets that .env.sample in `checkout` declares. Raise RecipeError if the release is not valid."""
        return read_checkout(checkout)[1].secrets

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Stop the earlier deployment, run the one-off lines, and start the other lines.

        Return remarks on processes that one-off lines left running. Settings in `options` override those in
        `.env.sample`; Canon's own variables override both.
        * The earlier deployment had to be killed: start nothing, and raise KilledError.
        * The release or a setting is not valid: raise RecipeError.
        * A one-off line fails: raise the error of `one_off.run_all`.
        * A line cannot be started: raise InfrastructureError.
        """
        commands, sample = read_checkout(checkout)
        _check(options.settings)
        before = self.stop(app)
        if before.killed:
            raise killed_error(app.recipe, before.killed)
        app_directory.create_folders(app)
        settings = {**sample.settings, **options.settings}
        port = free_port(self._ports)
        environment = {**settings, **self._environment, **app_variables(app, options.version, port)}
        app_directory.write_settings(app, options)
        app_directory.write_app_run(app, checkout, {**environment, SLOT_MARK: app.mark})
        killed = memory.oom_kills()
        deployment = self._deployments[app] = ProcessDeployment(
            children.child_keys(), before.ended, killed=killed, port=port
        )
        remarks = one_off.run_all(app, commands, environment, checkout, options)
        lines = {name: command for name, command in commands.items() if name not in ONE_OFF}
        for name, command in lines.items():
            argv = command_line(name, command, lines, options.commit)
            deployment.lines[name] = start(app, name, argv, environment, checkout)
        for name, server in deployment.lines.items():
            wait_until_started(app, name, server)
        return remarks

    def status(self, app: App) -> RunningApp | NotRunning:
        """Return the status of an app, read from /proc.

        If `web` does not run, return NotRunning with the reason: how the lines ended. Raise InfrastructureError if the
        kernel killed a line because memory ran out, or if `web` ended and another program has its port now.
        """
        own = self._own(app)
        lines = {line.name: line for process in self._marked(app, own) if (line := supervisor_of(process))}
        deployment = self._deployments.get(app, ProcessDeployment())
        endings = deployment.endings(app, lines.keys())
        web = lines.get("web")
        if web is None:
            if deployment.port:
                deployment.check_port(app, self._own(app, deployment.known_if_adopting))
            return NotRunning("; ".join(endings.values()))
        lost = "; ".join(endings.get(name, f"{name} does not run") for name in web.names if name not in lines)
        lacks = lost or why_not_listening(web.port, (process.pid for process in own))
        address = f"127.0.0.1:{web.port}"
        up = frozenset(f"{name} {line.pid}" for name, line in lines.items())
        return RunningApp(
            web.version, web.commit, not lacks, f"http://{address}", address, lacks, lost, peer=address, up=up
        )

    def changes(self, _: App) -> AbstractContextManager[None]:
        return nullcontext()

    def logs(self, app: App) -> tuple[str, ...]:
        """Return the last lines of each log of the app as "LOG: LINE", without secrets."""
        return app_directory.last_lines(app)

    def stop(self, app: App) -> RemovalResult:
        """Stop an app within its own grace time. Return which processes ended, had to be killed, or still run."""
        return evolve(self._stop(app, app.grace.total_seconds()), grace=app.grace)

    def kill(self, app: App) -> None:
        """Send SIGKILL to all processes of an app. Raise InfrastructureError if one of them still runs."""
        if remaining := self._stop(app, None).remaining:
            raise InfrastructureError(f"{app.recipe}: {remaining[0]} could not be killed")

    def watch_start(self, app: App, kill_after: float | None) -> AbstractContextManager[StartTimes]:
        """Watch how an app starts while the `with` block deploys it. Yield the times of its start.

        A time is None until it is known. Kill the app `kill_after` seconds after it began to run; never if `kill_after`
        is None.
        """
        return watch_start(lambda: bool(self._own(app)), lambda: kill_all(lambda: self._own(app)), kill_after)

    def _stop(self, app: App, grace: float | None) -> RemovalResult:
        deployment = self._deployments.get(app, ProcessDeployment())
        known = deployment.known_if_adopting
        removal = stop_lines(lambda: self._own(app, known), grace)
        # Not earlier: if this is interrupted, the next stop has to find all of the deployment again.
        self._deployments.pop(app, None)
        reap(deployment)
        return evolve(removal, ended=(*deployment.ended, *removal.ended))

    def save(self, app: App, into: Path) -> None:
        """Copy data, secrets and settings of a stopped app into the empty folder `into`, as hard links if possible.

        Raise RecipeError if a file cannot be read or a folder is gone, InfrastructureError if the app still runs.
        """
        if self._own(app):
            raise InfrastructureError(f"{app.recipe}: still runs, so its data cannot be saved")
        app_directory.copy_out(app, into, self._environment)

    def load(self, app: App, source: Path) -> None:
        """Move what `save` wrote to `source` into the app. Raise InfrastructureError if the app already has data."""
        app_directory.move_in(app, source, self._environment)

    def backs_up(self, _: App) -> bool:
        """Return False: a Procfile declares no backup commands."""
        return False

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        raise AssertionError(f"the Procfile of {app.recipe} says nothing of backups into {into}")

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        raise AssertionError(f"the Procfile of {app.recipe} says nothing of backups from {source} within {within}")

    def remove(self, app: App) -> RemovalResult:
        removal = self._stop(app, min(self._grace, app.grace.total_seconds()))
        gone = app_directory.remove(app.folder, self._environment)
        return removal if gone else evolve(removal, remaining=(*removal.remaining, str(app.folder)))

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Return the marks of all slots below the folder `root` that have running processes, sorted."""
        marked = of_state_folder(marked_below(root, living_processes()), self._state)
        marks = {mark_of(process, SLOT_MARK) for process in marked}
        return tuple(sorted(mark for mark in marks if mark))

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """Return a DeployedParts for each slot below `root` that has processes, by the mark of the slot.

        This driver keeps no deployments running. So each DeployedParts has no parts, and a problem that says that the
        processes belong to no kept deployment.
        """
        return {mark: DeployedParts({}, "its processes are none of a kept canonical") for mark in self.leftovers(root)}

    def clear(self, mark: str) -> RemovalResult:
        """Stop all processes of the slot with the mark `mark`. Return which ended, had to be killed, or still run."""
        removal = stop_lines(lambda: children.of_slot(mark, self._state), self._grace)
        reap(*(self._deployments.pop(app) for app in tuple(self._deployments) if app.mark == mark))
        return removal

    def forget(self) -> None:
        """Do nothing: the status of an app is always read from /proc."""

    def app_run(self, app: App) -> Path:
        return app_directory.app_run(app)

    def _own(self, app: App, known: frozenset[children.Key] | None = None) -> tuple[Process, ...]:
        """Return an app's processes, by slot mark and data folder in their environment, and the descendants of these.

        If `known` is not None, also return the processes that this process of Canon adopted since the deployment, and
        that have neither CANON_SLOT nor CANON_RUN. `known` has pid and start time of the children that were there
        before.
        """
        table = living_processes()
        roots = (*self._marked(app, table), *(() if known is None else children.unmarked_orphans(known)))
        return descendants(roots, table)

    def _marked(self, app: App, table: Iterable[Process]) -> tuple[Process, ...]:
        """Return those processes of `table` whose environment has the mark of the app's slot, and its data folder."""
        marks = {SLOT_MARK: app.mark, "DATA_DIR": str(app.data)}
        marked = [one for one in table if all(mark_of(one, name) == value for name, value in marks.items())]
        return of_state_folder(marked, self._state)


def _check(settings: Mapping[str, str]) -> None:
    """Raise RecipeError for a setting whose name or value is not valid, or whose name Canon itself sets."""
    for name, value in settings.items():
        if name in _OURS or name.startswith("CANON_") or not _NAME.fullmatch(name) or "\0" in value:
            raise RecipeError(f"[install] env may not set {name!r}")
