"""Files that appear whole under their name or not at all."""

from __future__ import annotations

import glob
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = socket.gethostname()


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the folder of ``path`` to write to; afterwards flushed to disk and renamed to ``path``.

    Where the block fails (a full disk, an interruption) the temporary file goes and ``path`` is as before.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    _sweep(final)
    handle, name = tempfile.mkstemp(prefix=f".{final.name}.{_HERE}-{os.getpid()}-", suffix=".part", dir=final.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(final: Path) -> None:
    """Remove what killed processes of this host left behind of ``final``."""
    for left in final.parent.glob(f".{glob.escape(final.name)}.{glob.escape(_HERE)}-*.part"):
        owner = left.name.removeprefix(f".{final.name}.{_HERE}-").split("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            left.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this host with that number is running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write ``content`` to ``path``, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)
