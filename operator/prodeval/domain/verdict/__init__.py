"""From Keptn's events to a verdict with evidence.

`select` finds what counts; where that is an evaluation, `prove` judges it with what Git says about its files.
"""

from prodeval.domain.verdict.judge import prove
from prodeval.domain.verdict.memory import remember
from prodeval.domain.verdict.model import (
    Artifact,
    Candidate,
    Check,
    Deployment,
    EvaluationRecord,
    Expectation,
    FileFacts,
    Found,
    Judgement,
    Objective,
    Pending,
    Remembered,
    Verdict,
)
from prodeval.domain.verdict.selection import select

__all__ = [
    "Artifact",
    "Candidate",
    "Check",
    "Deployment",
    "EvaluationRecord",
    "Expectation",
    "FileFacts",
    "Found",
    "Judgement",
    "Objective",
    "Pending",
    "Remembered",
    "Verdict",
    "prove",
    "remember",
    "select",
]
