"""A preview for people and `git apply`, and for programs."""

import base64
import difflib
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from prodeval.domain.json_values import JSONObject
from prodeval.service.previewing import FilePreview, Preview

_BINARY_LINE = 52
"""Bytes in a line of Git's binary patches."""


def as_diff(preview: Preview) -> bytes:
    """A unified diff for each branch, each under a line that names it; `git apply` skips that line."""
    parts: list[bytes] = []
    for branch, files in groupby(preview.files, key=lambda file: file.branch):
        parts.append(f"# branch {branch}\n".encode())
        parts += [file_diff(file) for file in files]
    return b"".join(parts)


def file_diff(file: FilePreview) -> bytes:
    """The diff of one file, as Git writes it."""
    head = [f"diff --git a/{file.path} b/{file.path}\n", *(["new file mode 100644\n"] if file.before is None else [])]
    before = file.before or b""
    if not (_is_text(before) and _is_text(file.after)):
        return "".join([*head, *_binary(file)]).encode()
    old = "/dev/null" if file.before is None else f"a/{file.path}"
    lines = difflib.unified_diff(_lines(before), _lines(file.after), old, f"b/{file.path}")
    # A name with a space would need a tab behind it; the names that may be written have none.
    return "".join([*head, *map(_with_end, lines)]).encode()


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _lines(content: bytes) -> list[str]:
    """Lines as Git counts them: they end at line feeds only."""
    return content.decode().replace("\n", "\n\0").removesuffix("\0").split("\0") if content else []


def _with_end(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _binary(file: FilePreview) -> Iterator[str]:
    old = "0" * 40 if file.before is None else _blob_id(file.before)
    yield f"index {old}..{_blob_id(file.after)}{'' if file.before is None else ' 100644'}\n"
    yield f"GIT binary patch\nliteral {len(file.after)}\n"
    packed = zlib.compress(file.after)
    for start in range(0, len(packed), _BINARY_LINE):
        chunk = packed[start : start + _BINARY_LINE]
        size = chr(len(chunk) + (64 if len(chunk) <= 26 else 70))  # noqa: PLR2004 - Git counts A to Z, then a to z
        yield f"{size}{base64.b85encode(chunk, pad=True).decode()}\n"
    yield "\n"


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def as_json(preview: Preview) -> bytes:
    """Resources with their doubts, and files with their diffs."""
    shown: JSONObject = {
        "resources": [
            {
                "namespace": resource.key.namespace,
                "name": resource.key.name,
                "project": resource.target.project,
                "stage": resource.target.stage,
                "service": resource.target.service,
                "load": plan.load,
                "timeframe": plan.timeframe,
                "doubts": list(plan.doubts),
            }
            for resource, plan in preview.plans
        ],
        "files": [_file(file) for file in preview.files],
    }
    return (json.dumps(shown, indent=2, ensure_ascii=False) + "\n").encode()


def _file(file: FilePreview) -> JSONObject:
    return {
        "branch": file.branch,
        "path": file.path,
        "action": "Add" if file.before is None else "Change",
        "withheld": file.withheld,
        "diff": file_diff(file).decode(),
    }


FORMATS: Mapping[str, Callable[[Preview], bytes]] = {"diff": as_diff, "json": as_json}
