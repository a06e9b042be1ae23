"""Trigger a delivery, as `keptn trigger delivery` does: `python -m demo.keptn.deliver --help`."""

import argparse
import sys
from collections.abc import Mapping

import requests


def deliver(url: str, token: str, body: Mapping[str, object]) -> str:
    """Post the event, and return the Keptn context; raises requests.RequestException if Keptn refuses it."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{url}/v1/event", json=body, headers={"x-token": token}, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["keptnContext"])


def delivery(target: tuple[str, str, str], image: str, version: str) -> Mapping[str, object]:
    """The event that starts a delivery of `image:version` in the stage of a target: project, stage, service."""
    project, stage, service = target
    return {
        "type": f"sh.keptn.event.{stage}.delivery.triggered",
        "specversion": "1.0",
        "source": "https://github.com/keptn/keptn/cli#configuration-change",
        "contenttype": "application/json",
        "data": {
            "project": project,
            "stage": stage,
            "service": service,
            "labels": {"image": image, "version": version},
            "configurationChange": {"values": {"image": f"{image}:{version}"}},
        },
    }


def main() -> None:
    """Trigger one delivery and print its context."""
    parser = argparse.ArgumentParser(prog="python -m demo.keptn.deliver", description="Trigger a delivery.")
    parser.add_argument("--url", required=True, help="of Keptn's API, such as http://127.0.0.1:8080/api")
    parser.add_argument("--token", required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--stage", default="qa", help="the first stage; qa by default")
    parser.add_argument("--service", required=True)
    parser.add_argument("--image", required=True, help="without the tag")
    parser.add_argument("--version", required=True, help="the tag, and the label that names the version")
    asked = parser.parse_args()
    target = (asked.project, asked.stage, asked.service)
    try:
        print(deliver(asked.url.rstrip("/"), asked.token, delivery(target, asked.image, asked.version)))
    except requests.RequestException as error:
        sys.exit(f"Keptn at {asked.url} did not take the delivery: {error}")


if __name__ == "__main__":
    main()
