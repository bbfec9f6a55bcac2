"""An official object that is already open (nats_bench, nas_201_api, nasbench) as a table of ours."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

from ..bench.errors import BadValue
from ..bench.table import Table, write_table
from .convert import Converted, convert_api


def convert_object(api: Any, out: str | os.PathLike[str]) -> Converted | Path:
    """Write what an open official object holds as a table; fast-mode objects hold what was asked of them so far.

    Raises:
        BadValue: no object of ``nats_bench``, ``nas_201_api`` or ``nasbench``.
    """
    if hasattr(api, "fixed_statistics"):
        from .files.nasbench_object import NAME, columns_from_nasbench

        licence = "as stated by the publishers of NAS-Bench-101"
        return write_table(out, columns_from_nasbench(api), name="nasbench-object", space="cells101", title=NAME,
                           licence=licence)  # fmt: skip
    if hasattr(api, "meta_archs"):
        return convert_api(api, out)
    raise BadValue(
        f"{type(api).__name__} cannot be opened; give the name of a benchmark, the path of a table, or an open object "
        "of nats_bench, nas_201_api or nasbench"
    )


def table_of(api: Any) -> Table:
    """A table of an open official object, in a temporary file that goes when the table does."""
    folder = tempfile.TemporaryDirectory(prefix="nasgauge-")
    path = Path(folder.name) / "object.h5"
    try:
        convert_object(api, path)
        table = Table(path)
    except BaseException:
        folder.cleanup()
        raise
    weakref.finalize(table, folder.cleanup)
    return table
