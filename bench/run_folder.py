"""A run folder: `run.json` says what was asked, immutable `part-*` files hold what came out of it."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import BadFile, BadValue, MissingFile
from .whole import write_whole

if TYPE_CHECKING:
    from typing import Self

    import pandas as pd


def folder_for(name: str, config: Mapping[str, Any], asked: Sequence[str]) -> Path:
    """The folder under ``runs/`` of a run that names none: the same question gets the same folder.

    ``asked`` names the keys of ``config`` that make the question.
    """
    question = json.dumps({key: config[key] for key in asked}, sort_keys=True)
    return Path("runs") / f"{name}-{zlib.crc32(question.encode()):08x}"


class RunFolder:
    """An existing run folder; ``config`` is the content of run.json.

    Raises:
        MissingFile: there is no run.json.
        BadFile: it is damaged, not of nasgauge, or of another version.
    """

    format: ClassVar[str] = "nasgauge-run"
    schema: ClassVar[int] = 2
    made_by: ClassVar[str] = "`nasgauge compare ... --out`"
    option: ClassVar[str] = "--out"
    suffix: ClassVar[str] = "parquet"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        path = self.folder / "run.json"
        if not path.is_file():
            raise MissingFile(f"no run at {self.folder}: {path} does not exist; {self.made_by} makes one")
        try:
            self.config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadFile(f"{path}: not JSON ({error})") from error
        if not isinstance(self.config, dict) or self.config.get("format") != self.format:
            raise BadFile(f"{path}: not a {self.format.replace('-', ' ')}")
        if self.config.get("schema") != self.schema:
            raise BadFile(f"{path}: schema {self.config.get('schema')}; this version reads schema {self.schema}")

    @classmethod
    def create(cls, folder: str | os.PathLike[str], config: Mapping[str, Any], asked: Sequence[str]) -> Self:
        """Start a run in ``folder``, or go on with the one that is there when it asked for the same.

        ``asked`` names the keys of ``config`` that must agree for a run to be continued; the others (host, start
        time, versions) keep the values of the first start.

        Raises:
            BadValue: the folder holds a run that asked for something else, or other files.
        """
        folder = Path(folder)
        whole = {"format": cls.format, "schema": cls.schema, **config}
        if (folder / "run.json").exists():
            run = cls(folder)
            given = json.loads(json.dumps(whole))
            differing = [key for key in asked if run.config.get(key) != given.get(key)]
            if differing:
                key = differing[0]
                there, now = in_words(run.config.get(key), given.get(key))
                raise BadValue(
                    f"{folder} holds a run with {key}={there}, now {key}={now} is asked; "
                    f"choose another folder with {cls.option}, or delete this one"
                )
            return run
        if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise BadValue(f"{folder} exists and is not a run folder; choose another with {cls.option}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # a file of that name, no permission, ...
            raise BadValue(f"{folder} cannot be made ({error.strerror}); choose another with {cls.option}") from error
        write_whole(folder / "run.json", json.dumps(whole, indent=1, sort_keys=True).encode())
        return cls(folder)

    def part(self, name: str) -> Path:
        """Where the part called ``name`` lies (it exists exactly if that piece of work is done)."""
        return self.folder / f"part-{name}.{self.suffix}"

    def parts(self) -> list[Path]:
        """The finished parts, by name."""
        return sorted(self.folder.glob(f"part-*.{self.suffix}"))

    def write_part(self, name: str, frame: pd.DataFrame) -> Path:
        """Write one part whole; it appears under its name only when it is complete."""
        return write_frame(self.part(name), frame)

    def __repr__(self) -> str:
        return f"<run {self.folder}: {len(self.parts())} parts>"


def in_words(one: Any, other: Any) -> tuple[str, str]:
    """Two different entries of a run.json for an error message: lists of named things by their names, if those tell."""

    def names(entry: Any) -> str:
        named = isinstance(entry, list) and all(isinstance(each, dict) and "name" in each for each in entry)
        return ", ".join(each["name"] for each in entry) or "none" if named else repr(entry)

    return (repr(one), repr(other)) if names(one) == names(other) else (names(one), names(other))


def read_frame(path: Path) -> pd.DataFrame:
    """A parquet file as a frame; BadFile names it where it is damaged, MissingFile where it is absent."""
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except FileNotFoundError as error:
        raise MissingFile(f"{path} does not exist; start the same command again to complete the run") from error
    except (pa.ArrowException, OSError) as error:
        raise BadFile(f"{path}: unreadable part ({error}); delete it and start the same command again") from error


def write_frame(path: Path, frame: pd.DataFrame) -> Path:
    """Write a frame as parquet, whole or not at all."""
    return write_whole(path, frame.to_parquet(index=False, compression="zstd"))
