"""Odd slo.yaml texts from a seed: what people write, and what only a fuzzer writes."""

from random import Random

SCALARS = (
    *("'90%'", '"75"', "75.50", "90", "yes", "No", "on", "OFF", "y", "N", "true", "True", "TRUE", "false", "tRue"),
    *(
        "null",
        "Null",
        "~",
        "",
        "''",
        '""',
        "'true'",
        "'yes'",
        '"on"',
        "'2'",
        "2022-01-01",
        "2001-12-14t21:59:43.10-05:00",
    ),
    *("1", "0", "-3", "+4", "0x10", "0X1f", "0o17", "010", "09", "0b101", "-0x10", "1_000", "_1", "1__0", "1e3", "1.5"),
    *("0.5", ".5", "5.", "-.5e1", "1e400", "-1e30", "1e18", "9223372036854775807", "9223372036854775808", "1:30"),
    *("9223372036854775808.0", "18446744073709551615", "18446744073709551616", "-9223372036854775809", ".inf", "-.inf"),
    *(
        ".nan",
        ".NaN",
        "+.INF",
        "inf",
        "0.0",
        "-0",
        "0x",
        "1e",
        "--1",
        "+",
        "-",
        ".",
        "..",
        "1.2.3",
        "1,5",
        "<<",
        "=",
        "=0",
    ),
    *(
        "!!int 5",
        "!!int '5'",
        "!!int abc",
        "!!float 5",
        "!!float 1.5",
        "!!bool true",
        "!!bool yes",
        "!!str 5",
        "!!str yes",
    ),
    *("!!null ''", "!!null x", "!foo yes", "!foo 5", "! 5", "! true", "!!int 1.5", "!!str", "!!float x", "&a 5", "*a"),
    *("a b", "größe", "'it''s'", '"tab\\t"', '"\\u00e9"', "a#b", "'a # b'", "http://x", "[1]", "{a: b}", "[]", "{}"),
    *(
        "'<10'",
        "<10",
        "<=+10%",
        "'>5'",
        ">5",
        ">=5",
        "|",
        "'|5'",
        '"<=\\x41"',
        "'< 1'",
        "@x",
        "`x`",
        "%x",
        "a: b",
        "? a",
    ),
)
KEYS = (
    *("sli", "displayName", "pass", "warning", "weight", "key_sli", "criteria", "total_score", "objectives", "filter"),
    *("comparison", "compare_with", "include_result_with_score", "number_of_comparison_results", "aggregate_function"),
    *(
        "spec_version",
        "displayname",
        "extra",
        "5",
        "true",
        "null",
        "~",
        "'sli'",
        '"pass"',
        "<<",
        "on",
        "? x",
        "[a]",
        "!!str sli",
    ),
)
CRITERIA = ("'<10'", "<=5", "'<=+10%'", '">=-3%"', "=0", "'> 5'", "<1.5")
ODD_CRITERIA = (
    "null",
    "5",
    "[x]",
    "{a: b}",
    ">5",
    "''",
    "~",
    "&c '<1'",
    "*c",
    "> 5",
    "|",
    ">-",
    ">=5",
    "!!int 5",
    "yes",
)
NOISE = (
    "\t",
    " ",
    "\n",
    "#",
    ":",
    "-",
    "'",
    '"',
    "[",
    "]",
    "{",
    "}",
    ",",
    "&",
    "*",
    "|",
    ">",
    "%",
    "@",
    "é",
    "\r\n",
    "\x07",
    "\u2028",
)


class SLOTexts:
    """Texts from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.oddness = 0.0

    def text(self) -> str:
        """One text; about half of them decode."""
        self.oddness = self.random.choice((0.005, 0.01, 0.02, 0.1))
        text = self._file()
        return self._damaged(text) if self._odd() else text

    def _file(self) -> str:
        start = self.random.choice(
            ("", "", "", "---\n", "# a comment\n", "\ufeff", "%YAML 1.1\n---\n", "--- \n\n", "--- # c\n")
        )
        parts = ["x: &w\n  - criteria: ['<10']\n", "y: &o {weight: 3, sli: merged}\n"] if self._rarely() else []
        parts += [f"spec_version: {self._scalar()}\n"] if self._odd() else []
        parts += [self._comparison()] if self.random.random() < 0.5 else []
        parts += [self._filter()] if self.random.random() < 0.3 else []
        parts += ["objectives:" + self._objectives()]
        parts += [self._total_score()]
        parts += [f"{self._key()}: {self._scalar()}\n"] if self._odd() else []
        if self._rarely():
            self.random.shuffle(parts)
        end = self.random.choice(("", "", "", "", "---\n- [\n", "...\n", "\n\n", "# end", "--- a\n"))
        return start + "".join(parts) + end

    def _odd(self) -> bool:
        return self.random.random() < self.oddness

    def _rarely(self) -> bool:
        return self.random.random() < 0.1

    def _scalar(self) -> str:
        return self.random.choice(SCALARS)

    def _key(self) -> str:
        return self.random.choice(KEYS)

    def _often(self, usual: str) -> str:
        return self._scalar() if self._odd() else usual

    def _comparison(self) -> str:
        if self._odd():
            return f"comparison: {self._scalar()}\n"
        lines = [
            f"  compare_with: {self._often('several_results')}\n",
            f"  number_of_comparison_results: {self._often('5')}\n",
            f"  include_result_with_score: {self._often('pass')}\n",
            f"  aggregate_function: {self._often('p90')}\n",
        ]
        chosen = self.random.sample(lines, self.random.randint(1, 4))
        return "comparison:\n" + "".join(chosen)

    def _filter(self) -> str:
        names = [self._key() if self._odd() else name for name in ("id", "handler", "job")]
        lines = [f"  {name}: {self._often('Items')}\n" for name in names]
        return "filter:\n" + "".join(lines)

    def _total_score(self) -> str:
        if self._odd():
            return f"total_score: {self._scalar()}\n"
        return f"total_score:\n  pass: {self._often('90%')}\n  warning: {self._often('75%')}\n"

    def _objectives(self) -> str:
        if self._odd():
            return f" {self._scalar()}\n"
        return "\n" + "".join(self._objective() for _ in range(self.random.randint(1, 3)))

    def _objective(self) -> str:
        if self._odd():
            return f"  - {self._scalar()}\n"
        lines = [f"    {name}: {value}\n" for name, value in self._members() if self.random.random() < 0.6]
        lines += ["    <<: *o\n"] if self._odd() else []
        lines += [f"    {self._key()}: {self._scalar()}\n"] if self._odd() else []
        self.random.shuffle(lines)
        return f"  - sli: {self._often('response_time')}\n" + "".join(lines)

    def _members(self) -> list[tuple[str, str]]:
        return [
            ("displayName", self._often("Response time")),
            ("weight", self._often("2")),
            ("key_sli", self._often("true")),
            ("pass", self._criteria()),
            ("warning", self._criteria()),
        ]

    def _criteria(self) -> str:
        if self._odd():
            return self.random.choice((self._scalar(), "*w", "[null]", "[{}]", "[{criteria: null}]", "\n      - null"))
        sets = [self._set() for _ in range(self.random.randint(1, 2))]
        return "".join(sets)

    def _set(self) -> str:
        texts = [self._criterion() for _ in range(self.random.randint(1, 3))]
        if self.random.random() < 0.5:
            return f"\n      - criteria: [{', '.join(texts)}]"
        return "\n      - criteria:" + "".join(f"\n          - {text}" for text in texts)

    def _criterion(self) -> str:
        return self.random.choice(ODD_CRITERIA if self._odd() else CRITERIA)

    def _damaged(self, text: str) -> str:
        position = self.random.randrange(len(text))
        length = self.random.choice((0, 0, 1, 2, 7))
        return text[:position] + self.random.choice(("", *NOISE)) + text[position + length :]
