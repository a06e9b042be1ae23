"""Service level indicators: which query belongs to one, over which window, and what its answer is worth."""

from prodeval.domain.sli.answers import Answer, read_answer
from prodeval.domain.sli.files import decode_sli, merge_levels
from prodeval.domain.sli.queries import DEFAULT_INDICATORS, SLIRequest, build_query
from prodeval.domain.sli.retrieval import Ask, Retrieval, retrieve
from prodeval.domain.sli.timeframe import AskedTimeframe, TimeframeError, resolve_timeframe

__all__ = [
    "DEFAULT_INDICATORS",
    "Answer",
    "Ask",
    "AskedTimeframe",
    "Retrieval",
    "SLIRequest",
    "TimeframeError",
    "build_query",
    "decode_sli",
    "merge_levels",
    "read_answer",
    "resolve_timeframe",
    "retrieve",
]
