"""The writes of people and pipelines over Keptn's API, each of which pushes Keptn's clone of the upstream."""

import base64

import requests

from tests.operator.harness import NOWHERE

REFUSED = (500, {"code": 500, "message": "Internal server error"})
WORKS = {"project": 201, "qa": 201, "production": 201, "service": 200}
CREATED = "sh.keptn.event.service.create.finished"


class NothingToDeploy:
    """The services of the demo Keptn, where no task is to end well."""

    def targets(self):
        return [("fulltour", "qa", "helloservice"), ("fulltour", "production", "helloservice")]

    def url(self, target):
        return NOWHERE

    def version(self, target):
        return ""

    def deploy(self, target, version):
        """Do nothing."""


class KeptnUser:
    """Writes as `keptn add-resource` and `keptn create service` do."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self):
        self.session.close()

    def ask(self, method, path, **options):
        answer = self.session.request(method, self.url + path, headers={"x-token": self.token}, timeout=30, **options)
        return answer.status_code, answer.json()

    def add_resource(self, scope, uri="notes.txt", content=b"notes"):
        resources = [{"resourceURI": uri, "resourceContent": base64.b64encode(content).decode()}]
        path = f"/resource-service/v1/project/fulltour{scope}/resource"
        return self.ask("POST", path, json={"resources": resources})

    def read(self, path):
        return self.ask("GET", f"/resource-service/v1/project/fulltour{path}")[0]

    def create_service(self, name):
        return self.ask("POST", "/controlPlane/v1/project/fulltour/service", json={"serviceName": name})

    def events(self, event_type):
        query = {"project": "fulltour", "type": event_type}
        return self.ask("GET", "/mongodb-datastore/event", params=query)[1]["events"]

    def writes(self, name):
        """The status of one write of each kind, to each stage."""
        service = "/service/helloservice"
        return {
            "project": self.add_resource("")[0],
            "qa": self.add_resource("/stage/qa")[0],
            "production": self.add_resource("/stage/production" + service)[0],
            "service": self.create_service(name)[0],
        }
