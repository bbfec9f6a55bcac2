"""From a name to a table on disk: get the source files, assemble, write."""

from __future__ import annotations

from pathlib import Path

from ..bench.errors import MissingFile, UnknownName
from ..bench.table import write_table
from .catalogue import CATALOGUE
from .download import Say, obtain
from .home import Folder, table_path


def fetch(
    name: str, *, mirror: Folder = None, home: Folder = None, say: Say | None = None, progress: bool = False
) -> Path:
    """Get the public files behind the table ``name``, assemble it, and answer its path; nothing is left half done.

    Source files are kept below the home folder, so a second call needs no network. The same files give the same table,
    byte for byte.

    >>> fetch("nats-tss", mirror="/media/usb/mirrors")  # doctest: +SKIP
    PosixPath('/home/me/.local/share/nasgauge/tables/nats-tss.h5')

    Args:
        mirror: a folder or base URL of the layout ``owner/repository/commit/path``, instead of the public server.
        home: where tables lie; default: ``$NASGAUGE_HOME``, else the platform's user data folder.
        say: told in one sentence each what happens, where it is worth a line.
        progress: show a bar on stderr for each download.

    Raises:
        UnknownName: no such table in the catalogue.
        MissingFile: a source file cannot be had, or the table cannot be written; says what to do by hand.
        BadFile: a source file is not the one it should be.
    """
    if name not in CATALOGUE:
        raise UnknownName.of("benchmark", name, CATALOGUE, "`nasgauge list` shows what each of them holds.")
    recipe = CATALOGUE[name]
    files = {
        source.name: obtain(source, mirror=mirror, home=home, say=say, progress=progress) for source in recipe.sources
    }
    assembly = recipe.assemble(files)
    path = table_path(name, home)
    try:
        return write_table(
            path, assembly.columns, name=name, space=recipe.space, title=recipe.title, licence=recipe.licence,
            sources=[source.source() for source in recipe.sources], notes=assembly.notes,
        )  # fmt: skip
    except OSError as error:
        raise MissingFile(
            f"table {name!r} cannot be written to {path} ({error.strerror or error}); make room there, or set "
            "$NASGAUGE_HOME to another folder"
        ) from error
