"""What Keptn does not answer, said once when it begins and once when it ends."""

import logging

from prodeval.domain.errors import KeptnAwayError, ProdevalError
from prodeval.domain.steady_text import steady

logger = logging.getLogger(__name__)


class Silence:
    """The projects about which Keptn gave no answer when it was last asked, and whether it is away as a whole.

    Only the poller's thread changes it; any thread may read.
    """

    def __init__(self) -> None:
        self._errors: dict[str, ProdevalError] = {}
        self._outage: KeptnAwayError | None = None

    @property
    def is_outage(self) -> bool:
        """Whether Keptn's API as a whole was away in the last turn."""
        return self._outage is not None

    def about(self, project: str) -> ProdevalError | None:
        """Why nothing new is known of a project; None if Keptn answered, or was not asked yet."""
        return self._errors.get(project)

    def begin(self, project: str, error: ProdevalError) -> None:
        """Keptn did not answer about this project; what is said already is not said again."""
        before, self._errors[project] = self._errors.get(project), error
        if isinstance(error, KeptnAwayError):
            self._begin_outage(error)
        elif not _same(before, error):
            logger.warning("Results of project %s are unknown: %s", project, error)

    def end(self, project: str) -> None:
        """Keptn answered about this project."""
        before = self._errors.pop(project, None)
        if before is not None and not isinstance(before, KeptnAwayError):
            logger.info("Results of project %s are known again", project)

    def end_outage(self) -> None:
        """Keptn answered about all projects that it was asked about."""
        if self._outage is not None:
            logger.info("Keptn answers again")
        self._outage = None

    def _begin_outage(self, error: KeptnAwayError) -> None:
        if not _same(self._outage, error):
            logger.warning("No results until Keptn answers again: %s", error)
        self._outage = error


def _same(before: ProdevalError | None, error: ProdevalError) -> bool:
    return before is not None and steady(str(before)) == steady(str(error))
