"""Where tables and their source files lie: ``$NASGAUGE_HOME``, by default the platform's folder for user data."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..bench.errors import BadValue, MissingFile, UnknownName
from .catalogue import CATALOGUE

VARIABLE = "NASGAUGE_HOME"
BUNDLED = Path(__file__).with_name("tables")
"""The folder of the tables that come with the package."""
Folder = str | os.PathLike[str] | None


def home(folder: Folder = None) -> Path:
    """``folder``, else ``$NASGAUGE_HOME``, else the platform's user data folder of nasgauge; need not exist yet."""
    if folder is not None:
        return Path(folder)
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    from platformdirs import user_data_path

    return user_data_path("nasgauge")


def table_path(name: str, folder: Folder = None) -> Path:
    """Where the table ``name`` lies or would lie.

    >>> table_path("nats-tss", "my-tables").as_posix()
    'my-tables/tables/nats-tss.h5'
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise BadValue(f"table name {name!r}; a name holds letters, digits, '.', '_' and '-'")
    return home(folder) / "tables" / f"{name}.h5"


def source_path(location: str, folder: Folder = None) -> Path:
    """Where a downloaded source file lies or would lie."""
    return home(folder) / "sources" / location


def tables_at_hand(folder: Folder = None) -> dict[str, Path]:
    """Name -> path of every table that came with the package or lies in the home folder, by name.

    A table in the home folder hides one of the same name that came with the package.
    """
    tables = home(folder) / "tables"
    try:
        here = {path.stem: path for place in (BUNDLED, tables) for path in place.glob("[!.]*.h5")}
    except OSError as error:
        raise MissingFile(
            f"{tables} cannot be read ({error.strerror or error}); set ${VARIABLE} to another folder"
        ) from error
    return dict(sorted(here.items()))


def locate(name: str | os.PathLike[str], folder: Folder = None) -> list[Path]:
    """The tables that ``name`` means: a path, the name of a table, or several of them joined by "+".

    Raises:
        MissingFile: a known table that was not fetched yet, or a path where no file is.
        UnknownName: neither a path nor a known table.
    """
    if not isinstance(name, str) or Path(name).is_file():
        return [Path(name)]
    return [_locate(part, folder) for part in name.split("+")]


def _locate(name: str, folder: Folder) -> Path:
    if Path(name).suffix == ".h5" or "/" in name or os.sep in name or Path(name).is_file():
        return Path(name)
    here = tables_at_hand(folder)
    if name in here:
        return here[name]
    if name in CATALOGUE:
        raise MissingFile(f"no table {name!r} at {table_path(name, folder)} yet; `nasgauge fetch {name}` makes it")
    raise UnknownName.of("benchmark", name, dict.fromkeys([*CATALOGUE, *here]), "Or give the path of a table.")
