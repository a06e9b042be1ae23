"""The query of an indicator: its text with placeholders filled in, or prometheus-service's default for its name.

Source: prometheus-service 0.9.1, utils/prometheus/prometheus.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_PERCENTILE = "histogram_quantile({},sum(rate(http_response_time_milliseconds_bucket{{{}}}[{}]))by(le))"

DEFAULT_INDICATORS = frozenset(
    {"throughput", "error_rate", "response_time_p50", "response_time_p90", "response_time_p95"}
)
"""The names that need no entry in an sli.yaml."""


@dataclass(frozen=True, slots=True)
class SLIRequest:
    """What lighthouse asks of the SLI provider.

    Attributes:
        indicators: one for each objective, in order, repeated as they are.
        start: of the window, as text: RFC 3339 or Unix seconds.
        end: as start.
        filters: the SLO's `filter`.
        deployment: from the event; the label `deployment` wins over it.
    """

    project: str
    stage: str
    service: str
    indicators: tuple[str, ...]
    start: str
    end: str
    labels: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    deployment: str = ""


def build_query(indicator: str, queries: Mapping[str, str], request: SLIRequest, duration: str) -> str | None:
    """The query to send; None if there is neither an entry nor a default. An empty entry counts as none.

    Args:
        indicator: its name.
        queries: those of the sli.yaml files.
        request: what is asked.
        duration: the length of the window as PromQL writes it, such as `76s`.
    """
    query = queries.get(indicator)
    if query:
        return fill_placeholders(query, request, duration)
    return default_query(indicator, request, duration)


def fill_placeholders(query: str, request: SLIRequest, duration: str) -> str:
    """Replace `$NAME` as plain text wherever it stands, in Keptn's order; what is inserted is subject to later steps.

    There are no word boundaries, so filters and labels are replaced longest name first; Keptn's order is random.
    """
    for key, value in _longest_first(request.filters):
        text = _unquoted(value)
        query = query.replace(f"${key}", text).replace(f"${key.upper()}", text)
    query = query.replace("$PROJECT", request.project).replace("$STAGE", request.stage)
    query = query.replace("$SERVICE", request.service).replace("$DEPLOYMENT", _deployment(request))
    for key, value in _longest_first(request.labels):
        query = query.replace(f"$LABEL.{key}", value)
    return query.replace("$DURATION_SECONDS", duration)


def _longest_first(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(values.items(), key=lambda item: len(item[0]), reverse=True)


def _unquoted(value: str) -> str:
    return value.replace("'", "").replace('"', "")


def _deployment(request: SLIRequest) -> str:
    return request.labels.get("deployment") or request.deployment or "primary"


def default_query(indicator: str, request: SLIRequest, duration: str) -> str | None:
    """The built-in query for the name; None if there is none."""
    matchers = _matchers(request)
    rate = "sum(rate(http_requests_total{{{}}}[{}]))"
    match indicator:
        case "throughput":
            return rate.format(matchers, duration)
        case "error_rate":
            failed = rate.format(f"{matchers},status!~'2..'", duration)
            return f"{failed}/{rate.format(matchers, duration)}"
        case "response_time_p50" | "response_time_p90" | "response_time_p95":
            return _PERCENTILE.format(f"0.{indicator[-2:]}", matchers, duration)
        case _:
            return None


def _matchers(request: SLIRequest) -> str:
    """The label matchers of the default queries: Keptn's job name, unless there is a filter `job`, and the filters."""
    matchers = [_matcher(key, value) for key, value in request.filters.items()]
    if "job" not in request.filters:
        matchers.insert(0, f"job='{request.service}-{request.project}-{request.stage}-canary'")
    return ",".join(matchers)


def _matcher(key: str, value: str) -> str:
    """A value that brings its own operator is taken as it stands, but for the kind of its quotes."""
    if value.startswith(("=", "!=", "!~")):
        return key + value.replace('"', "'")
    return f"{key}='{_unquoted(value)}'"
