"""An official object that is already open (nats_bench, nas_201_api, nasbench) as a table of ours."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..bench.errors import BadValue
from ..bench.spaces import Space, space
from ..bench.table import Table, write_table
from .files.converted import Converted, check_target
from .files.nats_block import BlockMaker
from .files.nats_columns import Collected
from .files.nats_files import Meta
from .files.nats_store import store
from .files.scratch import Scratch, scratch_folder
from .safe.series import Runs


def convert_object(api: Any, out: str | os.PathLike[str]) -> Converted | Path:
    """Write what an open official object holds as a table; fast-mode objects hold what was asked of them so far.

    Raises:
        BadValue: no object of ``nats_bench``, ``nas_201_api`` or ``nasbench``, or ``out`` is no table.
    """
    check_target(Path(out))
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


def convert_api(api: Any, out: str | os.PathLike[str], *, name: str = "api") -> Converted:
    """Write the table of an open ``nats_bench`` or ``nas_201_api`` object: of the architectures it has loaded.

    Raises:
        BadValue: an object without ``meta_archs`` and ``arch2infos_dict``.
    """
    with scratch_folder(Path(out)) as folder:
        collected, meta = _collect(api, folder)
        return store(collected, meta, Path(out), name, "an open official object", ())


def api_space(api: Any) -> Space:
    """The space of an open official object."""
    texts = getattr(api, "meta_archs", None)
    if not isinstance(texts, list) or not texts or not hasattr(api, "arch2infos_dict"):
        raise BadValue(
            f"{type(api).__name__} is no object of nats_bench or nas_201_api: no meta_archs, arch2infos_dict"
        )
    return space("topology" if "|" in str(texts[0]) else "size")


def _collect(api: Any, folder: Path) -> tuple[Collected, Meta]:
    of = api_space(api)
    texts = tuple(map(str, api.meta_archs))
    wrong = next((index for index, text in enumerate(texts) if index >= of.size or of.text(index) != text), None)
    if wrong is not None:
        raise BadValue(f"architecture {wrong} of the object is {texts[wrong]!r}, which is not the official order")
    scratch: Scratch[Any] = Scratch(folder)
    collected, runs = Collected(of, scratch), Runs()
    for index, infos in api.arch2infos_dict.items():
        maker = BlockMaker(of, runs)
        maker.add(int(index), {hp: _state(found) for hp, found in infos.items()}, "the object")
        collected.add(maker.finish(), "the object")
    return collected, Meta(texts, frozenset(collected.archs))


def _state(results: Any) -> dict[str, Any]:
    """The official dictionary of an ArchResults object, with plain dictionaries throughout."""
    state = dict(results.state_dict())
    trials = {key: _plain_trial(value) for key, value in state["all_results"].items()}
    seeds = {training: [int(seed) for seed in found] for training, found in state["dataset_seed"].items()}
    return {**state, "all_results": trials, "dataset_seed": dict(seeds)}


def _plain_trial(trial: Any) -> dict[str, Any]:
    state = dict(trial if isinstance(trial, Mapping) else trial.state_dict())
    for key, value in state.items():
        if isinstance(value, Mapping) and key not in ("arch_config", "net_state_dict"):
            state[key] = {epoch: float(number) for epoch, number in value.items()}
    latency = state.get("latency")
    state["latency"] = None if latency is None else [float(value) for value in latency]
    return {**state, "params": float(state["params"]), "flop": float(state["flop"]), "net_state_dict": None}


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
