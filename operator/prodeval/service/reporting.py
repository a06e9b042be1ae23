"""Writes what is new about a resource into its status, and tells people about it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from prodeval.domain.json_values import JSONObject, as_object
from prodeval.domain.report import Report, build_status
from prodeval.domain.resource import Resource, ResourceKey
from prodeval.service.announcing import announcements
from prodeval.service.ports import Announcer
from prodeval.service.registry import Registry
from prodeval.service.status import StatusWriter

Clock = Callable[[], datetime]


class Reporter:
    """The last step of both use cases."""

    def __init__(
        self, registry: Registry, writer: StatusWriter, announce: Announcer, clock: Clock, bridge_url: str = ""
    ) -> None:
        self._registry, self._writer, self._announce = registry, writer, announce
        self._clock, self._bridge_url = clock, bridge_url

    def now(self) -> str:
        """The time as a status holds it: RFC 3339 in UTC with seconds."""
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def report(self, resource: Resource, report: Report) -> None:
        """Write what is new on top of the newest status; the spec is that of the resource as it was handled.

        Raises ClusterUnavailableError.
        """
        now = self.now()

        def status_of(body: JSONObject) -> JSONObject:
            newest = replace(resource, status=as_object(body.get("status")))
            return build_status(newest, report, now, self._bridge_url)

        written = self._writer.update(resource.key, status_of)
        body = self._registry.body(resource.key)
        if written is None or body is None:
            return
        for one in announcements(*written):
            self._announce(body, one.kind, one.reason, one.message)

    def forget(self, key: ResourceKey) -> None:
        """Drop what is remembered about a resource that is gone."""
        self._writer.forget(key)
