"""A world in memory whose passes send messages to real servers."""

import json
from datetime import timedelta
from pathlib import Path

from attrs import define, evolve

from desired.notify import Mail, Notify, Webhook
from reconciler.cli.command_context import CommandContext
from reconciler.cli.notifications import tell_failed_pass, tell_pass
from reconciler.cli.options import Options
from reconciler.errors import InfrastructureError
from state.notification_file import keep_notifications, read_notifications
from tests.message_servers import HookServer, MailServer
from tests.world import Behaviour, World

RED = Behaviour(breaks_lived=True)


@define
class ToldWorld:
    """`notes` and `wiki` at their first releases, in a fleet that sends mail to two people and calls a webhook."""

    world: World
    mail: MailServer
    hook: HookServer
    stale: timedelta | None = None

    def context(self, *names: str) -> CommandContext:
        notify = Notify(
            mail=Mail(self.mail.address, ("a@example.org", "b@example.org"), "canon@example.org", encryption="none"),
            webhook=Webhook(self.hook.url()),
        )
        fleet = evolve(self.world.fleet, notify=notify, stale=self.stale)
        return CommandContext(Options(), fleet, self.world.state, names or tuple(fleet.recipes))

    def run(self, *names: str) -> tuple[str, ...]:
        """Run a pass and send its messages. Return the notes that the sending added to its report."""
        done = self.world.run(*names)
        return tell_pass(self.context(*names), done).report.notes[len(done.report.notes) :]

    def fail(self, *names: str) -> InfrastructureError:
        """Tell that a pass ended with an error. Return the error."""
        failed = InfrastructureError("the disk is gone")
        tell_failed_pass(self.context(*names), failed)
        return failed

    def posted(self) -> list[list[str]]:
        """Return "EVENT NAME" of each item that was posted to the webhook, by message, and forget them."""
        bodies = [json.loads(each.body) for each in self.hook.got]
        self.hook.got.clear()
        return [[f"{item['event']} {item['recipe'] or item['kind']}" for item in body["items"]] for body in bodies]

    def mailed(self) -> list[str]:
        """Return the subjects of the mails that arrived, and forget them."""
        subjects = [each.removeprefix("canon test: ") for each in self.mail.subjects()]
        self.mail.mails.clear()
        return subjects

    def made_earlier(self, days: timedelta) -> None:
        """Let the messages that wait be so much older."""
        known = read_notifications(self.world.state.notifications)
        older = [
            evolve(
                each,
                message=evolve(each.message, at=each.message.at - days),
                passed_over={target: at - days for target, at in each.passed_over.items()},
            )
            for each in known.unsent
        ]
        keep_notifications(self.world.state.notifications, evolve(known, unsent=tuple(older)))

    @property
    def waiting(self) -> list[tuple[str, ...]]:
        """Return the targets of each message that waits."""
        return [each.targets for each in read_notifications(self.world.state.notifications).unsent]

    @property
    def blocked(self) -> Path:
        """Return where the next record is written first. A folder there is as good as a full disk."""
        return self.world.state.root / "notifications.json.new"
