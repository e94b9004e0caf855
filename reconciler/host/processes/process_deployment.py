"""What the process driver keeps in memory of a deployment: the supervisors of its lines, and what was there before."""

from collections.abc import Collection, Iterable, Mapping
from itertools import chain

from attrs import field, frozen

from reconciler.errors import MORE_MEMORY, InfrastructureError
from reconciler.host import memory
from reconciler.host.processes import subreaper as children
from reconciler.host.processes.listeners import listens_elsewhere
from reconciler.host.processes.one_off import describe_line_end
from reconciler.host.processes.procfs import Process
from reconciler.host.processes.starting import StartedServer, awaited_exit_code
from reconciler.ports.app import App


@frozen
class ProcessDeployment:
    """A deployment of an app by this process of Canon.

    * `known`: pid and start time of each child that this process had before the deployment.
    * `ended`: the names of processes that the earlier deployment of the app had left running.
    * `lines`: the supervisors of the app's lines, by the name of the line.
    * `killed`: what `memory.oom_kills` returned before the deployment.
    * `port`: the port that the app was told to listen on; 0 if nothing was deployed.
    """

    known: frozenset[children.Key] = frozenset()
    ended: tuple[str, ...] = ()
    lines: dict[str, StartedServer] = field(factory=dict)
    killed: int = 0
    port: int = 0

    @property
    def known_if_adopting(self) -> frozenset[children.Key] | None:
        """Return `known` if a line has ended; None if all lines run.

        When a line ends, this process of Canon adopts the processes that the line had detached. Such processes may have
        no mark. The caller finds them as the children of this process that are not in `known`.
        """
        return self.known if any(server.poll() is not None for server in self.lines.values()) else None

    def check_port(self, app: App, own: Iterable[Process]) -> None:
        """Raise InfrastructureError if a program that is not among `own`, the app's processes, listens on its port."""
        if listens_elsewhere(self.port, (process.pid for process in own)):
            raise InfrastructureError(f"{app.recipe}: web ended, and another program listens on its port {self.port}")

    def endings(self, app: App, running: Collection[str]) -> Mapping[str, str]:
        """Return how lines of the app have ended, in words, by the name of the line. Lines that run are left out.

        `running` names the lines that run. Raise InfrastructureError if a line was killed because memory ran out.
        """
        lines = self.lines.items()
        polled = {name: server.poll() if name in running else awaited_exit_code(server) for name, server in lines}
        for name, code in polled.items():
            if memory.was_oom_killed(code, self.killed):
                raise InfrastructureError(f"{app.recipe}: {name} was killed because memory ran out", MORE_MEMORY)
        return {name: describe_line_end(name, code) for name, code in polled.items() if code is not None}


def reap(*deployments: ProcessDeployment) -> None:
    """Let the kernel forget ended processes: supervisors of these deployments, and processes that Canon adopted."""
    for server in chain.from_iterable(deployment.lines.values() for deployment in deployments):
        server.poll()
    children.reap()
