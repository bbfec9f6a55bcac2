"""The drop-in for nas_201_api: every recorded official answer, over dicts and over converted tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasgauge.data.official import NASBench201API

from .conftest import pth_content, replay

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
@pytest.mark.parametrize(
    ("answers", "file"),
    [
        *CASES,
        ("nb201_v1_1_pth", "NAS-Bench-201-v1_1-synth-zip.pth"),
        ("nb201_v1_1_pth", "NAS-Bench-201-v1_1-synth-plainfloats.pth"),
    ],
)
def test_recorded_answers_over_the_converted_file(mini: Path, answers: str, file: str) -> None:
    api = NASBench201API(str(mini / file), verbose=False)
    rows, differing = replay(api, mini / f"{answers}.answers.json")
    assert rows > 750
    assert differing == []


@pytest.mark.real
def test_reload_from_an_archive(mini: Path) -> None:
    api = NASBench201API(str(mini / "NAS-Bench-201-v1_1-synth.pth"), verbose=False)
    before = api.get_more_info(1, "cifar10", hp="200", is_random=False)
    api.arch2infos_dict[1]["200"].reset_pseudo_train_times("cifar10", None, 1.0)
    assert api.get_more_info(1, "cifar10", hp="200", is_random=False) != before
    api.reload(str(mini / "NAS-Bench-201-v1_1-archive-synth"), 1)
    assert api.query_by_index(1, hp="200").get_dataset_seeds("cifar10")
