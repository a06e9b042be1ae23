"""All that is asked of Keptn and Git to judge resources: new events, and what one evaluation still needs."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from prodeval.domain.errors import ClusterUnavailableError, KeptnUnavailableError, ProdevalError
from prodeval.domain.resource import Resource
from prodeval.domain.verdict import FileFacts, Found
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.judging import Judge, Proof
from prodeval.service.outage import Outage
from prodeval.service.refreshing import Refresher
from prodeval.service.uniform import Uniform

logger = logging.getLogger(__name__)

_MOST_QUESTIONS = 3
"""What is asked about one evaluation may show that another one counts."""


class Inquiry:
    """Asks for many projects at once, in one thread at a time for each.

    Attributes:
        outage: of Keptn as a whole.
    """

    def __init__(
        self,
        log: EventLog,
        judge: Judge,
        files: FileReader,
        uniform: Uniform,
        refresher: Refresher,
        new_outage: Callable[[str], Outage],
    ) -> None:
        self._log, self._judge, self._files = log, judge, files
        self._uniform, self._refresher, self._new_outage = uniform, refresher, new_outage
        self.outage = new_outage("Keptn")
        self._git: dict[str, Outage] = {}

    def news(self, project: str, needs: Mapping[str, datetime], *, with_executions: bool) -> frozenset[str]:
        """Ask for what is new in a project; see EventLog.refresh.

        Raises ProdevalError; while Keptn is away as a whole, without asking it.
        """
        self.outage.check()
        try:
            self._uniform.refresh()
            news = self._log.refresh(project, needs, with_executions=with_executions)
        except KeptnUnavailableError as error:
            if error.everywhere:
                self.outage.failed(error)
            raise
        self.outage.answered()
        return news

    def evidence(self, resource: Resource) -> bool:
        """Ask what a verdict about a resource still needs; tells whether all was answered.

        Raises ClusterUnavailableError.
        """
        if not self._deployment(resource):
            return False
        for _ in range(_MOST_QUESTIONS):
            found = self._judge.question(resource)
            if found is None:
                return True
            proof = self._proof(resource, found)
            self._judge.learn(resource, found, proof)
            if proof.files is None:
                return False
        return False

    def let_read(self, project: str) -> bool:
        """Let Keptn read what was pushed to a project; False if something is left for the next turn."""
        if self._refresher.is_settled(project):
            return True
        return self.outage.error is None and self._refresher.turn(project)

    def drop(self, project: str) -> None:
        """Forget what is known of a project about which nobody asks any more."""
        self._log.drop(project)
        self._git.pop(project, None)

    def _deployment(self, resource: Resource) -> bool:
        if not self._judge.lacks_deployment(resource):
            return True
        try:
            self._log.complete(resource.target, resource.shipyard.after_task)
        except ProdevalError as error:
            logger.info("%s: its newest deployment is not known: %s", resource.key, error)
            return False
        return True

    def _proof(self, resource: Resource, found: Found) -> Proof:
        """Raises ClusterUnavailableError."""
        files = self._look(resource, found)
        try:
            compared = (*found.compared, *self._log.fetch(resource.target.project, found.missing))
        except ClusterUnavailableError:
            raise
        except ProdevalError as error:
            logger.info("%s: earlier evaluations are not known: %s", resource.key, error)
            return Proof(None)
        return Proof(files, compared)

    def _look(self, resource: Resource, found: Found) -> FileFacts | None:
        """What Git says about an evaluation's files; None while it does not answer, which is asked from time to time.

        Raises ClusterUnavailableError.
        """
        project = resource.target.project
        outage = self._git.setdefault(project, self._new_outage(f"The Git upstream of project {project}"))
        try:
            outage.check()
            facts = self._files.look(resource, found)
        except ClusterUnavailableError:
            raise
        except ProdevalError as error:
            if error is not outage.error:
                outage.failed(error)
            return None
        outage.answered()
        return facts
