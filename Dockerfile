FROM python:3.13-slim AS build
WORKDIR /src
COPY deploy/requirements.txt deploy/build-requirements.txt ./
RUN python -m venv /opt/prodeval && /opt/prodeval/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
COPY crds crds
RUN python -m venv /tmp/build && /tmp/build/bin/pip install --no-cache-dir --require-hashes -r build-requirements.txt
RUN /tmp/build/bin/hatchling build -t wheel -d /tmp/dist && /opt/prodeval/bin/pip install --no-cache-dir --no-deps /tmp/dist/*.whl

FROM python:3.13-slim
COPY --from=build /opt/prodeval /opt/prodeval
USER 65532:65532
ENV PATH=/opt/prodeval/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ENTRYPOINT ["prodeval"]
CMD ["run", "--all-namespaces", "--log-format=json", "--liveness=http://0.0.0.0:8080/healthz"]
