"""Manifests: the resources in them, and the ConfigMaps that these name."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from prodeval.domain.errors import DependencyNotReadyError, InvalidFileError, InvalidSpecError
from prodeval.domain.json_values import JSONObject, as_object, as_text, child
from prodeval.domain.preflight.resource_checks import documents
from prodeval.domain.preflight.schema import to_json
from prodeval.domain.preflight.text import decode
from prodeval.domain.resource import GROUP, KIND, ConfigMapFiles, Resource, read_resource
from prodeval.domain.yaml_nodes import compose


@dataclass(frozen=True, slots=True)
class Manifests:
    """What some files hold.

    Attributes:
        resources: in the order of the files; the first counts as the oldest.
        config_maps: data by namespace and name, of the ConfigMaps that the resources name.
    """

    resources: tuple[Resource, ...]
    config_maps: Mapping[str, Mapping[str, Mapping[str, bytes]]]


def read_manifests(paths: Iterable[Path]) -> Manifests:
    """Read files.

    Raises OSError, InvalidFileError, InvalidSpecError, DependencyNotReadyError for a ConfigMap that is not there.
    """
    bodies = [(path, body) for path in paths for body in _bodies(path)]
    resources = tuple(_resource(path, body, n) for n, (path, body) in enumerate(bodies) if _is_ours(body))
    if not resources:
        raise InvalidSpecError(f"no {KIND} in the files")
    config_maps = [body for _, body in bodies if body.get("kind") == "ConfigMap"]
    return Manifests(
        resources,
        {
            namespace: _data(namespace, resources, config_maps)
            for namespace in {each.key.namespace for each in resources}
        },
    )


def _bodies(path: Path) -> Iterator[JSONObject]:
    for lines, document in documents(decode(path.read_bytes(), str(path))):
        try:
            root = compose(document, path=str(path))
            yield as_object(to_json(root, str(path))) if root is not None else {}
        except InvalidFileError as error:
            line = error.line + lines if error.line else 0
            raise InvalidFileError(error.problem, path=str(path), line=line, column=error.column) from error


def _is_ours(body: JSONObject) -> bool:
    return body.get("kind") == KIND and as_text(body.get("apiVersion")).startswith(f"{GROUP}/")


def _resource(path: Path, body: JSONObject, number: int) -> Resource:
    try:
        return replace(read_resource(body), uid=f"{number:06}")
    except InvalidSpecError as error:
        raise InvalidSpecError(f"{path}: {error}") from error


def _data(
    namespace: str, resources: Iterable[Resource], config_maps: Iterable[JSONObject]
) -> Mapping[str, Mapping[str, bytes]]:
    """The ConfigMaps that resources of a namespace name; one without a namespace fits any."""
    found = {
        as_text(child(body, "metadata", "name")): _contents(body)
        for body in config_maps
        if as_text(child(body, "metadata", "namespace"), namespace) == namespace or not namespace
    }
    for resource in resources:
        for source in resource.files if resource.key.namespace == namespace else ():
            if isinstance(source, ConfigMapFiles) and source.name not in found:
                raise DependencyNotReadyError(
                    f"{resource.key}: the files hold no ConfigMap {source.name!r}; name its manifest with -f, too"
                )
    return found


def _contents(body: JSONObject) -> Mapping[str, bytes]:
    text = {key: as_text(value).encode() for key, value in as_object(body.get("data")).items()}
    try:
        binary = {key: base64.b64decode(as_text(value)) for key, value in as_object(body.get("binaryData")).items()}
    except binascii.Error as error:
        raise InvalidSpecError(f"ConfigMap {child(body, 'metadata', 'name')}: binaryData is no base64") from error
    return {**text, **binary}
