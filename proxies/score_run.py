"""The folder of a scoring run: every score, what each cost, what failed, and the ground truth beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..bench.errors import BadFile, BadValue, MissingFile
from ..bench.run_folder import RunFolder, in_words, read_frame
from ..bench.whole import write_whole
from .combinations import Combination
from .plan import ASKED

if TYPE_CHECKING:
    import pandas as pd

ARCHITECTURES, COLUMNS = "architectures.parquet", "columns.parquet"
ERROR, SECONDS, OWN = "_error", "_seconds", "_own_seconds"


class FailedScores(UserWarning):
    """Some proxies raised an error on some architectures; `ScoreRun.failures` lists them."""


class ScoreRun(RunFolder):
    """An existing run of `nasgauge score`.

    Beside run.json and the parts lie ``architectures.parquet`` (``id``, and ``class``: the member of its isomorphism
    class that was scored for it), ``columns.parquet`` (proxies that need no network) and ``truth-DATASET.parquet``.
    """

    made_by: ClassVar[str] = "`nasgauge score ... --out`"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(folder)
        if self.config.get("kind") != "score":
            raise BadFile(f"{self.folder} is a run of {self.config.get('kind')!r}, not of scores")

    @property
    def proxies(self) -> tuple[str, ...]:
        """Names of all proxies, combinations last."""
        return tuple(each["name"] for each in (*self.config["proxies"], *self.config["combinations"]))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of weights and minibatches."""
        first = self.config["base_seed"]
        return tuple(range(first, first + self.config["seeds"]))

    def architectures(self) -> pd.DataFrame:
        """``id`` and ``class`` of every architecture that was asked for, in the order asked."""
        return read_frame(self.folder / ARCHITECTURES)

    def frame(self) -> pd.DataFrame:
        """One row for each architecture asked for and seed, as far as the run has come.

        Columns: ``id``, ``class`` (the architecture whose network was scored for its whole class), ``seed``; of every
        proxy its score (NaN where it failed), ``PROXY_seconds`` (as if it had been computed alone) and
        ``PROXY_error`` (text, missing where there was none); ``PROXY_own_seconds`` and ``shared_seconds`` of those
        that need a network. Combinations compare the architectures in this frame, seed by seed.

        Raises:
            MissingFile: no part is finished.
            BadFile: a part is damaged.
        """
        import pandas as pd

        asked = self.architectures()
        whole = pd.concat([asked.assign(seed=seed) for seed in self.seeds], ignore_index=True)
        parts = self._scored()
        needed = {"class" if each["per_class"] else "each" for each in self.config["proxies"]
                  if each["kind"] == "network"}  # fmt: skip
        for group, key in (("class", "class"), ("each", "id")):
            if group in needed and group not in parts:
                whole = whole[:0]  # nothing is scored by all proxies yet
            elif group in parts:
                found = parts[group].rename(columns={"id": key, "shared_seconds": f"{group}_shared"})
                whole = whole.merge(found, on=[key, "seed"], how="inner", validate="many_to_one")
        shared = [name for name in ("class_shared", "each_shared") if name in whole]
        if shared:
            whole["shared_seconds"] = whole[shared].sum(axis=1)
        whole = whole.drop(columns=shared)
        if (self.folder / COLUMNS).exists():
            whole = whole.merge(read_frame(self.folder / COLUMNS), on=["id", "seed"], how="left")
        if not len(whole):
            raise MissingFile(
                f"{self.folder} has no architecture that all proxies have scored yet; start the same command again to "
                "go on with it"
            )
        return self._combined(whole)

    def scores(self) -> pd.DataFrame:
        """One row an architecture: ``id``, and of every proxy the means over seeds of its score and its seconds.

        A mean is NaN where the proxy failed with one of the seeds.
        """
        frame = self.frame()
        wanted = [column for name in self.proxies for column in (name, name + SECONDS)]
        groups = frame[["id", *wanted]].groupby("id", sort=False)
        known = groups.count() == groups.size().to_numpy()[:, None]  # pandas leaves NaN out of a mean
        return groups.mean().where(known).reset_index()

    def truth(self, dataset: str | None = None) -> pd.DataFrame:
        """What the benchmark knows of the architectures on one data set (default: the first): ``id`` and accuracies.

        Columns are called METRIC@BUDGET (mean over runs) and METRIC@BUDGET:SEED (one run), in percent; the metric
        ``search_seconds`` is what a training and one validation pass took.
        """
        datasets = self.config["datasets"]
        name = dataset or (datasets[0] if datasets else None)
        if name not in datasets:
            known = ", ".join(datasets) or "none"
            raise MissingFile(f"{self.folder} holds no ground truth of {name!r}; it has that of {known}")
        return read_frame(self.folder / f"truth-{name}.parquet")

    def failures(self) -> pd.DataFrame:
        """The scores that broke off with an error: ``proxy``, ``id`` (the network scored), ``seed``, ``error``."""
        import pandas as pd

        rows = []
        for found in self._scored().values():
            for column in (name for name in found if name.endswith(ERROR)):
                lost = found[found[column].notna()]
                rows.append(pd.DataFrame({
                    "proxy": column.removesuffix(ERROR), "id": lost["id"], "seed": lost["seed"], "error": lost[column],
                }))  # fmt: skip
        if not rows:
            return pd.DataFrame({name: [] for name in ("proxy", "id", "seed", "error")})
        return pd.concat(rows, ignore_index=True)

    def failed_words(self) -> str:
        """How many scores of which proxies failed and the first error, in one sentence; empty where none did."""
        failures = self.failures()
        if not len(failures):
            return ""
        networks = sum(len(found) for found in self._scored().values())
        counts = ", ".join(f"{name} on {count:,}" for name, count in failures["proxy"].value_counts().items())
        first = failures.iloc[0]
        return (
            f"{len(failures):,} scores failed (of {networks:,} networks: {counts}) and are NaN; the first is "
            f"{first['proxy']} of architecture {first['id']}, seed {first['seed']}: {first['error']}"
        )

    def merge(self, other: str | os.PathLike[str]) -> int:
        """Take over the finished parts of another folder of the same run; answers how many were new.

        Raises:
            BadValue: the other run asked for something else.
            BadFile: one of its parts is damaged; what was taken over before stays.
        """
        theirs = part_of(self.config, other, str(self.folder))
        new = [path for path in theirs.parts() if not (self.folder / path.name).exists()]
        for path in new:
            read_frame(path)
            write_whole(self.folder / path.name, path.read_bytes())
        return len(new)

    def parts_left(self) -> tuple[int, int]:
        """How many parts nobody has finished yet, and how many the whole run has."""
        size, networks = self.config["archs_a_part"], 0
        for group, count in ((True, self.config["classes"]), (False, self.config["ids"])):
            if any(each["kind"] == "network" and each["per_class"] is group for each in self.config["proxies"]):
                networks += -(-count // size)
        whole = networks * self.config["seeds"]
        return whole - len(self.parts()), whole

    def _scored(self) -> dict[str, pd.DataFrame]:
        """The parts of each group as one frame."""
        import pandas as pd

        found: dict[str, list[pd.DataFrame]] = {}
        for path in self.parts():
            found.setdefault(path.name.split("-")[1], []).append(read_frame(path))
        return {group: pd.concat(frames, ignore_index=True) for group, frames in found.items()}

    def _combined(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with its combinations and what they cost."""
        import pandas as pd

        new: dict[str, Any] = {}
        for fields in self.config["combinations"]:
            combination = Combination(**fields)
            values = np.full(len(frame), np.nan)
            for rows in frame.groupby("seed").indices.values():
                part = frame.iloc[rows]
                values[rows] = combination({name: part[name].to_numpy() for name in combination.parts})
            new[combination.name] = values
            apart = [name for name in combination.parts if not self._is_shared(name)]
            seconds = frame[[name + SECONDS for name in apart]].sum(axis=1) if apart else 0.0
            if combination.name + SECONDS in frame:
                seconds = seconds + frame[combination.name + SECONDS]
            new[combination.name + SECONDS] = seconds
        kept = frame.drop(columns=[name for name in new if name in frame])
        return pd.concat([kept, pd.DataFrame(new, index=frame.index)], axis=1)

    def _is_shared(self, name: str) -> bool:
        """Whether a proxy was computed with the others of its class, whose seconds a combination counts once."""
        fields = next(each for each in self.config["proxies"] if each["name"] == name)
        return bool(fields["kind"] == "network" and fields["per_class"])


def part_of(config: Mapping[str, Any], other: str | os.PathLike[str], asked: str = "this command") -> ScoreRun:
    """The run in another folder, if it is one with the run of ``config``, which ``asked`` names in the error.

    Raises:
        BadValue: it asked for something else.
    """
    theirs, ours = ScoreRun(other), json.loads(json.dumps({key: config.get(key) for key in ASKED}))
    for key in ASKED:
        if ours[key] != theirs.config.get(key):
            one, two = in_words(theirs.config.get(key), ours[key])
            raise BadValue(f"{theirs.folder} has {key}={one}, {asked} has {key}={two}: these are not parts of one run")
    return theirs
