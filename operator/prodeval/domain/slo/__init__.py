"""Keptn's quality gate: slo.yaml, values and earlier evaluations in, Keptn 1.4.5's verdict out."""

from prodeval.domain.slo.aggregates import aggregate
from prodeval.domain.slo.comparison import PreviousEvaluation, compared_evaluations
from prodeval.domain.slo.criteria import Criterion, CriterionError, parse_criterion
from prodeval.domain.slo.decode import decode_slo
from prodeval.domain.slo.evaluation import Evaluation, errored, evaluate, provider_errored, unperformed
from prodeval.domain.slo.indicators import IndicatorResult, Target
from prodeval.domain.slo.notes import notes
from prodeval.domain.slo.objectives import Comparison, Objective, ServiceLevelObjectives, TotalScore
from prodeval.domain.slo.payload import finished_payload
from prodeval.domain.slo.scoring import Thresholds, TotalScoreError, thresholds
from prodeval.domain.slo.values import SLIValue

__all__ = [
    "Comparison",
    "Criterion",
    "CriterionError",
    "Evaluation",
    "IndicatorResult",
    "Objective",
    "PreviousEvaluation",
    "SLIValue",
    "ServiceLevelObjectives",
    "Target",
    "Thresholds",
    "TotalScore",
    "TotalScoreError",
    "aggregate",
    "compared_evaluations",
    "decode_slo",
    "errored",
    "evaluate",
    "finished_payload",
    "notes",
    "parse_criterion",
    "provider_errored",
    "thresholds",
    "unperformed",
]
