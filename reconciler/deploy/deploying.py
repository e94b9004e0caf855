"""Deploys releases in a slot, and waits until they are ready. Everything that Canon deploys goes through here."""

from pathlib import Path

from attrs import evolve

from desired.model import Recipe
from reconciler.deploy.app_health import wait_until_ready
from reconciler.deploy.app_set import AppSet, AppSpec
from reconciler.deploy.command_environment import needs_environment
from reconciler.deploy.recipe_commands import run_commands
from reconciler.deploy.slot import DeployedApp, Slot
from reconciler.errors import InfrastructureError, NeededAppError, RecipeError
from reconciler.ports.app import DeployOptions, RunningApp
from reconciler.ports.app_secrets import SecretMakers


def deploy_app_set(slot: Slot, app_set: AppSet) -> RunningApp:
    """Deploy the apps of a set in order, and wait until each is ready. Return the status of the last app.

    The last app is the recipe's own: if it fails, raise RecipeError or TimedOutError. If any other app fails, raise
    NeededAppError. If this host is to blame, raise InfrastructureError.
    """
    *needed, own = app_set
    for spec in needed:
        deploy_needed(slot, spec, own.recipe)
    return deploy_app(slot, own)


def deploy_needed(slot: Slot, spec: AppSpec, needed_by: Recipe) -> None:
    """Deploy the app `spec`, which the recipe `needed_by` needs, and wait until it is ready.

    If the app fails, raise NeededAppError, which blames neither of the two recipes.
    """
    try:
        deploy_app(slot, spec)
    except RecipeError as failed:
        raise NeededAppError(needed_by.name, spec.recipe.name, failed) from failed


def deploy_app(slot: Slot, spec: AppSpec) -> RunningApp:
    """Deploy an app in the slot, as a new app or over its earlier release. Wait until it is ready. Return its status.

    `spec` says which recipe and release, and with which data. Raise RecipeError, TimedOutError or InfrastructureError
    if the app does not become ready. Some parts of the app may be deployed even then.
    """
    recipe = spec.recipe
    is_new = spec.source is None and recipe.name not in slot.apps
    slot.ready.pop(recipe.name, None)
    deployed = slot.check_out(recipe, spec.release)
    options = evolve(_options(slot, deployed), sample_from=spec.settings_from)
    _provide(slot, deployed, spec, options)
    slot.remarks += deployed.driver.deploy(deployed.app, deployed.checkout, options)
    status = wait_until_ready(slot, deployed)
    if is_new and recipe.install.steps:
        run_commands(slot, deployed, recipe.install.steps, "install step")
        status = wait_until_ready(slot, deployed)
    return status


def _options(slot: Slot, deployed: DeployedApp) -> DeployOptions:
    """Return the options with which an app is deployed: its release, settings, overlays and timeout.

    The settings also have the addresses of the apps that this app needs. Raise InfrastructureError if a needed app does
    not run.
    """
    install, tests = deployed.recipe.install, slot.tests_of(deployed.recipe)
    settings = {**needs_environment(slot, deployed.recipe), **install.env}
    overlays = tuple(tests / name for name in install.overlays)
    ready, release = deployed.recipe.ready, deployed.release
    return DeployOptions(release.version, release.commit, settings, overlays, ready.run is None, ready.within())


def _provide(slot: Slot, deployed: DeployedApp, spec: AppSpec, options: DeployOptions) -> None:
    """Load the data in `spec.source` into the app, if there is any, and make the secrets that the app still lacks.

    `options` are the options with which the app will be deployed. Add two things to the slot: remarks, and the names of
    declared secrets that the release does not read.
    """
    needs = deployed.driver.needs(deployed.app, deployed.checkout, options)
    if spec.source is not None:
        _load(deployed, spec.source)
    existing = spec.settings_from.secrets if spec.settings_from else None
    makers = SecretMakers(spec.recipe.install.secrets, slot.tests_of(spec.recipe), existing)
    provided = slot.host.secrets.provide(deployed.app, needs, makers, slot.log)
    slot.unused_makers[spec.recipe.name] = provided.unused_makers
    slot.remarks += (remark for remark in provided.remarks if remark not in slot.remarks)


def _load(deployed: DeployedApp, source: Path) -> None:
    """Load the data and secrets of an app from `source`, its folder in an unpacked snapshot.

    Raise InfrastructureError if the app's data or secrets are missing afterwards. The app might come up without them,
    and nothing else would show that.
    """
    folders = [folder for folder in (deployed.app.data, deployed.app.secrets) if (source / folder.name).exists()]
    deployed.driver.load(deployed.app, source)
    for folder in folders:
        if not folder.exists():
            name = deployed.recipe.name
            raise InfrastructureError(f"{name}: {folder.name} of its snapshot was loaded, but is not there")
