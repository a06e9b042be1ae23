# Of all architectures. To renew it: docker buildx imagetools inspect docker.io/library/python:3.13-slim
ARG BASE=docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${BASE} AS build
WORKDIR /src
COPY deploy/requirements.txt deploy/build-requirements.txt ./
RUN python -m venv /opt/prodeval && /opt/prodeval/bin/pip install --only-binary=:all: --require-hashes -r requirements.txt
RUN python -m venv /tmp/build && /tmp/build/bin/pip install --only-binary=:all: --require-hashes -r build-requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY crds crds
COPY operator operator
RUN /tmp/build/bin/hatchling build -t wheel -d /tmp/dist && /opt/prodeval/bin/pip install --no-deps /tmp/dist/*.whl

FROM ${BASE}
# A venv cannot move: the path is the same in both stages.
COPY --from=build /opt/prodeval /opt/prodeval
# The user has no line in /etc/passwd. USER is for kopf, which asks for a name when it starts.
ENV PATH=/opt/prodeval/bin:$PATH USER=prodeval PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["prodeval"]
CMD ["run", "--all-namespaces", "--log-format=json", "--liveness=http://0.0.0.0:8080/healthz"]
