"""A real Prometheus that scrapes each second."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo import loopback
from demo.processes import ServerError, running, wait_until


@dataclass(frozen=True, slots=True)
class Target:
    """One process to scrape, as Prometheus' label `job` calls it; address is host:port."""

    job: str
    address: str


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    configuration: Path

    def scrape(self, targets: Iterable[Target]) -> None:
        """Scrape these targets from now on, and no others.

        Raises:
            ServerError: if Prometheus refuses the configuration.
        """
        self.configuration.write_text(_configuration(targets))
        answer = loopback.request("POST", f"{self.url}/-/reload")
        if not answer.ok:
            raise ServerError(f"Prometheus refused {self.configuration}: {answer.text.strip()}")

    def query(self, expression: str) -> list[float]:
        """Ask an instant query, and return the values of its vector.

        Raises:
            ServerError: if Prometheus refuses the query, or the answer is no vector.
        """
        answer = loopback.request("POST", f"{self.url}/api/v1/query", data={"query": expression}).json()
        if answer["status"] != "success" or answer["data"]["resultType"] != "vector":
            raise ServerError(f"Prometheus query {expression}: {answer.get('error', 'the answer is no vector')}")
        return [float(sample["value"][1]) for sample in answer["data"]["result"]]


def _configuration(targets: Iterable[Target]) -> str:
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": target.job, "static_configs": [{"targets": [target.address]}]} for target in targets
            ],
        },
        sort_keys=False,
    )


@contextmanager
def prometheus(programs: Path, folder: Path, logs: Path, targets: Iterable[Target] = ()) -> Iterator[Prometheus]:
    """Run Prometheus on a free port for the length of a block.

    Args:
        programs: The folder with the program prometheus.
        folder: Where its data and configuration go; made if it is absent.
        logs: Where its log goes.
        targets: What it scrapes at first.

    Raises:
        ServerError: if it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = f"{loopback.ADDRESS}:{loopback.free_ports(1)[0]}"
    server = Prometheus(f"http://{address}", folder / "prometheus.yaml")
    server.configuration.write_text(_configuration(targets))
    command: list[str | Path] = [
        programs / "prometheus",
        f"--config.file={server.configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-lifecycle",
        "--log.level=warn",
    ]
    with running(command, name="prometheus", logs=logs) as child:
        wait_until(lambda: loopback.answers(f"{server.url}/-/ready"), child)
        yield server
