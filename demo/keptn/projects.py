"""Projects, stages and services, as Keptn's database knows them."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from demo.keptn.events import CONTROLLER, PROMETHEUS, Event, new_event, new_id
from demo.keptn.shipyard import Shipyard, read_shipyard
from demo.keptn.upstream import Upstream
from demo.keptn.views import LastEvents
from prodeval.domain.json_values import JSONObject

_CLI = "https://github.com/keptn/keptn/cli#configuremonitoring"


@dataclass(frozen=True, slots=True)
class Project:
    """One project.

    Attributes:
        services: each is in every stage.
        uploaded: the shipyard as text, as it was when the project was made known.
        created: nanoseconds since the epoch, as text.
    """

    name: str
    services: tuple[str, ...]
    upstream: Upstream
    uploaded: str
    created: str = field(default_factory=lambda: str(time.time_ns()))

    @property
    def stages(self) -> list[str]:
        """In the order of the shipyard."""
        return [stage.name for stage in read_shipyard(self.uploaded).stages]

    def to_json(self, cached: Shipyard | None, last: LastEvents) -> JSONObject:
        """The project's page; the shipyard is the uploaded text until a sequence was triggered."""
        shipyard = cached or read_shipyard(self.uploaded)
        https = {"insecureSkipTLS": False}
        return {
            "creationDate": self.created,
            "projectName": self.name,
            "shipyard": cached.to_yaml() if cached else self.uploaded,
            "shipyardVersion": shipyard.api_version,
            "stages": [self.stage_json(stage, last) for stage in self.stages],
            "gitCredentials": {"remoteURL": self.upstream.url, "user": self.upstream.user, "https": https},
            "isUpstreamAutoProvisioned": False,
        }

    def stage_json(self, stage: str, last: LastEvents) -> JSONObject:
        """A stage's page."""
        parents = read_shipyard(self.uploaded).parents(stage)
        return {
            "services": [self.service_json(stage, service, last) for service in self.services],
            "stageName": stage,
            **({"parentStages": parents} if parents else {}),
        }

    def service_json(self, stage: str, service: str, last: LastEvents) -> JSONObject:
        """A service's page."""
        events = last.of(self.name, stage, service)
        return {
            "creationDate": self.created,
            **({"lastEventTypes": events} if events else {}),
            "openRemediations": None,
            "serviceName": service,
        }


def read_project(name: str, services: Iterable[str], upstream: Upstream) -> Project:
    """Make a project known whose upstream is there already.

    Raises:
        NotThereError, UpstreamError, ShipyardError: it has no usable shipyard.
    """
    uploaded = upstream.read("shipyard.yaml").content.decode()
    read_shipyard(uploaded)
    return Project(name, tuple(sorted(services)), upstream, uploaded)


def creation_events(project: Project, *, monitored: bool) -> list[Event]:
    """What Keptn stores when a project and its services are made, and monitoring is configured for them."""
    named: JSONObject = {"project": project.name}
    done = {"status": "succeeded", "result": "pass"}
    context = new_id()
    created = {"projectName": project.name, "gitRemoteURL": project.upstream.url, "shipyard": project.uploaded}
    finished = {**named, **done, "createdProject": created}
    events = [
        new_event("project.create.started", CONTROLLER, context, named),
        new_event("project.create.finished", CONTROLLER, context, finished),
    ]
    for service in project.services:
        context, of_service = new_id(), {**named, "service": service}
        events += [
            service_event("started", project.name, service, context),
            service_event("finished", project.name, service, context, done),
            *(_monitoring(of_service) if monitored else ()),
        ]
    return events


def service_event(
    kind: str, project: str, service: str, context: str, outcome: Mapping[str, str] | None = None
) -> Event:
    """What Keptn stores when a service is made: `started`, then `finished` with an outcome."""
    data: JSONObject = {"project": project, "service": service, **(outcome or {})}
    return new_event(f"service.create.{kind}", CONTROLLER, context, data)


def _monitoring(of_service: JSONObject) -> list[Event]:
    trigger = new_event("monitoring.configure", _CLI, new_id(), {**of_service, "type": "prometheus"})
    message = "Prometheus successfully configured and rule created"
    answers = {"started": {}, "finished": {"status": "succeeded", "result": "pass", "message": message}}
    return [
        trigger,
        *(
            new_event(
                f"configure-monitoring.{kind}",
                PROMETHEUS,
                trigger.context,
                {**of_service, **more},
                triggered_id=trigger.id,
            )
            for kind, more in answers.items()
        ),
    ]
