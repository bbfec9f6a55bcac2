"""What a run was made with: versions, commit, host. Recorded in every run folder."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("nasgauge", "numpy", "scipy", "pandas", "h5py", "pyarrow", "joblib")


def environment(*further: str) -> dict[str, Any]:
    """Versions of the packages that matter and of ``further`` ones, commit (None outside a checkout), host, start."""
    versions = {"python": platform.python_version()}
    for package in (*PACKAGES, *further):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "unknown"
    host = {
        "machine": platform.machine(), "system": platform.platform(), "cpus": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"), "device": "cpu",
    }  # fmt: skip
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"versions": versions, "git": _commit(), "host": host, "started": started}


def _commit() -> str | None:
    """The commit of the checkout this package runs from, with "+changes" where files differ from it."""
    package = Path(__file__).parents[1]
    if not (package / ".git").exists():
        return None
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=package, capture_output=True, text=True, timeout=5)
        state = subprocess.run(["git", "status", "--porcelain"], cwd=package, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if commit.returncode:
        return None
    return commit.stdout.strip() + ("+changes" if state.stdout.strip() else "")
