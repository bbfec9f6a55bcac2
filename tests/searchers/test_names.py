"""The table of presets in the package's help is true."""

from __future__ import annotations

import inspect
import re

import pytest

from nasgauge import searchers
from nasgauge.bench.errors import UnknownName
from nasgauge.searchers import SEARCHERS, recipe


def table() -> dict[str, list[str]]:
    """Searcher -> what the help says of its presets, in order."""
    body = re.split(r"^=.*$", searchers.__doc__ or "", flags=re.MULTILINE)[1]
    rows: list[list[str]] = []
    for line in body.strip().splitlines():
        names, words = line[:21].strip(), line[21:]
        if names:
            rows.append([names, words])
        else:
            rows[-1][1] += " " + words
    return {
        name: [re.sub(r"^by a proxy: ", "", each).strip() for each in re.split(r"[,;] ?(?![^(]*\))", words)]
        for names, words in rows for name in names.split(", ")
    }  # fmt: skip


def test_every_searcher_stands_in_it() -> None:
    assert set(table()) == set(SEARCHERS)


@pytest.mark.parametrize("name", [name for name in SEARCHERS if name not in ("optuna", "warm-start")])
def test_its_presets_are_those_there_are_and_the_first_is_the_default(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        recipe(f"{name}:?")
    legal = re.search(r"legal: (.*)\.", str(refused.value))
    assert legal is not None
    presets = legal[1].split(", ")
    told = [each.split()[0].rstrip(":") for each in table()[name] if each]
    assert [each for each in told if each in presets] == told[: len(presets)]
    assert set(presets) <= set(told)
    assert inspect.signature(SEARCHERS[name]).parameters["preset"].default == told[0]
