"""The abra driver: a swarm driver in which `abra` deploys apps, inserts secrets and removes apps.

The driver was written from abra's public documentation, and has not yet run with the real abra. After each deployment,
the driver asks Docker whether abra has really deployed the app.
"""

import base64
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from desired.model import Swarm
from desired.versions import is_release_name
from reconciler.errors import CanonError, InfrastructureError
from reconciler.host.company import Company
from reconciler.host.swarm.abra_command import Abra, AbraDir
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe import overlays
from reconciler.host.swarm.recipe import swarm_secrets as secrets
from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease
from reconciler.host.swarm.recipe.stack import SLOT, Stack
from reconciler.host.swarm.recipe.version_hints import with_version_hint
from reconciler.host.swarm.services import deploy_stack, remove_stack
from reconciler.host.swarm.services.dropped_services import wait_for_dropped_services
from reconciler.host.swarm.swarm_driver import SwarmDriver
from reconciler.ports.app import App, DeployOptions, RemovalResult
from reconciler.ports.app_secrets import SecretNeed

# A label of the service `app` with the id of the deployment. If abra exits with 0 but deploys nothing, the id is old.
DEPLOYMENT = "canon.deployment"
# A label of a config; its value is the name of a stack. abra cannot label secrets: a stack with secrets has such a
# config, by which its secrets are found.
STACK_RECORD = "canon.stack"

_OVERLAY = "compose.canon.yml"
_FLEET_OVERLAY = "compose.canon.{number}.yml"


class AbraDriver(SwarmDriver):
    """Deploys apps with abra: implements the port Driver. Each app has in its slot a folder for abra (ABRA_DIR)."""

    programs: tuple[str, ...] = ("abra", "docker")

    def __init__(
        self,
        engine: Engine,
        policy: Swarm,
        abra: Abra,
        company: Company | None = None,
        image_log: Path | None = None,
    ) -> None:
        super().__init__(engine, policy, company, image_log)
        self._abra = abra

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        self._abra.check()
        return super().needs(app, checkout, options)

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        self._slots.forget()
        deployable = deploy_stack.check_release(self._site, app, checkout, options)
        prepared, stack = deployable.prepared, deployable.prepared.stack
        home, deployed = _home(app, stack), uuid.uuid4().hex
        overlay_config = _marked(deploy_stack.overlay_for(deployable, options), deployed)
        self._write_abra_files(home, app, prepared, overlay_config, options)
        self._record_stack(stack)
        for full, file in secrets.provided_files(prepared, app).items():
            self._abra.insert_secret(home, *secrets.abra_name(full, stack), file)
        with wait_for_dropped_services(self._engine, stack), with_version_hint(prepared):
            self._abra.deploy(home, options.version)
        self._check_deployed(stack, deployed)
        return deploy_stack.record_deployment(self._engine, prepared, app, options)

    def remove(self, app: App) -> RemovalResult:
        """Remove the app's stack with abra, remove by Docker what abra has left, and delete the app's folder.

        Return what could not be removed. If abra itself failed, `ended` of the result has the reason.
        """
        stack = self._stack(app)
        ended = tuple(self._undeploy(app, stack))
        residue = super().remove(app)
        return RemovalResult((*ended, *residue.ended), (*residue.remaining, *self._drop_secrets(stack.name)))

    def clear(self, mark: str) -> RemovalResult:
        self._slots.forget()
        left: list[str] = []
        for stack in self._recorded_stacks(mark):
            # A secret cannot be removed while a service uses it.
            left += remove_stack.remove_objects(self._engine, remove_stack.select_stack(stack))
            left += self._drop_secrets(stack)
        residue = super().clear(mark)
        return RemovalResult(residue.ended, (*left, *residue.remaining))

    def _write_abra_files(
        self, home: AbraDir, app: App, prepared: PreparedRelease, overlay_config: Config, options: DeployOptions
    ) -> None:
        """Write the files that abra reads into `home`: the app's .env file, and the release with all overlays.

        Commit the release with git in `home`. `overlay_config` is Canon's own overlay, with Canon's labels and the port
        that Canon publishes.
        """
        own = [file for file in prepared.compose if file not in options.overlays]
        added = {_FLEET_OVERLAY.format(number=number): file for number, file in enumerate(options.overlays, 1)}
        added[_OVERLAY] = deploy_stack.write_compose(app, overlay_config)
        names = [*(str(file.relative_to(prepared.checkout)) for file in own), *added]
        version = options.version if is_release_name(options.version) else ""
        home.write_variables(version, {**prepared.settings, "COMPOSE_FILE": ":".join(names)})
        home.copy_recipe(prepared.checkout, added)
        for name, text in overlays.normalized((*prepared.compose, added[_OVERLAY]), names):
            (home.checkout / name).write_text(text, "utf-8")
        self._abra.commit(home, options.version)

    def _check_deployed(self, stack: Stack, deployed: str) -> None:
        """Raise InfrastructureError if Docker does not have the deployment with the id `deployed`.

        This is needed because abra may exit with 0 although it has deployed nothing.
        """
        found = self._engine.inspect("service", [stack.app])
        if not any((service["Spec"].get("Labels") or {}).get(DEPLOYMENT) == deployed for service in found):
            raise InfrastructureError(
                f"{stack.recipe}: abra app deploy ended with 0, but Docker has nothing of this deployment",
                "deploy it by hand, and see what abra says",
            )

    def _undeploy(self, app: App, stack: Stack) -> Iterator[str]:
        """Remove the app's stack by `abra app undeploy`. Do nothing if the app is not deployed.

        If abra fails, raise no error, but yield one text with the name of the stack and the reason. If abra succeeds,
        yield nothing.
        """
        home = _home(app, stack)
        if not (home.variables.exists() and self._engine.inspect("service", [stack.app])):
            return
        try:
            self._abra.undeploy(home)
        except CanonError as failed:
            yield f"{stack.name} (by Docker itself: {failed.message})"

    def _record_stack(self, stack: Stack) -> None:
        """Make a config in the swarm, by which a later pass finds the secrets of the stack. Do nothing if it exists."""
        if stack.name not in self._recorded_stacks(stack.mark):
            labels = {**stack.labels, STACK_RECORD: stack.name}
            body = {"Name": f"{stack.name}_canon", "Labels": labels, "Data": base64.b64encode(b"\n").decode()}
            self._engine.create("config", body, "mark secrets")

    def _recorded_stacks(self, mark: str) -> tuple[str, ...]:
        """Return the names of the stacks that are recorded in configs of the swarm for the slot with this mark.

        Stacks of another state folder are left out.
        """
        configs = self._engine.find("config", f"label={SLOT}={mark}")
        ours = (config for config in configs if remove_stack.is_of_state(config, self._engine.state))
        labels: Iterator[Mapping[str, str]] = (config["Spec"].get("Labels") or {} for config in ours)
        return tuple(own[STACK_RECORD] for own in labels if STACK_RECORD in own)

    def _drop_secrets(self, stack: str) -> tuple[str, ...]:
        """Remove the secrets of the stack named `stack`. Return the secrets that could not be removed, as "secret ID".

        If all are removed, also remove the config in the swarm by which they were found.
        """
        named = f"name={stack}_"
        self._engine.remove("secret", self._engine.list_ids("secret", named))
        left = tuple(f"secret {secret}" for secret in self._engine.list_ids("secret", named))
        if not left:
            self._engine.remove("config", self._engine.list_ids("config", f"label={STACK_RECORD}={stack}"))
        return left


def _home(app: App, stack: Stack) -> AbraDir:
    """Return the folder that abra gets as ABRA_DIR for this app."""
    return AbraDir(app.folder / "run" / "abra", stack.name, stack.recipe)


def _marked(overlay: Config, deployed: str) -> Config:
    """Return a copy of `overlay` in which the service `app` has a label with the id `deployed` of the deployment."""
    services = {name: dict(service) for name, service in overlay["services"].items()}
    deploy = services["app"]["deploy"]
    services["app"]["deploy"] = {**deploy, "labels": {**deploy["labels"], DEPLOYMENT: deployed}}
    return {**overlay, "services": services}
