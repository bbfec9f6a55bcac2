"""The drop-in for nas_201_api: every recorded official answer, over dicts and over converted tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasgauge.data.official import NASBench201API

from .conftest import pth_content, replay
from .tables import write_contract_table

CASES = [
    ("nb201_v1_0_pth", "NAS-Bench-201-v1_0-synth.pth"),
    ("nb201_v1_1_pth", "NAS-Bench-201-v1_1-synth.pth"),
]


@pytest.mark.real
@pytest.mark.parametrize(("answers", "file"), CASES)
def test_recorded_answers_over_the_official_dict(mini: Path, answers: str, file: str) -> None:
    api = NASBench201API(pth_content(mini / file), verbose=False)
    rows, differing = replay(api, mini / f"{answers}.answers.json")
    assert rows > 750
    assert differing == []


@pytest.mark.real
@pytest.mark.parametrize(("answers", "file"), CASES)
def test_recorded_answers_over_a_table(mini: Path, answers: str, file: str, tmp_path: Path) -> None:
    content = pth_content(mini / file)
    infos = {index: {"12": parts["less"], "200": parts["full"]} for index, parts in content["arch2infos"].items()}
    table = write_contract_table({**content, "arch2infos": infos}, tmp_path / "table.h5", "topology")
    api = NASBench201API(table, verbose=False)
    rows, differing = replay(api, mini / f"{answers}.answers.json")
    assert rows > 750
    assert differing == []
