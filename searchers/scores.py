"""Precomputed scores of training-free proxies, handed to searchers that use them, with the seconds they cost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadFile, MissingFile, UnknownName

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Scorer = Callable[[str, Sequence[int]], Floats]
"""``scorer(proxy, ids)``: the score of each architecture, higher is better; NaN where nobody scored it."""

ID, SECONDS = "id", "seconds"


class Scores:
    """Scores of the architectures of one space by several proxies, read from a file of measurements.

    Args:
        values: score of every architecture, (n_arch,), by proxy; NaN where nobody scored it.
        seconds: what each score took to compute, (n_arch,), by proxy.
        source: the file they came from.
    """

    def __init__(self, values: Mapping[str, Floats], seconds: Mapping[str, Floats], source: str = "") -> None:
        self.values = dict(values)
        self.seconds = dict(seconds)
        self.source = source

    @property
    def proxies(self) -> tuple[str, ...]:
        """Names of the proxies."""
        return tuple(self.values)

    def sha256(self) -> str:
        """Digest of names, scores and seconds: equal for equal scores, wherever they lie."""
        digest = hashlib.sha256()
        for name in sorted(self.values):
            digest.update(name.encode() + self.values[name].tobytes() + self.seconds[name].tobytes())
        return digest.hexdigest()

    def count(self) -> CountedScores:
        """These scores for one repetition of a search, with nothing paid for yet."""
        return CountedScores(self)

    @classmethod
    def read(cls, path: str | os.PathLike[str], size: int) -> Scores:
        """Scores of a space of ``size`` architectures: a run of `nasgauge score`, a CSV or a parquet file.

        The columns of a file: ``id``; one for each proxy; and the seconds that scoring an architecture took, either
        one column ``PROXY_seconds`` for a proxy, or one column ``seconds`` for all. Of several rows of one
        architecture the mean counts.

        Raises:
            MissingFile: no such file or run.
            BadFile: not a table of scores, or ids outside the space.
        """
        path = Path(path)
        if path.is_dir():
            from ..proxies.score_run import ScoreRun

            return cls._of(ScoreRun(path).scores(), size, path)
        if not path.is_file():
            raise MissingFile(f"no scores at {path}; give a run of `nasgauge score`, or a CSV of id, scores, seconds")
        return cls._of(_frame(path), size, path)

    @classmethod
    def _of(cls, frame: pd.DataFrame, size: int, path: Path) -> Scores:
        import pandas as pd

        if ID not in frame or not pd.api.types.is_integer_dtype(frame[ID]):
            raise BadFile(f"{path}: no column of whole numbers named {ID!r}; found: {', '.join(map(str, frame))}")
        if len(frame) and not frame[ID].between(0, size - 1).all():
            raise BadFile(f"{path}: ids reach from {frame[ID].min()} to {frame[ID].max()}; the space has {size:,}")
        proxies = [
            str(name) for name in frame.select_dtypes("number")
            if name not in (ID, SECONDS) and not str(name).endswith(f"_{SECONDS}")
        ]  # fmt: skip
        timed = {name: f"{name}_{SECONDS}" if f"{name}_{SECONDS}" in frame else SECONDS for name in proxies}
        untimed = [name for name in proxies if timed[name] not in frame]
        if not proxies or untimed:
            what = f"no seconds of {', '.join(untimed)}" if untimed else "no column of scores"
            raise BadFile(f"{path}: {what}; columns: {ID}, one for each proxy, and {SECONDS} (or PROXY_{SECONDS})")
        means = frame.groupby(ID)[[*proxies, *dict.fromkeys(timed.values())]].mean()
        ids = means.index.to_numpy()

        def spread(column: str) -> Floats:
            whole = np.full(size, np.nan)
            whole[ids] = means[column].to_numpy(np.float64)
            return whole

        seconds = {column: spread(column) for column in dict.fromkeys(timed.values())}
        return cls(
            {name: spread(name) for name in proxies}, {name: seconds[timed[name]] for name in proxies}, str(path)
        )


def files_of(path: str | os.PathLike[str]) -> list[Path]:
    """The files of scores that ``path`` means: itself, or those in the folder."""
    path = Path(path)
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


class CountedScores:
    """A `Scorer` for one repetition; ``seconds`` adds up what the scores asked so far took to compute, each once.

    Proxies that share one measured duration (one column ``seconds``) are paid for together.
    """

    def __init__(self, scores: Scores) -> None:
        self.seconds = 0.0
        self._scores = scores
        self._paid: dict[int, set[int]] = {}

    def __call__(self, proxy: str, ids: Sequence[int]) -> Floats:
        if proxy not in self._scores.values:
            raise UnknownName.of("proxy", proxy, self._scores.proxies, f"They come from {self._scores.source}.")
        values, seconds = self._scores.values[proxy], self._scores.seconds[proxy]
        paid = self._paid.setdefault(id(seconds), set())
        for arch in ids:
            if arch not in paid:
                paid.add(arch)
                spent = seconds.item(arch)
                self.seconds += spent if spent == spent else 0.0
        return values[np.asarray(ids, dtype=np.int64)]


def _frame(file: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadFile(f"{file}: unreadable scores ({error})") from error
