"""Rows of choices lead to the architectures they mean, and only legal ones do."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nasgauge.bench.errors import BadArchitecture, MissingPackage
from nasgauge.bench.spaces import Ids, Space, space
from nasgauge.searchers.slots import Slots, edit_rates, other_choices
from nasgauge.testing import TinySpace

SPACES = [space("topology"), space("size"), space("cells101"), TinySpace()]


class Odd(TinySpace):
    """A space of one's own that is no `ProductSpace` to `Slots`: rows with choice 2 do not exist."""

    def from_operations(self, operations: object) -> Ids:
        rows = np.asarray(operations)
        if (rows[..., 1] == 2).any():
            raise BadArchitecture("large ones do not exist")
        return super().from_operations(rows)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_rows_of_architectures_lead_back(space: Space) -> None:
    ids = space.sample(200, np.random.default_rng(0))
    slots = Slots(space)
    rows = slots.rows(ids)
    assert (rows >= 0).all() and (rows < slots.levels).all()
    np.testing.assert_array_equal(slots.ids(rows), ids)
    assert [slots.id(row) for row in rows] == ids.tolist()


@pytest.mark.parametrize("limit", [False, True])
def test_legality_is_that_of_the_space_one_row_or_many(limit: bool) -> None:
    cells = space("cells101")
    slots = Slots(cells, unpruned_limit=limit)
    rows = slots.draw(400, np.random.default_rng(0))
    ids = slots.ids(rows)
    assert [slots.id(row) for row in rows] == ids.tolist()
    for row, arch in zip(rows, ids.tolist(), strict=True):
        if arch >= 0:
            assert cells.from_operations(row) == arch
        elif not limit or row[:21].sum() <= 9:
            with pytest.raises(BadArchitecture):
                cells.from_operations(row)
    assert (ids >= 0).mean() == pytest.approx(0.25 if limit else 0.73, abs=0.06)


def test_an_illegal_row_of_any_space_is_minus_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import nasgauge.searchers.slots as module

    monkeypatch.setattr(module, "ProductSpace", type(None))
    slots = Slots(Odd())
    assert slots.levels.tolist() == [2, 3]
    assert slots.ids(np.array([[0, 2], [1, 1]], dtype=np.int8)).tolist() == [-1, 4]
    assert (slots.draw_legal(50, np.random.default_rng(0))[:, 1] < 2).all()


def test_other_choices_are_other_and_uniform() -> None:
    levels = np.array([2, 5])
    rows = np.tile(np.array([1, 3], dtype=np.int8), (8_000, 1))
    changed = np.tile([True, False], (8_000, 1))
    assert (other_choices(rows, changed, levels, np.random.default_rng(0)) == [0, 3]).all()
    drawn = other_choices(rows, ~changed, levels, np.random.default_rng(0))[:, 1]
    assert np.bincount(drawn, minlength=5) / 8_000 == pytest.approx([0.25, 0.25, 0.25, 0, 0.25], abs=0.03)


def test_rates_of_naszilla() -> None:
    np.testing.assert_allclose(edit_rates(space("topology")), [1 / 4] * 6)
    np.testing.assert_allclose(edit_rates(space("cells101")), [1 / 21] * 21 + [1 / 5] * 5)
    np.testing.assert_allclose(edit_rates(TinySpace()), [1, 1])


def test_config_space_describes_the_same_choices() -> None:
    pytest.importorskip("ConfigSpace")
    described = Slots(space("cells101")).configuration_space()
    assert len(described) == 26
    assert {len(each.choices) for name, each in described.items() if name.startswith("edge")} == {2}
    assert len(Slots(space("size")).configuration_space()["slot_4"].choices) == 8


def test_without_config_space_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ConfigSpace", None)
    with pytest.raises(MissingPackage, match="pip install ConfigSpace"):
        Slots(TinySpace()).configuration_space()
