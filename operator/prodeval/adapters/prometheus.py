"""Prometheus' query API, asked as prometheus-service asks it: POST, and GET where a server knows no POST."""

from prodeval.adapters.http import HttpClient
from prodeval.domain.sli import Answer

QUERY_PATH = "/api/v1/query"
_POST_UNKNOWN = frozenset({405, 501})


class PrometheusClient:
    """Instant queries to one Prometheus; its `query` is what `prodeval.domain.sli.retrieve` asks with."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def query(self, query: str, time: str) -> Answer:
        """Send an instant query.

        Args:
            query: PromQL.
            time: Unix seconds.

        Returns:
            The answer, whatever its status.

        Raises:
            RetryableError: there was no whole answer.
        """
        form = {"query": query, "time": time}
        response = self._http.request("POST", QUERY_PATH, form=form)
        if response.status in _POST_UNKNOWN:
            response = self._http.request("GET", QUERY_PATH, params=form)
        return Answer(response.status, response.body)
