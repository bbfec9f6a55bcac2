"""Reports draw the architectures that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import nasgauge
from nasgauge.bench.errors import BadArchitecture
from nasgauge.bench.spaces import space
from nasgauge.reports import report
from nasgauge.reports.blocks import Pictures
from nasgauge.reports.comparison.found_cells import MOST
from nasgauge.reports.pictures import drawable, picture
from nasgauge.reports.report import Report

TOPOLOGY = 15_625


def pictures(made: Report) -> list[Pictures]:
    return [block for section in made.sections for block in section.blocks if isinstance(block, Pictures)]


def names(block: Pictures) -> list[str]:
    return [item.name for item in block.items]


def test_a_comparison_draws_the_best_that_searches_ended_with(make_run: Any) -> None:
    made = report(make_run(architectures=TOPOLOGY, evaluations=8, seeds=5))
    incumbents = made.tables["incumbents"]
    told: dict[int, list[float]] = {}
    for row in incumbents.itertuples():
        told.setdefault(row.id, []).append(row.value)
    (block,) = pictures(made)
    expected = sorted(told, key=lambda arch: (-np.mean(told[arch]), arch))[:MOST]
    assert names(block)[: len(expected)] == [f"Architecture {arch}" for arch in expected]
    first = incumbents[incumbents["id"] == expected[0]]
    assert f"{first['test'].mean():.2f} % test" in block.items[0].lines[0]
    assert all(f"{label} " in block.items[0].lines[1] for label in first["searcher"])
    assert "the best of the table" in block.items[-1].lines[-1]
    assert block.items[0].drawing == space("topology").draw(expected[0], title=space("topology").text(expected[0]))


def test_the_page_holds_each_picture_once_and_stays_well_formed(make_run: Any) -> None:
    made = report(make_run(architectures=TOPOLOGY, evaluations=8, seeds=3))
    (block,) = pictures(made)
    for page in (made.html(), made._repr_html_()):
        assert page.count("conv") > 0
    html = made.html()
    for item in block.items:
        assert html.count(item.drawing.svg) == 1
        assert html.count(f"<strong>{item.name}</strong>") == 1
        assert ElementTree.fromstring(item.drawing.svg)[0].text == item.drawing.title
    assert sum(len(item.drawing.svg) for item in block.items) < 30_000


def test_a_table_of_another_space_of_that_name_is_not_drawn(make_run: Any) -> None:
    assert not pictures(report(make_run(evaluations=5)))  # 400 architectures are not the topology space
    assert drawable({"space": "of your own", "architectures": 3}) is None
    assert drawable({"space": "size", "architectures": 32_768}) is space("size")


def test_a_sample_without_scores_draws_its_best(tmp_path: Path) -> None:
    run = nasgauge.score(nasgauge.open("tss-digits"), ["params", "depth"], archs=40, out=tmp_path / "run", jobs=1)
    (block,) = pictures(report(run))  # parameters and depth are baselines, no scores to look at
    assert [item.lines[-1] for item in block.items] == ["best accuracy of the sample"]


def test_what_is_no_architecture_is_refused() -> None:
    with pytest.raises(BadArchitecture, match="15625"):
        picture(space("topology"), TOPOLOGY)
