"""A program in a container of the built image, with what the Deployment takes from it.

The root is read-only, the user is that of the image, no capability is left, and none can be regained.
The network and the processes are those of this machine.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.image.builder import buildah, container

_ENTER = """
root=$1; shift
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
  # Resolved inside: /var/run is a link there, and would lead out.
  place=$(chroot "$root" sh -c 'mkdir -p "$1" && readlink -f "$1"' sh "$2")
  mount --bind --options ro "$1" "$root$place"
  shift 2
done
shift
mount --options remount,bind,ro "$root"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True, slots=True)
class Image:
    """A container's files, and what the Dockerfile says about running them.

    Attributes:
        entrypoint, arguments: ENTRYPOINT and CMD.
        user: `uid:gid`.
        environment: `name=value`.
    """

    root: Path
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    user: str
    environment: Sequence[str] = field(default_factory=list)

    def command(
        self,
        *arguments: str,
        program: Sequence[str] = (),
        mounts: Mapping[Path, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Give the command that runs a program inside; its process is the program's own.

        Args:
            arguments: Those of the program.
            program: The entry point if empty.
            mounts: Folders of this machine, each with its place inside; read-only.
            environment: Variables beside those of the image.
        """
        folders = [word for source, place in (mounts or {}).items() for word in (str(source), place)]
        variables = [*self.environment, *(f"{name}={value}" for name, value in (environment or {}).items())]
        enter = ["unshare", "--mount", "--propagation=private", "sh", "-euc", _ENTER, "sh", str(self.root)]
        return [
            *enter,
            *folders,
            "--",
            *self._restricted(),
            "env",
            "-i",
            *variables,
            *(program or self.entrypoint),
            *arguments,
        ]

    def _restricted(self) -> list[str]:
        user, group = self.user.split(":")
        # A change of user forgets that the process is to end with its parent, so it is said again.
        end = "--pdeathsig=KILL"
        return [
            "setpriv",
            f"--reuid={user}",
            f"--regid={group}",
            "--clear-groups",
            "--no-new-privs",
            "--bounding-set=-all",
            end,
        ]


@contextmanager
def image(tag: str) -> Iterator[Image]:
    """Give what a built image holds, for the length of a block."""
    settings = json.loads(buildah("inspect", "--type=image", tag))["OCIv1"]["config"]
    with container(tag) as (_, root):
        yield Image(root, settings["Entrypoint"], settings["Cmd"], settings["User"], settings["Env"])
