"""A controller, a shipyard, and the short way to answer its tasks."""

from dataclasses import dataclass, field

from demo.keptn.events import Event, answer, kind, new_event, sequence_name, task_name
from demo.keptn.sequences import Controller, Send
from demo.keptn.shipyard import Shipyard, read_shipyard

SHIPYARD = """
apiVersion: spec.keptn.sh/0.2.2
metadata: {name: x}
spec:
  stages:
    - name: qa
      sequences:
        - name: delivery
          tasks: [{name: je-deployment}]
    - name: production
      sequences:
        - name: delivery
          triggeredOn: [{event: qa.delivery.finished}]
          tasks:
            - name: je-deployment
            - name: je-test
            - {name: evaluation, properties: {timeframe: 1m}}
        - name: rollback
          triggeredOn:
            - {event: production.delivery.finished, selector: {match: {evaluation.result: fail}}}
          tasks: [{name: rollback}]
"""


@dataclass
class World:
    """Feeds the controller with what it sends itself, as the engine does; `sent` are all events so far."""

    shipyard: Shipyard = field(default_factory=lambda: read_shipyard(SHIPYARD))
    controller: Controller = field(default_factory=Controller)
    sent: list[Event] = field(default_factory=list)
    held: list[Send] = field(default_factory=list)

    def deliver(self, context: str, stage: str = "qa", **data: object) -> None:
        scope = {"project": "p", "stage": stage, "service": "s", **data}
        self.take([Send(new_event(f"{stage}.delivery.triggered", "cli", context, scope))])

    def take(self, sends: list[Send]) -> None:
        """Send what the controller wants to send, and let it see its own triggers."""
        for send in sends:
            if send.after:
                self.held.append(send)
                continue
            self.sent.append(send.event)
            if kind(send.event.type) == "triggered" and sequence_name(send.event.type) != ("", ""):
                self.take(self.controller.trigger(send.event, self.shipyard, "c0ffee"))

    def triggers(self, context: str = "") -> list[Event]:
        """All triggers of tasks, oldest first."""
        tasks = [event for event in self.sent if task_name(event.type) and kind(event.type) == "triggered"]
        return [event for event in tasks if context in ("", event.context)]

    def finish(self, trigger: Event, result: str = "pass", status: str = "succeeded", **data: object) -> None:
        """Start and finish a task."""
        scope = {key: trigger.data[key] for key in ("project", "stage", "service")}
        self.take(self.controller.answered(answer(trigger, "started", "x", scope)))
        outcome = {**scope, "result": result, "status": status, **data}
        self.take(self.controller.answered(answer(trigger, "finished", "x", outcome)))

    def finished(self, sequence: str) -> list[Event]:
        return [event for event in self.sent if event.type == f"sh.keptn.event.{sequence}.finished"]

    def state(self, context: str) -> str:
        return self.summary(context)["state"]

    def summary(self, context: str) -> dict:
        return next(one.to_json() for one in self.controller.states._states.values() if one.trigger.context == context)
