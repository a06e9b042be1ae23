"""Which version and image a run delivers."""

from collections.abc import Iterable, Mapping

from prodeval.domain.events import Event
from prodeval.domain.verdict.model import Artifact


def artifacts(events: Iterable[Event], stage: str) -> Mapping[str, Artifact]:
    """What each context delivers: its label `version`, else the tag of its image.

    What is said in the stage goes before what is said in others; then the oldest word counts.
    Only `.triggered` events carry the image.
    """
    found: dict[str, Artifact] = {}
    for event in sorted(events, key=lambda event: (event.text("stage") != stage, event.order)):
        known = found.get(event.context, Artifact())
        found[event.context] = Artifact(
            known.version or event.text("labels", "version"),
            known.image or event.text("configurationChange", "values", "image"),
        )
    return {context: Artifact(one.version or image_tag(one.image), one.image) for context, one in found.items()}


def image_tag(image: str) -> str:
    """The tag of an image reference; empty if it has none."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]
