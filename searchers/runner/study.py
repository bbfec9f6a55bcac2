"""A whole comparison in one TOML file, read with errors that name the line (`study_text` writes one)."""

from __future__ import annotations

import functools
import importlib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bench.benchmark import Benchmark
from ...bench.errors import BadFile, BadValue, MissingFile, NasgaugeError, UnknownName
from ...bench.table import Table
from ...data.home import Folder, locate
from ..searcher import Recipe
from .live import Live, beside
from .plan import Limit
from .run import Run
from .toml_lines import Place, line_of

WHOLE, NUMBER, TEXT, FLAG = "a whole number", "a number", "a text in quotes", "true or false"
TABLE = "true, false or a table [live]"
WHOLES, TEXTS = "a whole number, or several in a list", "a text in quotes, or several in a list"
KEYS: dict[str, str] = {
    "benchmark": TEXT, "datasets": "a list of texts", "searchers": "a list of names or tables [[searchers]]",
    "seconds": NUMBER, "queries": WHOLE, "budget": WHOLE, "report_budget": WHOLE,
    "budgets": "a list of whole numbers", "seeds": WHOLE, "base_seed": WHOLE, "trial": TEXT, "count_last": FLAG,
    "workers": WHOLES, "mode": TEXTS, "batch_of_trainers": FLAG, "resume": FLAG, "objective2": TEXT,
    "limit": TEXT, "scores": TEXT, "live": TABLE,
}  # fmt: skip
SEARCHER_KEYS = ("name", "class", "preset", "label", "settings")
"""Of a table [[searchers]]: a name (with a preset), or the class of a user's own searcher as "module:Class"."""


@dataclass(frozen=True)
class Study:
    """What a study file asks for: a benchmark by name, recipes, and the keywords of `experiment.compare`."""

    benchmark: str
    recipes: tuple[Recipe, ...]
    keywords: Mapping[str, Any]
    path: Path
    text: str

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Study:
        """Read a study.

        Raises:
            MissingFile: no such file.
            BadFile: not TOML, an unknown key, a value of the wrong kind, an unknown searcher; the message names file
                and line.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise MissingFile(f"no study at {path}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise BadFile(f"{path}: unreadable ({error})") from error
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise BadFile(f"{path}: not TOML: {error}") from error
        return _Reader(path, text).study(content)

    def open(self, home: Folder = None) -> Benchmark:
        """The benchmark it names; a path counts from the folder of the study."""
        beside = [self.path.parent / part for part in self.benchmark.split("+")]
        parts = zip(self.benchmark.split("+"), beside, strict=True)
        with self._pointing():
            found = [[path] if path.is_file() else locate(name, home) for name, path in parts]
            return Benchmark(*(Table(path) for paths in found for path in paths))

    def run(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        jobs: int = -1,
        cluster: str | None = None,
        home: Folder = None,
        progress: bool = False,
    ) -> Run:
        """Run it; see `experiment.compare`, and `sweep` where it names several numbers of trainers.

        Errors name the line of the study that they speak of.
        """
        from .sweep import compare_with

        bench = self.open(home)
        with self._pointing():
            return compare_with(
                bench, self.recipes, folder, **self.keywords, jobs=jobs, cluster=cluster, progress=progress
            )  # fmt: skip

    @contextmanager
    def _pointing(self) -> Iterator[None]:
        """An error inside that speaks of a key or a text of the study names the line where that stands."""
        try:
            yield
        except NasgaugeError as error:
            message = str(error)
            spoken = [(message.find(word), place, word) for place, word in self._sayings() if word in message]
            if not spoken:
                raise
            _, place, word = min(spoken, key=lambda each: each[0])  # what a message is about comes first in it
            line = line_of(self.text, place, word.strip("'="))
            raise type(error)(f"{self.path} line {line}: {error}") from error

    def _sayings(self) -> Iterator[tuple[Place, str]]:
        """Where each value of the study stands, and how an error spells it."""
        content = tomllib.loads(self.text)
        for key, value in content.items():
            said: list[tuple[Place, Any]] = [((key,), value)]
            if isinstance(value, list):
                said = [((key, position), each) for position, each in enumerate(value)]
            for place, text in said:
                if isinstance(text, str):  # benchmarks and searchers' names have parts of which errors speak
                    yield from ((place, repr(part)) for part in (text, *re.split(r"[+:]", text)) if part)
        yield from (((key,), f"{key}=") for key in content)
        for key, value in (content["live"] if isinstance(content.get("live"), dict) else {}).items():
            yield ("live", key), repr(value) if isinstance(value, str) else f"{key}="
        if "limit" in content:
            yield ("limit",), repr(content["limit"].partition("<=")[0].strip())
            yield ("limit",), content["limit"]
        if "scores" in content:
            yield ("scores",), str(self.keywords["scores"])
        for position, searcher in enumerate(content["searchers"]):
            table: Mapping[str, Any] = searcher if isinstance(searcher, dict) else {}
            yield from ((("searchers", position, key), repr(table[key])) for key in ("name", "preset") if key in table)
            for key in table.get("settings", {}):
                yield from ((("searchers", position, "settings", key), word) for word in (f"{key}=", repr(key)))


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def study(self, content: Mapping[str, Any]) -> Study:
        for key, value in content.items():
            if key not in KEYS:
                raise self._wrong((key,), str(UnknownName.of("key", key, KEYS)))
            if not _fits(value, KEYS[key]):
                raise self._wrong((key,), f"{key} = {value!r}; it is {KEYS[key]}")
        for key in ("benchmark", "searchers"):
            if not content.get(key):
                raise BadFile(f"{self._path}: no {key}; a study names at least benchmark and searchers")
        keywords = {key: value for key, value in content.items() if key not in ("benchmark", "searchers", "limit")}
        if "limit" in content:
            keywords["constraint"] = self._at(("limit",), lambda: parse_limit(content["limit"]))
        if "scores" in content:
            keywords["scores"] = str(self._path.parent / content["scores"])
        if isinstance(content.get("live"), dict):
            keywords["live"] = self._live(content["live"])
        recipes = tuple(self._searcher(place, each) for place, each in enumerate(content["searchers"]))
        return Study(content["benchmark"], recipes, keywords, self._path, self._text)

    def _live(self, given: Mapping[str, Any]) -> Live | None:
        for key, value in given.items():
            self._at(("live", key), functools.partial(Live.of, {key: value}), key)
        return Live.of(beside(given, self._path.parent))

    def _searcher(self, position: int, given: Any) -> Recipe:
        from .. import recipe

        place: Place = ("searchers", position)
        if isinstance(given, str):
            return self._at(place, lambda: recipe(given), given)
        if not isinstance(given, dict):
            raise self._wrong(place, f"searcher {given!r}; it is a name or a table", str(given))
        for key, value in given.items():
            if key not in SEARCHER_KEYS:
                hint = "A searcher's own numbers go below settings."
                raise self._wrong((*place, key), str(UnknownName.of("key of a searcher", key, SEARCHER_KEYS, hint)))
            if not isinstance(value, dict if key == "settings" else str):
                kind = "a table" if key == "settings" else TEXT
                raise self._wrong((*place, key), f"{key} = {value!r}; it is {kind}")
        if ("name" in given) == ("class" in given):
            raise self._wrong(place, "a searcher has either a name or a class", "searchers")
        label, settings, preset = given.get("label", ""), given.get("settings", {}), given.get("preset", "")
        if "class" in given:
            kind = self._at((*place, "class"), lambda: _class(given["class"]))
            return self._at((*place, "settings"), lambda: Recipe(kind.__name__, kind, settings, label), "settings")
        name = given["name"]
        self._at((*place, "name"), lambda: recipe(name), name)
        self._at((*place, "preset"), lambda: recipe(f"{name}:{preset}" if preset else name), preset)
        alone = (key for key, value in settings.items() if _refused({**given, "settings": {key: value}}))
        word = next(alone, "settings")
        return self._at((*place, "settings", word), lambda: recipe(given), word)

    def _at(self, place: Place, make: Callable[[], Any], word: str = "") -> Any:
        try:
            return make()
        except NasgaugeError as error:
            raise self._wrong(place, str(error), word) from error

    def _wrong(self, place: Place, words: str, word: str = "") -> BadFile:
        return BadFile(f"{self._path} line {line_of(self._text, place, word)}: {words}")


def parse_limit(text: str) -> Limit:
    """A hard limit such as "flops_millions<=50".

    Raises:
        BadValue: written otherwise.
    """
    metric, sign, most = text.partition("<=")
    try:
        if sign:
            return metric.strip(), float(most)
    except ValueError:
        pass
    raise BadValue(f"limit {text!r}; it is written METRIC<=NUMBER, such as flops_millions<=50")


def _refused(table: Mapping[str, Any]) -> bool:
    """Whether no searcher can be made of this table."""
    from .. import recipe

    try:
        recipe(table)
    except NasgaugeError:
        return True
    return False


def _class(spelled: str) -> type:
    """The class "module:Class" names."""
    module, _, name = spelled.partition(":")
    if module == "__main__":
        raise BadValue(
            f"class {spelled!r} was defined in a script or a notebook; write it into a module of its own and name that "
            "here as module:Class, the module on PYTHONPATH"
        )
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadValue(
            f"class {spelled!r} cannot be imported ({error}); write module:Class, the module on PYTHONPATH"
        ) from error
    if not isinstance(found, type):
        raise BadValue(f"{spelled!r} is no class")
    return found


def _fits(value: Any, kind: str) -> bool:
    """Whether a value of the file is of a kind of `KEYS`."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind.startswith("a list"):
        item = int if "numbers" in kind else str
        inside = kind != KEYS["searchers"]
        return isinstance(value, list) and (not inside or all(type(each) is item for each in value))
    if kind in (WHOLES, TEXTS):
        item = int if kind == WHOLES else str
        return type(value) is item or (isinstance(value, list) and all(type(each) is item for each in value))
    checks = {
        WHOLE: whole,
        NUMBER: whole or isinstance(value, float),
        TEXT: isinstance(value, str),
        FLAG: isinstance(value, bool),
        TABLE: isinstance(value, (bool, dict)),
    }
    return checks[kind]
