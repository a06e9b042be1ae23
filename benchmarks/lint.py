"""How long `prodeval lint` takes for 1,001 files: `python benchmarks/lint.py`.

143 services with an slo.yaml, an sli.yaml, a job/config.yaml, two locust files, a shipyard and a resource each. The
time is that of the whole process; the baseline, in a process of its own, is Python with PyYAML, reading and composing
the same YAML files in C.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICES = 143
HERE = Path(__file__).resolve().parent
FILES = {
    path: (HERE.parent / "demo" / "files" / path).read_text()
    for path in (
        "slo.yaml",
        "prometheus/sli.yaml",
        "job/config.yaml",
        "locust/basic.py",
        "locust/locust.conf",
        "shipyard.yaml",
    )
}
RESOURCE = """\
apiVersion: prodeval.dev/v1alpha1
kind: ProductionEvaluation
metadata: {name: helloservice}
spec: {project: fulltour, service: helloservice}
"""
BASELINE = """\
import sys, yaml
from pathlib import Path
for path in Path(sys.argv[1]).rglob("*.yaml"):
    yaml.compose(path.read_text(), yaml.CSafeLoader)
"""


def seconds(*command: str) -> float:
    """How long a process runs; raises CalledProcessError if it fails."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the two times."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SERVICES):
            for path, text in {**FILES, "resource.yaml": RESOURCE}.items():
                file = Path(folder, f"service-{number}", path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        prodeval = str(Path(sys.executable).with_name("prodeval"))
        print(f"prodeval lint, {SERVICES * (len(FILES) + 1)} files: {seconds(prodeval, 'lint', folder):.2f} s")
        print(f"PyYAML alone: {seconds(sys.executable, '-c', BASELINE, folder):.2f} s")
        print(f"prodeval lint --help: {seconds(prodeval, 'lint', '--help'):.2f} s")


if __name__ == "__main__":
    main()
