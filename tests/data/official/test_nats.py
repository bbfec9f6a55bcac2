"""The drop-in for nats_bench: every recorded official answer, over dicts and over converted tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasgauge.data.official import create

from .conftest import nats_content, replay

pytestmark = pytest.mark.real
CASES = [
    ("nats_tss_dir", "NATS-tss-v1_0-synth-simple", "tss"),
    ("nats_tss_file", "NATS-tss-v1_0-synth.pickle.pbz2", "tss"),
    ("nats_sss_dir", "NATS-sss-v1_0-synth-simple", "sss"),
    ("nats_sss_file", "NATS-sss-v1_0-synth.pickle.pbz2", "sss"),
]


@pytest.mark.parametrize(("answers", "file", "space"), CASES)
def test_recorded_answers_over_the_official_dict(mini: Path, answers: str, file: str, space: str) -> None:
    api = create(nats_content(mini / file), space, verbose=False)
    rows, differing = replay(api, mini / f"{answers}.answers.json")
    assert rows > 900
    assert differing == []


@pytest.mark.parametrize(("answers", "file", "space"), CASES)
def test_recorded_answers_over_the_converted_file(mini: Path, answers: str, file: str, space: str) -> None:
    api = create(str(mini / file), space, fast_mode=answers.endswith("dir"), verbose=False)
    rows, differing = replay(api, mini / f"{answers}.answers.json")
    assert rows > 900
    assert differing == []
