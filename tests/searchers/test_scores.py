"""Scores of proxies from a file: each is paid for once, what nobody scored is NaN, what is no table is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.errors import BadFile, MissingFile, UnknownName
from nasgauge.searchers.scores import Scores


def test_a_csv_becomes_scores_with_their_seconds(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("id,naswot,snip,seconds\n3,1.5,-2,0.25\n0,2.5,inf,0.5\n")
    scores = Scores.read(path, 5)
    assert scores.proxies == ("naswot", "snip")
    np.testing.assert_array_equal(scores.values["naswot"], [2.5, np.nan, np.nan, 1.5, np.nan])
    scorer = scores.count()
    np.testing.assert_array_equal(scorer("snip", [3, 0, 4]), [-2, np.inf, np.nan])
    assert scorer.seconds == 0.75
    scorer("snip", [3])
    scorer("naswot", np.array([0, 3]))  # type: ignore[arg-type]
    assert scorer.seconds == 0.75, "one duration for all proxies is paid once"
    assert scores.count().seconds == 0
    with pytest.raises(UnknownName, match="did you mean 'naswot'"):
        scorer("nasvot", [0])


def test_proxies_with_seconds_of_their_own_are_paid_one_by_one(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": [0, 0, 1], "a": [1.0, 3.0, 5.0], "a_seconds": [1.0, 3.0, 2.0], "b": 7.0, "b_seconds": 10.0}
    )
    frame.to_parquet(tmp_path / "scores.parquet")
    scorer = Scores.read(tmp_path / "scores.parquet", 3).count()
    np.testing.assert_array_equal(scorer("a", [0, 1]), [2, 5])
    assert scorer.seconds == 4
    scorer("b", [1])
    assert scorer.seconds == 14


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arch,naswot,seconds\n0,1,1\n", "no column of whole numbers named 'id'"),
        ("id,naswot,seconds\n5,1,1\n", "the space has 5"),
        ("id,naswot\n1,1\n", "no seconds of naswot"),
        ("id,seconds\n1,1\n", "no column of scores"),
        ("", "unreadable scores"),
    ],
)
def test_what_is_no_table_of_scores_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(BadFile, match=words):
        Scores.read(path, 5)
    with pytest.raises(MissingFile, match="no scores at"):
        Scores.read(tmp_path / "nowhere", 5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match="no run at"):
        Scores.read(tmp_path / "empty", 5)


def test_a_run_of_scores_gives_the_means_over_its_seeds(tmp_path: Path) -> None:
    from nasgauge.proxies.score_run import ScoreRun

    params = {"name": "params", "kind": "columns", "per_class": False}
    config = {"kind": "score", "proxies": [params], "combinations": [], "base_seed": 0, "seeds": 2}
    run = ScoreRun.create(tmp_path / "run", config, ())
    ids = np.array([4, 2])
    pd.DataFrame({"id": ids, "class": ids}).to_parquet(run.folder / "architectures.parquet")
    rows = {"id": [4, 4, 2, 2], "seed": [0, 1, 0, 1], "params": [1.0, 2.0, 3.0, 5.0], "params_seconds": 0.5}
    pd.DataFrame(rows).to_parquet(run.folder / "columns.parquet")
    scorer = Scores.read(run.folder, 5).count()
    np.testing.assert_array_equal(scorer("params", [0, 2, 4]), [np.nan, 4, 1.5])
    assert scorer.seconds == 1
    with pytest.raises(BadFile, match="the space has 3"):
        Scores.read(run.folder, 3)
