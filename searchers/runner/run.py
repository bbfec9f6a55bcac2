"""The folder of a comparison: what was asked, every evaluation, and what failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...bench.errors import MissingFile
from ...bench.run_folder import RunFolder, read_frame

if TYPE_CHECKING:
    import pandas as pd

FAILURE = ("dataset", "searcher", "seed", "query", "error", "traceback")


MEASURED = ("searcher_seconds", "memory_before", "memory_peak")
"""Columns of the records that were measured on the host; all others are equal in every run of one plan."""


class FailedRepetitions(UserWarning):
    """Some repetitions of a run broke off with an error; `Run.failures` lists them."""


class Run(RunFolder):
    """An existing run folder.

    ``config`` is the content of run.json. Beside what was asked it holds ``workers`` (trainers at a time), ``mode``
    ("async" or "sync"), ``resume``, ``objective2`` (metric of the second objective, None where there is one only),
    ``constraint`` (metric and largest value allowed, or None), ``scores`` (file of proxy scores, or None) with
    ``scores_sha256``, and in each of ``tasks`` the ``budgets`` a searcher could ask for and, with a second objective,
    ``reference``: the point (value [percent], cost) from which hypervolume is measured.

    `records` joins all parts: one row per evaluation, in the order they ended, with the columns

    ================  =====================================================================================
    dataset           the data set searched on
    searcher          the searcher's label (unique in the run)
    seed              number of the repetition, 0 .. seeds-1
    query             1, 2, ... within the repetition, in the order evaluations ended
    id                architecture
    value             what the searcher was told: validation accuracy after ``budget`` epochs [percent]; NaN where
                      nobody measured it, or where it is not ``feasible``
    budget            epochs trained
    cost              second objective (smaller is better); NaN where the run has none
    feasible          False where the hard limit ruled the architecture out before it was trained
    started           simulated seconds at which its training started
    seconds           simulated seconds at which it ended
    worker            number of the trainer, 0 .. workers-1
    known             evaluations that had ended when the searcher asked for this one: what it could have been told
    searcher_seconds  measured seconds the searcher itself spent so far, cumulative
    proxy_seconds     measured seconds of the proxy scores it asked for so far, cumulative, as recorded in ``scores``
    memory_before     resident memory of the process when the repetition began [MB]; NaN where it cannot be measured
    memory_peak       the most that was resident in that process during the repetition [MB]; NaN likewise
    valid, test       accuracy of this architecture at the report budget, mean over runs [percent]
    ================  =====================================================================================

    The incumbent is the evaluation with the largest ``budget`` so far, among those the one with the largest ``value``,
    among those the first.
    """

    def records(self) -> pd.DataFrame:
        """All parts as one frame, ordered by data set, searcher, seed and query; BadFile names a damaged part."""
        import pandas as pd

        frames = [frame for path in self.parts() if len(frame := read_frame(path))]
        if not frames:
            why = self.failed_words() or "start the same command again to go on with it"
            raise MissingFile(f"{self.folder} has no finished part yet; {why}")
        frame = pd.concat(frames, ignore_index=True)
        return frame.sort_values(["dataset", "searcher", "seed", "query"], kind="stable", ignore_index=True)

    def failed(self, name: str) -> Path:
        """Where the failed repetitions of the part called ``name`` lie, if there are any."""
        return self.folder / f"failed-{name}.parquet"

    def failures(self) -> pd.DataFrame:
        """The repetitions that broke off with an error, one row each; the same command tries them again.

        Columns: ``dataset``, ``searcher``, ``seed``, ``query`` (evaluations it had finished), ``error`` (what was
        raised, in one line) and ``traceback``.
        """
        import pandas as pd

        paths = sorted(self.folder.glob("failed-*.parquet"))
        if not paths:
            return pd.DataFrame({name: [] for name in FAILURE})
        return pd.concat([read_frame(path) for path in paths], ignore_index=True)

    def failed_words(self) -> str:
        """How many repetitions failed and the first error, in one sentence; empty where none did."""
        failures = self.failures()
        if not len(failures):
            return ""
        first = failures.sort_values(["dataset", "searcher", "seed"]).iloc[0]
        total = len(self.config["tasks"]) * len(self.config["searchers"]) * self.config["seeds"]
        return (
            f"{len(failures)} of {total} repetitions failed; the first is {first['searcher']!r} on {first['dataset']}, "
            f"seed {first['seed']}, after {first['query']} evaluations: {first['error']}. The others are in "
            f"{self.folder}; start the same command again to repeat the failed ones"
        )

    def repetitions(self) -> pd.DataFrame:
        """One row for each finished repetition: how it used its trainers.

        Columns: ``dataset``, ``searcher``, ``seed``; ``evaluations``; ``makespan``, simulated seconds at which the
        last evaluation ended; ``work``, simulated seconds of all evaluations together; ``idle_share``, the part of
        workers x makespan in which no counted evaluation was in training (NaN where nothing took time).
        """
        records = self.records()
        records["work"] = records["seconds"] - records["started"]
        groups = records.groupby(["dataset", "searcher", "seed"], observed=True, sort=False)
        frame = groups.agg(evaluations=("query", "size"), makespan=("seconds", "max"), work=("work", "sum"))
        capacity = frame["makespan"] * self.config["workers"]
        frame["idle_share"] = (1 - frame["work"] / capacity.where(capacity > 0)).clip(lower=0)
        return frame.reset_index()

    def expectation(self, dataset: str) -> pd.DataFrame:
        """The closed-form random-search line of one data set (see `expectation.random_search`)."""
        return read_frame(self.folder / f"expectation-{dataset}.parquet")
