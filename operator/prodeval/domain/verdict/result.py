"""What lighthouse wrote into an `evaluation.finished` event."""

import base64
import binascii
from dataclasses import dataclass

from prodeval.domain.events import Event
from prodeval.domain.json_values import JSON, as_list, as_text, child
from prodeval.domain.slo import SLIValue


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator's result.

    Attributes:
        status: pass, warning, fail or info, as Keptn said it.
        value: None if the provider returned none.
        compared: aggregate of the compared evaluations; 0 if there was none.
        criteria: (criterion, violated) of each pass criterion.
    """

    display_name: str
    status: str
    value: SLIValue | None
    compared: float
    key_sli: bool
    criteria: tuple[tuple[str, bool], ...]

    @property
    def scored(self) -> bool:
        """Whether it could influence the result."""
        return self.status in {"pass", "warning", "fail"}


@dataclass(frozen=True, slots=True)
class Result:
    """One evaluation's result.

    Attributes:
        outer: decides the sequence; pass, warning or fail.
        inner: what the score alone says.
        score: the number as text, exactly as Keptn sent it; empty if it sent none.
        slo: the slo.yaml that was scored; empty if there was none, None if it cannot be decoded.
        indicators: in the order of the objectives; empty if nothing was evaluated.
    """

    outer: str
    inner: str
    score: str
    slo: bytes | None
    indicators: tuple[Indicator, ...]
    message: str


def read_result(finished: Event) -> Result:
    """Read an `evaluation.finished` event; what it lacks is empty."""
    score = child(finished.data, "evaluation", "score")
    indicators = as_list(child(finished.data, "evaluation", "indicatorResults"))
    return Result(
        outer=finished.text("result"),
        inner=finished.text("evaluation", "result"),
        score=str(score) if _is_number(score) else "",
        slo=_decode(finished.text("evaluation", "sloFileContent")),
        indicators=tuple(_indicator(value) for value in indicators),
        message=finished.text("message"),
    )


def _decode(content: str) -> bytes | None:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None


def _indicator(value: JSON) -> Indicator:
    return Indicator(
        display_name=as_text(child(value, "displayName")),
        status=as_text(child(value, "status")),
        value=_value(child(value, "value")),
        compared=as_number(child(value, "value", "comparedValue")),
        key_sli=child(value, "keySli") is True,
        criteria=tuple(
            (as_text(child(target, "criteria")), child(target, "violated") is True)
            for target in as_list(child(value, "passTargets"))
        ),
    )


def _value(value: JSON) -> SLIValue | None:
    metric = as_text(child(value, "metric"))
    if not metric:
        return None
    number, success = as_number(child(value, "value")), child(value, "success") is True
    return SLIValue(metric, number, success, as_text(child(value, "message")))


def as_number(value: JSON) -> float:
    """The number itself; 0 if it is none, or too large for a float."""
    try:
        return float(value) if _is_number(value) and isinstance(value, int | float) else 0.0
    except OverflowError:
        return 0.0


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
