"""The clock of an awaited verdict; it stands still while a run waits for people or for other runs."""

from dataclasses import replace
from datetime import datetime, timedelta

from prodeval.domain.verdict.model import Pending


def await_verdict(
    before: Pending | None, awaited: tuple[str, str], *, standing: bool, now: datetime, timeout: timedelta
) -> Pending:
    """The pending verdict after one more look.

    Args:
        before: as it was; another version or context starts a new clock.
        awaited: version and context.
        standing: whether the run waits for an approval, is paused or queued.
        now: of this look.
        timeout: of a clock that starts now.
    """
    pending = before if before and (before.version, before.context) == awaited else Pending(*awaited, now + timeout)
    if standing:
        return replace(pending, paused_since=pending.paused_since or now)
    if pending.paused_since is None:
        return pending
    return replace(pending, deadline=pending.deadline + (now - pending.paused_since), paused_since=None)


def timed_out(pending: Pending, now: datetime) -> bool:
    """Whether its deadline has passed while the clock was running."""
    return pending.paused_since is None and now > pending.deadline
