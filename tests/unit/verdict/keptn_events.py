"""A small Keptn that writes events: enough to tell stories that were not recorded."""

import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from prodeval.domain.events import SequenceExecution, merge_events, parse_event
from prodeval.domain.files import sha256
from prodeval.domain.resource import Target
from prodeval.domain.verdict import Expectation, FileFacts, Found, prove, select

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
SLO = """\
spec_version: "1.0"
objectives:
  - sli: error_rate
    pass:
      - criteria: ["<=1"]
total_score:
  pass: "90%"
  warning: "75%"
"""
SUCCESS = {"result": "pass", "status": "succeeded"}
COMMIT = "0123456789012345678901234567890123456789"


def time(seconds):
    return START + timedelta(seconds=seconds)


def iso(seconds):
    return time(seconds).isoformat().replace("+00:00", "Z")


@dataclass
class Story:
    """Events of the project fulltour; each method takes the second at which it happens."""

    raw: list = field(default_factory=list)
    executions: list = field(default_factory=list)

    def add(self, t, kind, context, stage="production", *, answers="", source="shipyard-controller", **data):
        event = {
            "id": f"{kind}-{len(self.raw)}",
            "type": f"sh.keptn.event.{kind}",
            "time": iso(t),
            "shkeptncontext": context,
            "source": source,
            "data": {"project": "fulltour", "stage": stage, "service": "helloservice", **data},
        }
        event |= {"triggeredid": answers} if answers else {}
        event |= {"gitcommitid": COMMIT} if kind.endswith(".triggered") else {}
        self.raw.append(event)
        return event["id"]

    def sequence(self, t, context, stage="production", sequence="delivery", version=None, image=None):
        data = {"labels": {"version": version}} if version else {}
        data |= {"configurationChange": {"values": {"image": image}}} if image else {}
        return self.add(t, f"{stage}.{sequence}.triggered", context, stage, **data)

    def end(self, t, trigger, context, stage="production", sequence="delivery", **data):
        kind = f"{stage}.{sequence}.finished"
        return self.add(t, kind, context, stage, answers=trigger, **SUCCESS | data)

    def task(self, t, end, context, name, stage="production", **data):
        trigger = self.add(t, f"{name}.triggered", context, stage)
        self.add(t, f"{name}.started", context, stage, answers=trigger)
        if end is not None:
            self.add(end, f"{name}.finished", context, stage, answers=trigger, **SUCCESS | data)
        return trigger

    def evaluate(self, t, end, context, window, value=0.5, result=None, **changes):
        """An evaluation over a window of two seconds (from, to); None: Keptn had no window."""
        outcome = result or ("pass" if value <= 1 else "fail")
        trigger = self.add(t, "evaluation.triggered", context)
        self.add(t, "evaluation.started", context, answers=trigger, source="lighthouse-service")
        if end is None:
            return trigger
        start, stop = window or (None, None)
        evaluation = {
            "timeStart": iso(start) if window else "",
            "timeEnd": iso(stop) if window else "",
            "result": outcome,
            "score": 100 if outcome == "pass" else 0,
            "sloFileContent": base64.b64encode(SLO.encode()).decode(),
            "indicatorResults": [indicator(value)],
        }
        data = {"result": outcome, "status": "succeeded", "evaluation": evaluation | changes.pop("evaluation", {})}
        self.add(end, "evaluation.finished", context, answers=trigger, source="lighthouse-service", **data | changes)
        return trigger

    def invalidate(self, t, trigger, context):
        self.add(t, "evaluation.invalidated", context, answers=trigger, source="bridge")

    def deliver(self, t, context, version="v1", *, window=None, value=0.5, **changes):
        """A delivery through qa and production in 100 s: deployed at t+20, evaluated at t+90."""
        qa = self.sequence(t, context, "qa", version=version)
        self.task(t + 1, t + 5, context, "je-deployment", "qa")
        self.end(t + 6, qa, context, "qa")
        production = self.sequence(t + 7, context, version=version)
        self.task(t + 10, t + 20, context, "je-deployment")
        self.task(t + 21, t + 89, context, "je-test")
        trigger = self.evaluate(t + 90, t + 95, context, window or (t + 30, t + 90), value, **changes)
        self.end(t + 96, production, context, result="pass" if value <= 1 else "fail")
        return trigger

    def stand_alone(self, t, end, context, window, value=0.5, **changes):
        sequence = self.sequence(t, context, sequence="evaluation")
        trigger = self.evaluate(t, end, context, window, value, **changes)
        if end is not None:
            self.end(end + 1, sequence, context, sequence="evaluation", result="pass" if value <= 1 else "fail")
        return trigger

    def execution(self, context, state, stage="production", sequence="delivery"):
        self.executions.append(SequenceExecution(context, stage, "helloservice", sequence, state))

    def events(self, now):
        known = merge_events(parse_event(event) for event in self.raw)
        return tuple(event for event in known if event.time <= time(now))

    def select(self, now, pending=None, **changes):
        return select(expectation(**changes), self.events(now), self.executions, pending, time(now))

    def judge(self, now, pending=None, facts=None, **changes):
        selected = self.select(now, pending, **changes)
        facts = facts or FileFacts(sha256(SLO.encode()), ())
        return prove(expectation(**changes), selected, facts) if isinstance(selected, Found) else selected

    def said(self, now, pending=None, **changes):
        judgement = self.judge(now, pending, **changes)
        return judgement.verdict, judgement.passed.reason


def indicator(value):
    violated = value > 1
    return {
        "displayName": "",
        "keySli": False,
        "passTargets": [{"criteria": "<=1", "targetValue": 1, "violated": violated}],
        "score": 0 if violated else 1,
        "status": "fail" if violated else "pass",
        "value": {"metric": "error_rate", "value": value, "success": True, "comparedValue": 0},
        "warningTargets": None,
    }


def expectation(**changes):
    usual = Expectation(
        target=Target("fulltour", "production", "helloservice"),
        sequence="delivery",
        after_task="je-deployment",
        test_task="je-test",
        version=None,
        first_sync=time(-10),
        result_timeout=timedelta(minutes=30),
    )
    return replace(usual, **changes)
