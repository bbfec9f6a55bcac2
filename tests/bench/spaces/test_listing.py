"""A space of texts: ids and texts answer each other, everything else says what is not known."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured, UnknownName
from nasgauge.bench.spaces.graph import Graph
from nasgauge.bench.spaces.listing import Listing, space_of

SPACE = Listing("shapes", ["square", "circle", "line"])


def test_ids_and_texts_answer_each_other() -> None:
    assert [SPACE.id(SPACE.text(arch)) for arch in range(SPACE.size)] == [0, 1, 2]
    assert SPACE.ids(["line", "square"]).tolist() == [2, 0]
    assert SPACE.canonical([2, 1]).tolist() == [2, 1]
    assert pickle.loads(pickle.dumps(SPACE)).id("circle") == 1
    with pytest.raises(BadArchitecture, match="'square'"):
        SPACE.id("cube")
    with pytest.raises(BadArchitecture, match="0 to 2"):
        SPACE.id(3)


@pytest.mark.parametrize("ask", [
    lambda: SPACE.graph(0), lambda: SPACE.from_graph(Graph(("input", "output"), ((0, 1, ""),))),
    lambda: SPACE.operations([0]), lambda: SPACE.from_operations([[0]]), lambda: SPACE.neighbours(0),
    lambda: SPACE.mutate([0], np.random.default_rng(0)),
])  # fmt: skip
def test_what_needs_more_than_texts_is_not_known(ask: Callable[[], object]) -> None:
    with pytest.raises(NotMeasured, match="'shapes'"):
        ask()


@pytest.mark.parametrize("texts", [[], ["a", "a"]])
def test_texts_are_distinct_and_there(texts: list[str]) -> None:
    with pytest.raises(BadValue):
        Listing("shapes", texts)


def test_the_space_of_a_table() -> None:
    assert space_of({"space": "topology", "extra": {}}).name == "topology"
    assert space_of({"space": "shapes", "extra": {"texts": ["a"]}}).size == 1
    with pytest.raises(UnknownName, match="shapes"):
        space_of({"space": "shapes", "extra": {}})
