"""Generates shipyards in every style that people write; each comes with the names of the styles in it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy], object]
ASTRAL = "\U0001f680"
NAMES = ("je-deployment", "je-test", "evaluation", "approval", "notify", "verify-1", "smoke")
WORDS = st.sampled_from(
    [
        "automatic",
        "2m",
        "a: b",
        "it's",
        'say "hi"',
        f"{ASTRAL} go",
        "# no comment",
        "5",
        "true",
        "~",
        "x{y}",
        "*star",
        "- dash",
        "",
    ]
)
EVENTS = ("qa.delivery.finished", "production.delivery.finished", "staging.delivery.finished")


def one_in(number: int) -> st.SearchStrategy[bool]:
    """True once in so many draws."""
    return st.sampled_from([False] * (number - 1) + [True])


@dataclass(frozen=True)
class Generated:
    """A shipyard's text and what is in it."""

    text: str
    styles: frozenset[str]


@dataclass
class Raw:
    """Text that stands as it is, such as an alias."""

    text: str


@dataclass
class Anchored:
    """A value with an anchor."""

    name: str
    value: object


SHARED = Anchored("own", "4m")
"""A timeframe in a shipyard that has anchors."""


@dataclass
class Pen:
    """Writes a tree; the look of a shipyard is drawn once, the details at every node."""

    draw: Draw
    styles: set[str] = field(default_factory=set)
    anchors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        choose = self._choose
        self.step = choose("step", [2, 2, 4, 3])
        self.list_step = choose("list", [0, 2, 2, 4])
        self.gap = choose("gap", [1, 1, 1, 3])
        self.quote = choose("quote", ["", '"', "'"])
        self.key_quote = choose("key quote", ["", "", "", '"'])
        self.comments = self.draw(st.booleans())
        self.blanks = self.draw(st.booleans())
        self.flow = choose("flow", ["none", "none", "item", "tasks", "stages", "document", "json", "json lines"])
        self.tabs = self.flow == "json lines" and self.draw(st.booleans())
        if self.flow.startswith("json"):
            self.quote = self.key_quote = '"'

    def _choose(self, kind: str, values: list) -> object:
        value = self.draw(st.sampled_from(values))
        self.styles.add(f"{kind} {value!r}")
        return value

    def document(self, tree: object) -> str:
        """The whole text."""
        if self.flow in ("document", "json", "json lines"):
            return self.flow_text(tree, "") + "\n"
        return "\n".join(self.block(tree, 0, "")) + "\n"

    # block style -----------------------------------------------------------------------------------------------

    def block(self, tree: object, column: int, key: str) -> list[str]:
        """Lines of a collection, its keys or dashes in a column."""
        if isinstance(tree, Mapping):
            return [line for name, value in tree.items() for line in self.entry(name, value, column)]
        lines = []
        for item in tree:
            lines += self.noise(column)
            lines += self.item(item, column, key)
        return lines

    def item(self, item: object, column: int, key: str) -> list[str]:
        """Lines of one list entry."""
        dash = " " * column + "-" + " " * self.gap
        if isinstance(item, Raw):
            return [dash + item.text + self.trailer()]
        if isinstance(item, str):
            return [dash + self.scalar(item) + self.trailer()]
        name = ""
        if isinstance(item, Anchored):
            name, item = self.anchor(item), item.value
        if self.flow == "item" and key == "tasks":
            self.styles.add("flow items")
            return [dash + (name + " " if name else "") + self.flow_text(item, "") + self.trailer()]
        lines = self.block(item, column + 1 + self.gap, key)
        if name:
            return [dash + name, *lines]
        while lines[0].lstrip().startswith("#") or not lines[0].strip():
            lines.pop(0)
        return [dash + lines[0].lstrip(" "), *lines[1:]]

    def entry(self, name: str, value: object, column: int) -> list[str]:
        """Lines of one mapping entry."""
        lines = self.noise(column)
        head = " " * column + self.scalar(name, self.key_quote, key=True) + ":"
        if isinstance(value, Anchored):
            head, value = f"{head} {self.anchor(value)}", value.value
        if isinstance(value, Raw):
            return [*lines, f"{head} {value.text}{self.trailer()}"]
        if value is None:
            return [*lines, head + self.draw(st.sampled_from(["", " ~", " null"])) + self.trailer()]
        if isinstance(value, str):
            return [*lines, *self.scalar_entry(head, value, column, name)]
        in_flow = (name == "tasks" and self.flow == "tasks") or (name == "stages" and self.flow == "stages")
        if in_flow or not value:
            return [*lines, f"{head} {self.flow_text(value, ' ' * column)}{self.trailer()}"]
        deeper = self.step if isinstance(value, Mapping) else self.list_step
        return [*lines, head + self.trailer(), *self.block(value, column + deeper, name)]

    def scalar_entry(self, head: str, value: str, column: int, name: str) -> list[str]:
        """A scalar behind a key, now and then as a block of text."""
        free = name.startswith("note") and "&" not in head and value and value.isprintable() and value.strip() == value
        if free and not self.draw(one_in(4)):
            self.styles.add("text block")
            mark = self.draw(st.sampled_from(["|", ">", "|-", "|+", ">-"]))
            return [f"{head} {mark}", " " * (column + self.step) + value, *([""] if self.draw(st.booleans()) else [])]
        space = "\t" if self.draw(one_in(31)) else " "
        if space == "\t":
            self.styles.add("tab")
        return [f"{head}{space}{self.scalar(value)}{self.trailer()}"]

    def trailer(self) -> str:
        """A comment behind something, or spaces."""
        if self.comments and self.draw(one_in(10)):
            self.styles.add("comment")
            return f"  # - name: je-test {ASTRAL}"
        return "   " if self.draw(one_in(10)) else ""

    def noise(self, column: int) -> list[str]:
        """Comment lines and blank lines in front of something."""
        lines = []
        if self.blanks and self.draw(one_in(6)):
            self.styles.add("blank lines")
            lines += ["", "  "][: self.draw(st.integers(1, 2))]
        if self.comments and self.draw(one_in(6)):
            self.styles.add("comment")
            indent = self.draw(st.sampled_from([column, 0, column + 2, max(column - 2, 0)]))
            lines.append(" " * indent + "# name: evaluation, 'quoted\" [")
        return lines

    # flow style ------------------------------------------------------------------------------------------------

    def flow_text(self, tree: object, prefix: str, *, bare: bool = False) -> str:
        """A value in flow style; `prefix` is that of its line, `bare` lets a single entry stand without braces."""
        if isinstance(tree, Anchored):
            return f"{self.anchor(tree)} {self.flow_text(tree.value, prefix)}"
        if tree is None or isinstance(tree, Raw):
            return tree.text if tree else "null"
        if isinstance(tree, str):
            return self.scalar(tree)
        if isinstance(tree, Mapping):
            parts = [f"{self.scalar(key, self.key_quote, key=True)}: {{}}" for key in tree]
            values = [self.flow_text(value, self.inner(prefix)) for value in tree.values()]
            if bare and len(parts) == 1 and isinstance(values[0], str) and not values[0].startswith(("*", "&")):
                self.styles.add("pair without braces")
                return parts[0].format(values[0])
            return self.brackets("{}", [part.format(value) for part, value in zip(parts, values, strict=True)], prefix)
        bare = not self.flow.startswith("json") and self.draw(one_in(10))
        return self.brackets("[]", [self.flow_text(item, self.inner(prefix), bare=bare) for item in tree], prefix)

    def inner(self, prefix: str) -> str:
        """The prefix one level deeper."""
        return prefix + ("\t" if self.tabs else " " * self.step)

    def anchor(self, anchored: Anchored) -> str:
        """An anchor; names that stand more than once get a number, since PyYAML allows no two of a name."""
        self.anchors[anchored.name] += 1
        number = self.anchors[anchored.name]
        return f"&{anchored.name}{number if number > 1 else ''}"

    def brackets(self, kind: str, parts: list[str], prefix: str) -> str:
        """A flow collection."""
        if not parts:
            return kind
        json = self.flow.startswith("json")
        spread = self.flow == "json lines" or (not json and self.draw(one_in(6)))
        comma = "," if not json and self.draw(one_in(6)) else ""
        if comma:
            self.styles.add("trailing comma")
        if spread:
            self.styles.add("flow over lines")
            lines = [self.inner(prefix) + part + "," for part in parts]
            lines[-1] = lines[-1].removesuffix(",") + comma
            end = "" if json else self.trailer()
            return "\n".join(
                [kind[0] + end, *(line + ("" if json else self.trailer()) for line in lines), prefix + kind[1]]
            )
        pad = " " if not json and self.draw(one_in(4)) else ""
        return kind[0] + pad + ", ".join(parts) + comma + pad + kind[1]

    # scalars ---------------------------------------------------------------------------------------------------

    def scalar(self, text: str, quote: str | None = None, *, key: bool = False) -> str:
        """A scalar in the look of the shipyard, quoted where it has to be."""
        if key and text == "<<":
            return text
        quote = self.quote if quote is None else quote
        if not quote and not is_plain(text):
            quote = '"'
        if not key and self.flow not in ("json", "json lines") and self.draw(one_in(8)):
            quote = self.draw(st.sampled_from(["'", '"']))
        if quote == '"':
            self.styles.add("double quotes")
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if quote:
            self.styles.add("single quotes")
            return "'" + text.replace("'", "''") + "'"
        return text


def is_plain(text: str) -> bool:
    """Whether a text can stand without quotes anywhere."""
    return bool(text) and all(character.isalnum() or character in "-./_" for character in text) and text[0].isalpha()


@st.composite
def shipyards(draw: Draw) -> Generated:
    """Shipyards with a stage production, a sequence delivery and a task je-deployment, in all styles."""
    pen = Pen(draw)
    styles = pen.styles
    tree = _tree(draw, styles, json=pen.flow.startswith("json"))
    text = pen.document(tree)
    if draw(one_in(5)) and pen.flow == "none":
        styles.add("document start")
        text = "---\n" + text
    if ASTRAL in text:
        styles.add("astral")
    if draw(one_in(4)):
        styles.add("no final newline")
        text = text.rstrip("\n")
    if draw(one_in(4)):
        styles.add("CRLF")
        text = text.replace("\n", "\r\n")
    if draw(one_in(6)):
        styles.add("BOM")
        text = "\ufeff" + text
    return Generated(text, frozenset(styles))


def _tree(draw: Draw, styles: set[str], *, json: bool) -> dict:
    anchors = not json and draw(one_in(3))
    spec: dict = {
        "stages": [_qa(draw, styles, anchors), *_others(draw, styles, anchors), _production(draw, styles, anchors)]
    }
    tree: dict = {
        "apiVersion": draw(st.sampled_from(["spec.keptn.sh/0.2.2", "spec.keptn.sh/0.2.3", "0.2.0"])),
        "kind": "Shipyard",
    }
    if draw(st.booleans()):
        tree["metadata"] = {"name": draw(st.sampled_from(["shipyard", f"ship {ASTRAL}"]))}
    if draw(one_in(4)):
        styles.add("key order")
        return {"spec": spec, **tree}
    return {**tree, "spec": spec}


def _qa(draw: Draw, styles: set[str], anchors: bool) -> dict:
    tasks: object = [{"name": "je-deployment"}, {"name": "evaluation", "properties": {"timeframe": "3m"}}]
    if anchors:
        styles.add("anchor")
        judged = {"name": "evaluation", "properties": Anchored("judged", {"timeframe": "3m", "note": draw(WORDS)})}
        deploy = Anchored("deploy", {"name": "je-deployment"})
        tasks = Anchored("tasks", [deploy, *_tasks(draw, styles, Anchored("frame", "3m")), judged])
    return {"name": "qa", "sequences": [{"name": "delivery", "tasks": tasks}]}


def _others(draw: Draw, styles: set[str], anchors: bool) -> list[dict]:
    if not anchors or draw(st.booleans()):
        return []
    styles.add("alias")
    return [{"name": "staging", "sequences": [{"name": "delivery", "tasks": Raw("*tasks ")}]}]


def _tasks(draw: Draw, styles: set[str], frame: object) -> list:
    return [_task(draw, styles, name, frame) for name in draw(st.lists(st.sampled_from(NAMES), max_size=3))]


def _task(draw: Draw, styles: set[str], name: str, frame: object) -> dict:
    task: dict = {"name": name}
    if frame is SHARED and name == "evaluation" and draw(one_in(3)):
        shared = draw(st.sampled_from([Raw("*judged "), {"<<": Raw("*judged "), "note": "x"}]))
        styles.add("merge" if isinstance(shared, dict) else "alias")
        return {**task, "properties": shared}
    if draw(one_in(4)):
        task["triggeredAfter"] = draw(st.sampled_from(["1m", "30s"]))
    if draw(st.booleans()):
        task["properties"] = _properties(draw, frame if name == "evaluation" else None)
    if draw(one_in(8)):
        styles.add("name last")
        task["name"] = task.pop("name")
    return task


def _properties(draw: Draw, frame: object) -> dict | None:
    keys = draw(st.lists(st.sampled_from(["pass", "note", "note 2", "warning"]), max_size=3, unique=True))
    properties: dict = {key: draw(WORDS) for key in keys}
    if frame is not None and draw(st.booleans()):
        properties["timeframe"] = frame
    return properties if properties or draw(st.booleans()) else None


def _production(draw: Draw, styles: set[str], anchors: bool) -> dict:
    deploy: object = {"name": "je-deployment"}
    frame: object = SHARED if anchors else "4m"
    if anchors and draw(st.booleans()):
        styles.add("alias")
        deploy = Raw("*deploy ")
    if draw(one_in(4)):
        deploy = _task(draw, styles, "je-deployment", None)
    tasks = [*_tasks(draw, styles, frame), deploy, *_tasks(draw, styles, frame)]
    if draw(one_in(8)):
        styles.add("two anchors")
        tasks.insert(0, {"name": "je-deployment"})
    if anchors and draw(one_in(10)):
        styles.add("tasks from an alias")
        tasks = Raw("*tasks ")
    delivery: dict = {"name": "delivery", "triggeredOn": [{"event": "qa.delivery.finished"}], "tasks": tasks}
    if draw(one_in(4)):
        delivery = {"tasks": tasks, "name": "delivery"}
    sequences = [delivery]
    if draw(one_in(4)):
        styles.add("rollback there")
        sequences.insert(draw(st.integers(0, 1)), _rollback(draw))
    return {"name": "production", "sequences": sequences}


def _rollback(draw: Draw) -> dict:
    rollback: dict = {"name": "rollback"}
    kind = draw(st.integers(0, 4))
    if kind:
        match = draw(st.sampled_from([{"result": "fail"}, {"evaluation.result": "fail"}, {"result": "pass"}]))
        rollback["triggeredOn"] = [{"event": draw(st.sampled_from(EVENTS)), "selector": {"match": match}}]
    elif draw(st.booleans()):
        rollback["triggeredOn"] = draw(st.sampled_from([None, []]))
    rollback["tasks"] = draw(st.sampled_from([[{"name": "rollback"}], [], None, [{"name": "notify"}]]))
    return rollback
