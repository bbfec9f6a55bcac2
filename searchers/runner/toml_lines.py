"""Where in a TOML text a key stands, so that an error can name the line; the parser of Python does not say."""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"^\s*(?P<key>(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*="
)

Place = tuple[str | int, ...]
"""A way into the parsed document: keys of tables, positions in arrays."""


def line_of(text: str, place: Place, word: str = "") -> int:
    """The line (from 1) of the value at ``place``; inside an array or an inline table the line with ``word`` in it.

    >>> line_of('seeds = 3\\n[[searchers]]\\nname = "random"\\n', ("searchers", 0, "name"))
    3
    """
    lines = text.splitlines()
    known = _lines_of_keys(lines)
    end = len(place)
    while end and place[:end] not in known:
        end -= 1
    start = known.get(place[:end], 1)
    word = word or str(next((part for part in reversed(place) if isinstance(part, str)), ""))
    if end < len(place) and word:
        pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        for number in range(start, len(lines) + 1):
            if pattern.search(lines[number - 1].partition("#")[0]):
                return number
    return start


def _lines_of_keys(lines: list[str]) -> dict[Place, int]:
    known: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            parts, table = _parts(header["name"]), ()
            for position, part in enumerate(parts):
                table = (*table, part)
                last = position == len(parts) - 1
                if last and header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                if table in counts:
                    table = (*table, counts[table])
            known.setdefault(table, number)
        elif key := _KEY.match(line):
            known.setdefault((*table, *_parts(key["key"])), number)
    return known


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", dotted)]
