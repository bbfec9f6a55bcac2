"""Writes the run folder of a large comparison: made-up numbers in the real layout, in seconds instead of hours.

python tests/speed/synthesise_comparison.py FOLDER [--seeds 500] [--evaluations 150]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
SEARCHERS = ("random", "evolution", "local-search", "reinforce", "bananas", "hyperband", "bohb", "nsga2", "area", "tpe")


def large_run(folder: Path, *, seeds: int = 500, evaluations: int = 150) -> Any:
    """Ten searchers on three data sets; each repetition ends after 12,000 simulated seconds."""
    return _conftest().made_up_run(
        folder, datasets=DATASETS, labels=SEARCHERS, seeds=seeds, evaluations=evaluations, seconds=12_000.0,
        architectures=15_625,
    )  # fmt: skip


def _conftest() -> Any:
    """The folder maker of the report's own tests."""
    path = Path(__file__).parents[1] / "reports" / "conftest.py"
    spec = importlib.util.spec_from_file_location("made_up_runs", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--evaluations", type=int, default=150)
    given = parser.parse_args()
    print(large_run(given.folder, seeds=given.seeds, evaluations=given.evaluations))
