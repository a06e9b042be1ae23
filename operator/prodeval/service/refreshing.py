"""Lets Keptn read what was pushed, so that Keptn's own writes go on working.

Keptn keeps a clone of each upstream, and pushes all branches of it with each of its writes. A branch that somebody else
moved and that Keptn has not read since is behind there, so that Keptn's whole push is refused: uploads to any stage and
new services answer 500. Reading each pushed branch once over the API brings the clone up to date (seen on 1.4.5).
"""

import logging
import threading
from collections.abc import Iterable

from prodeval.domain.errors import ProdevalError
from prodeval.service.ports import Keptn

logger = logging.getLogger(__name__)

_DEFAULT_BRANCH = ""
"""Stands for the default branch, which Keptn reads as the project; no stage has this name."""


class Refresher:
    """Remembers what Keptn has yet to read, in memory alone. Safe to use from many threads."""

    def __init__(self, keptn: Keptn) -> None:
        self._keptn = keptn
        self._lock = threading.Lock()
        self._unread: dict[str, dict[str, object]] = {}
        self._unanswered: set[str] = set()

    def pushed(self, project: str, branches: Iterable[str], default_branch: str) -> None:
        """Note branches that a push moved, or may have moved; asks nobody."""
        stages = [_DEFAULT_BRANCH if branch == default_branch else branch for branch in branches]
        if stages:
            with self._lock:
                # A new mark for each push: a read that began before it does not count.
                self._unread.setdefault(project, {}).update((stage, object()) for stage in stages)

    def is_settled(self, project: str) -> bool:
        """Whether Keptn has read all that was pushed to a project."""
        with self._lock:
            return project not in self._unread

    def turn(self, project: str) -> bool:
        """Let Keptn read what is unread of a project; False if something is left for the next turn.

        Ends at the first branch that Keptn does not read, which comes last in the next turn: a Keptn that hangs costs
        one time-out, and a branch that it cannot read keeps no other from being read.
        """
        with self._lock:
            unread = dict(self._unread.get(project, {}))
        for stage, mark in unread.items():
            try:
                self._read(project, stage)
            except ProdevalError as error:
                self._postpone(project, stage, error)
                return False
            self._settle(project, stage, mark)
        return self._is_settled(project)

    def _read(self, project: str, stage: str) -> None:
        if stage == _DEFAULT_BRANCH:
            self._keptn.read_default_branch(project)
        else:
            self._keptn.read_stage_branch(project, stage)

    def _settle(self, project: str, stage: str, mark: object) -> None:
        with self._lock:
            unread = self._unread.get(project, {})
            if unread.get(stage) is mark:
                del unread[stage]
            if not unread:
                self._unread.pop(project, None)

    def _is_settled(self, project: str) -> bool:
        with self._lock:
            if project in self._unread:
                return False
            self._unanswered.discard(project)
            return True

    def _postpone(self, project: str, stage: str, error: ProdevalError) -> None:
        """Put a branch behind the others, and tell of an outage when it begins."""
        with self._lock:
            unread = self._unread[project]
            unread[stage] = unread.pop(stage)
            is_first = not self._unanswered
            self._unanswered.add(project)
        if is_first:
            logger.warning(
                "Keptn has not read yet what was pushed to project %s; until it does, its own writes to the project "
                "can fail; will be tried again: %s",
                project,
                error,
            )
