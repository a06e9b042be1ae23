"""Which outcome counts: an evaluation, a run that ended without one, or none yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from prodeval.domain.events import Event, SequenceExecution
from prodeval.domain.verdict import reports
from prodeval.domain.verdict.attempts import Attempt, find_attempts, waits_for
from prodeval.domain.verdict.clock import await_verdict, timed_out
from prodeval.domain.verdict.endings import Ending, ending_of, find_endings
from prodeval.domain.verdict.memory import is_invalidated, recall
from prodeval.domain.verdict.model import (
    Candidate,
    Deployment,
    Expectation,
    Found,
    Judgement,
    Pending,
    Remembered,
    compared_ids,
)
from prodeval.domain.verdict.timeline import Timeline, read_timeline

Outcome: TypeAlias = Candidate | Ending | Remembered


@dataclass(frozen=True, slots=True)
class _Look:
    """All that one look at a service is decided from."""

    expectation: Expectation
    timeline: Timeline
    events: Sequence[Event]
    executions: Sequence[SequenceExecution]
    pending: Pending | None
    now: datetime
    remembered: Remembered | None
    since: datetime | None
    until: datetime

    @property
    def newest(self) -> Deployment | None:
        return self.timeline.deployments[-1] if self.timeline.deployments else None

    @property
    def settled(self) -> Deployment | None:
        """The newest deployment whose run is not under way any more."""
        settled = [one for one in self.timeline.deployments if one.run is None or not one.run.open]
        return settled[-1] if settled else None


def select(  # noqa: PLR0913 - all that a verdict depends on
    expectation: Expectation,
    events: Sequence[Event],
    executions: Iterable[SequenceExecution],
    pending: Pending | None,
    now: datetime,
    *,
    remembered: Remembered | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Found | Judgement:
    """Find what counts: an evaluation that `prove` has to judge, or a judgement already.

    Args:
        expectation: of one resource.
        events: of its project, oldest first; those of other services are ignored.
        executions: Keptn's sequence executions of the project, as far as known; they only tell what is waited for.
        pending: as the last look left it.
        now: of this look.
        remembered: the verdict that the status holds.
        since: from then on all events are known, so that "there is none" is knowledge and no guess; None: always.
        until: up to when; None: now.
    """
    timeline = read_timeline(expectation, events)
    look = _Look(
        expectation, timeline, events, tuple(executions), pending, now, remembered, since, min(now, until or now)
    )
    return _select_any(look) if expectation.version is None else _select_version(look, expectation.version)


def _select_any(look: _Look) -> Found | Judgement:
    """Without a wanted version the newest outcome counts; a run under way leaves it as it was."""
    outcomes, about = _outcomes(look), look.newest
    chosen = _newest_about(outcomes, about)
    if chosen is None:
        about = look.settled
        chosen = _newest_about(outcomes, about) or _newest(outcomes)
    attempt = _under_way(look)
    pending = _await(look, attempt, attempt.artifact.version) if attempt else None
    if attempt and pending and _has_timed_out(look, pending) and _overtaken(look, attempt, chosen):
        return reports.timed_out(look.expectation, attempt, pending)
    if chosen is None:
        return reports.nothing_yet(look.expectation, look.timeline, pending)
    return _report(look, chosen, about, pending)


def _outcomes(look: _Look) -> list[Outcome]:
    """What events tell, and the remembered verdict where they do not tell of it (any more)."""
    told: list[Outcome] = [*look.timeline.candidates, *find_endings(look.expectation, look.timeline)]
    known = {one.event_id for one in (*told, *look.timeline.invalidated)}
    old = look.remembered
    if old is None or old.event_id in known or is_invalidated(old, look.events, look.expectation.target.stage):
        return told
    return [*told, old]


def _has_timed_out(look: _Look, pending: Pending) -> bool:
    """Whether nothing came until the deadline; where events may be missing that is not known."""
    began, first = pending.deadline - look.expectation.result_timeout, look.expectation.first_sync
    needed = max(began, first) if first else began
    return (look.since is None or look.since <= needed) and timed_out(pending, look.until)


def _under_way(look: _Look) -> Attempt | None:
    """The newest attempt whose result is awaited, one that deployed before one that has not; None if there is none."""
    going = [
        one for one in find_attempts(look.expectation, look.timeline, look.now) if one.open and not _replaced(look, one)
    ]
    deployed = [one for one in going if _began(look, one) is not None]
    return next(iter((deployed or going)[::-1]), None)


def _replaced(look: _Look, attempt: Attempt) -> bool:
    """Whether another run deployed since: the end of this one was lost, or waits for somebody."""
    began, settled = _began(look, attempt), look.settled
    return began is not None and settled is not None and settled.event.time > began


def _began(look: _Look, attempt: Attempt) -> datetime | None:
    return attempt.reached.began(look.expectation.after_task) if attempt.reached else None


def _overtaken(look: _Look, attempt: Attempt, chosen: Outcome | None) -> bool:
    """Whether an attempt began to deploy after the chosen outcome, which then says nothing about what runs now."""
    began = _began(look, attempt)
    return began is not None and (chosen is None or chosen.time < began)


def _select_version(look: _Look, version: str) -> Found | Judgement:
    """With a wanted version only outcomes count that are about its newest deployment."""
    about = look.newest
    tried = [one for one in find_attempts(look.expectation, look.timeline, look.now) if one.artifact.version == version]
    attempt = tried[-1] if tried else None
    outcomes = [one for one in _outcomes(look) if one.artifact.version == version and one.follows(about)]
    chosen = _newest_about(outcomes, about)
    if chosen is None and not (attempt and attempt.open):
        chosen = _newest(outcomes)
    if chosen is not None and _is_tried_again(chosen, attempt):
        chosen = None
    if chosen is not None:
        return _report(look, chosen, about, None)
    return _awaited(look, version, attempt)


def _is_tried_again(chosen: Outcome, attempt: Attempt | None) -> bool:
    """Whether a run that ended without an evaluation was followed by another one of the same version."""
    ended = isinstance(chosen, Ending) or (isinstance(chosen, Remembered) and chosen.judgement.evaluation is None)
    return ended and attempt is not None and attempt.open and attempt.current.trigger.time > chosen.time


def _awaited(look: _Look, version: str, attempt: Attempt | None) -> Judgement:
    ending = _early_ending(look, attempt) if attempt else None
    if ending is not None:
        return reports.ended(ending, None)
    going = attempt if attempt and attempt.open else None
    pending = _await(look, going, version)
    if _has_timed_out(look, pending):
        return reports.timed_out(look.expectation, going, pending)
    waiting = waits_for(going, look.executions) if going else None
    return reports.awaiting(look.expectation, look.timeline, going, waiting, pending)


def _early_ending(look: _Look, attempt: Attempt) -> Ending | None:
    """How the newest attempt ended before it deployed; None if it did not, or before the first sync."""
    run, since = attempt.ended_before(look.expectation.after_task), look.expectation.first_sync
    if run is None or run.finished is None or since is None or run.finished.time <= since:
        return None
    return ending_of(run, run.finished, attempt.artifact)


def _await(look: _Look, attempt: Attempt | None, version: str) -> Pending:
    standing = attempt is not None and waits_for(attempt, look.executions) is not None
    awaited = (version, attempt.context if attempt else "")
    timeout = look.expectation.result_timeout
    return await_verdict(look.pending, awaited, standing=standing, now=look.now, timeout=timeout)


def _newest_about(outcomes: Iterable[Outcome], deployment: Deployment | None) -> Outcome | None:
    return _newest([one for one in outcomes if one.speaks_after(deployment)])


def _newest(outcomes: Sequence[Outcome]) -> Outcome | None:
    return max(outcomes, key=lambda one: (one.time, one.event_id), default=None)


def _report(look: _Look, chosen: Outcome, about: Deployment | None, pending: Pending | None) -> Found | Judgement:
    old = look.remembered
    if old is not None and old.event_id == chosen.event_id:
        return replace(recall(old, about, look.expectation.files_pushed), pending=pending)
    if isinstance(chosen, Candidate):
        wanted = set(compared_ids(chosen.finished))
        return Found(chosen, about, tuple(event for event in look.events if event.id in wanted), pending)
    judgement = reports.ended(chosen, pending) if isinstance(chosen, Ending) else chosen.judgement
    return replace(judgement, pending=pending)
