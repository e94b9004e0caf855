"""The swarm driver: deploys an app as a stack of Docker Swarm, from a recipe in Co-op Cloud's format."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desired.model import Swarm
from reconciler.errors import InfrastructureError
from reconciler.host import app_directory
from reconciler.host.company import Company
from reconciler.host.start_watch import watch_start
from reconciler.host.swarm.data import backup
from reconciler.host.swarm.data.backup import BackupTarget
from reconciler.host.swarm.data.volumes import load_volumes, save_volumes
from reconciler.host.swarm.deployed_parts import deployed_parts
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine.event_stream import EventStream
from reconciler.host.swarm.recipe import swarm_secrets as secrets
from reconciler.host.swarm.recipe.stack import Stack, stack_of
from reconciler.host.swarm.services import deploy_stack, remove_stack, scaling
from reconciler.host.swarm.services.deploy_stack import DeploymentSite
from reconciler.host.swarm.services.slot_objects import SlotObjects
from reconciler.host.swarm.services.stack_state import (
    follow_stack,
    read_stack,
    running_app,
    services_of,
    stack_containers,
)
from reconciler.ports.app import App, DeployedParts, DeployOptions, NotRunning, RemovalResult, RunningApp, StartTimes
from reconciler.ports.app_secrets import SecretNeed

_LOG_LINES = 1000
_LONGEST_WAIT = timedelta(days=1)


class SwarmDriver:
    """Deploys apps as stacks of a swarm: implements the port Driver. Reads the status of an app anew at each call.

    * `policy`: what the fleet declares for the swarm, such as the DNS zone of apps and their proxy.
    * `company`: the port numbers for apps, and whether other recipes can be in trial here at the same time. With None,
      apps get the usual port numbers, and no other recipe is in trial.
    * `image_log`: the file that says which images were deployed; None for no such file.
    """

    programs: tuple[str, ...] = ("docker",)

    def __init__(
        self, engine: Engine, policy: Swarm, company: Company | None = None, image_log: Path | None = None
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._site = DeploymentSite(engine, policy, company or Company(), image_log)
        self._slots = SlotObjects(engine)

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """Return the secrets of the app's stack that the services of the release in `checkout` use.

        Raise RecipeError if the release is to blame for a failure, InfrastructureError if Docker or its swarm cannot be
        used.
        """
        self._engine.check()
        return secrets.secret_needs(self._engine, app, checkout, options)

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Deploy the release in the folder `checkout`. If the app is deployed already, update it to this release.

        Do not wait until the app is up. Return remarks for the report; () for none. An update uses the .env.sample of
        the earlier deployment, with the settings appended that are new. If the deployment fails, raise RecipeError if
        the release is to blame, and InfrastructureError if not. Raise KilledError if a service with a volume that only
        the earlier release has had to be killed.
        """
        self._slots.forget()
        return deploy_stack.deploy_release(self._site, app, checkout, options)

    def status(self, app: App) -> RunningApp | NotRunning:
        """Return how the app runs now; NotRunning if it does not. Raise InfrastructureError for a fault of the host."""
        stack = self._stack(app)
        return running_app(stack, read_stack(self._engine, stack))

    def changes(self, app: App) -> AbstractContextManager[EventStream]:
        """Return a context manager that yields the events of the app's services and containers as they come.

        The events end at most a day from now.
        """
        return follow_stack(self._engine, self._stack(app), datetime.now(UTC), _LONGEST_WAIT.total_seconds())

    def logs(self, app: App) -> tuple[str, ...]:
        """Write the newest log lines of each service to a log file of the app, in place of earlier ones.

        Return the last lines of all log files of the app as "LOG: LINE".
        """
        stack = self._stack(app)
        for service in services_of(self._engine, stack):
            name = stack.logical(service["Spec"]["Name"])
            self._engine.logs(service, _LOG_LINES, app_directory.new_log(app, name))
        return app_directory.last_lines(app)

    def stop(self, app: App) -> RemovalResult:
        """Write the logs of the app to its log files, stop its services, and wait until they have stopped.

        Return which services had to be killed, and the known exit codes; an empty result if the app was stopped before.
        Raise InfrastructureError if a service does not stop in time, or is killed because memory ran out.
        """
        stack = self._stack(app)
        stack_state = read_stack(self._engine, stack)
        if stack_state.is_stopped and not stack_containers(self._engine, stack):
            return RemovalResult()
        self.logs(app)
        return scaling.stop_services(self._engine, stack, scaling.service_names(stack_state))

    def kill(self, app: App) -> None:
        """Kill all containers of the app on this host with SIGKILL. Swarm does not start them again.

        Raise InfrastructureError if something of the app still runs.
        """
        stack = self._stack(app)
        scaling.kill_services(self._engine, stack, scaling.service_names(read_stack(self._engine, stack)))

    def watch_start(self, app: App, kill_after: float | None) -> AbstractContextManager[StartTimes]:
        """Watch how an app starts while the `with` block deploys it. Yield the times of its start.

        A time is None until it is known. Kill the app `kill_after` seconds after it began to run; never if `kill_after`
        is None.
        """
        stack = self._stack(app)
        return watch_start(lambda: bool(stack_containers(self._engine, stack)), lambda: self.kill(app), kill_after)

    def save(self, app: App, into: Path) -> None:
        """Copy the data, secrets, settings and volumes of a stopped app into the empty folder `into`.

        Raise RecipeError for a volume that cannot be saved, InfrastructureError if the app still runs.
        """
        stack = self._stack(app)
        # Swarm lists neither a service that a release dropped nor its tasks, but its container may still write.
        if not read_stack(self._engine, stack).is_stopped or stack_containers(self._engine, stack):
            raise InfrastructureError(f"{app.recipe}: still runs, so its data cannot be saved")
        app_directory.copy_out(app, into, self._engine.environment)
        save_volumes(self._engine, stack, into)

    def load(self, app: App, source: Path) -> None:
        """Give the app the data, secrets, settings and volumes that `save` wrote to the folder `source`.

        Files may be moved out of `source`. Raise InfrastructureError if the app already has data.
        """
        load_volumes(self._engine, self._stack(app), source)
        app_directory.move_in(app, source, self._engine.environment)

    def backs_up(self, app: App) -> bool:
        return backup.has_backup_label(self._backup_target(app))

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        return backup.take_backup(self._backup_target(app), into)

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        backup.restore_backup(self._backup_target(app), source, within)

    def remove(self, app: App) -> RemovalResult:
        """Remove the app's objects from the swarm, and delete its folder. Return what could not be removed."""
        left = remove_stack.remove_objects(self._engine, remove_stack.select_stack(self._stack(app).name))
        gone = app_directory.remove(app.folder, self._engine.environment)
        return RemovalResult(remaining=left if gone else (*left, str(app.folder)))

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Return the marks of all slots below the folder `root` that have objects in the swarm, sorted.

        Slots of another state folder are left out.
        """
        marks = remove_stack.slot_marks(self._slots.find_all(), self._engine.state)
        return tuple(mark for mark in marks if Path(mark).is_relative_to(root))

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        return deployed_parts(self._slots, root)

    def clear(self, mark: str) -> RemovalResult:
        """Remove all objects of the slot with the mark `mark` from the swarm. Return what could not be removed."""
        self._slots.forget()
        return RemovalResult(remaining=remove_stack.remove_slot(self._engine, mark))

    def forget(self) -> None:
        """Drop the kept answers of the engine about slots, and keep none from now on.

        Call this before another process changes apps.
        """
        self._slots.forget()

    def app_run(self, app: App) -> Path:
        return app_directory.app_run(app)

    def _backup_target(self, app: App) -> BackupTarget:
        return BackupTarget(self._engine, self._stack(app), app)

    def _stack(self, app: App) -> Stack:
        """Return the stack in which an app is deployed.

        Also drop kept answers of the engine (`forget`), because the caller may change the stack.
        """
        self._slots.forget()
        return stack_of(app, self._policy.zone, self._engine.state)
