"""One source file, from a folder or over HTTP, whole and with the right sha256, or one error that says what to do."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from ..bench.errors import BadFile, MissingFile
from ..bench.whole import whole_file
from .catalogue import BASE_URL, SourceFile
from .home import Folder, source_path

VARIABLE = "NASGAUGE_MIRROR"
TIMEOUT = 30.0  # seconds without a byte
PAUSES = (1.0, 4.0)  # seconds before the second and the third attempt
PLAIN = {"Accept-Encoding": "identity"}  # a server that compresses on the way would change what .gz files hold
Say = Callable[[str], None]


def obtain(
    source: SourceFile, *, mirror: Folder = None, home: Folder = None, say: Say | None = None, progress: bool = False
) -> Path:
    """A local path of ``source``, checked against its size and sha256.

    Looked for in this order: what was downloaded before; ``mirror`` (or ``$NASGAUGE_MIRROR``) where it is a folder of
    the layout ``owner/repository/commit/path``; the server, or ``mirror`` where it is the base URL of another one. A
    folder given as ``mirror`` is the only place asked; one in the variable is used before the server, so that it serves
    where there is no network. The checksum makes all of them equal.

    Args:
        say: told in one sentence what happens, where it is worth a line.
        progress: show a bar on stderr while downloading.

    Raises:
        MissingFile: nowhere to be had (dead link, no network, full disk, no such folder).
        BadFile: found, but with another content.
    """
    say = say or _silent
    kept = source_path(source.location, home)
    if kept.is_file():
        wrong = _difference(kept, source, home)
        if not wrong:
            return kept
        say(f"{kept} is damaged ({wrong}); getting it again")
    given = os.environ.get(VARIABLE) if mirror is None else os.fspath(mirror)
    if given and not given.startswith(("http://", "https://")):
        found = _from_folder(source, Path(given).expanduser(), home, only=mirror is not None)
        if found:
            if mirror is None:
                say(f"{source.name}: taken from {found} (${VARIABLE}), not from the network")
            return found
        say(f"{source.name}: not in {given}, the folder of ${VARIABLE}; asking {BASE_URL}")
        given = None
    base = given or BASE_URL
    say(f"{source.name}: {source.size / 1e6:.1f} MB from {source.url(base)}")
    return _download(source, base, kept, home, progress)


def _silent(_: str) -> None:
    pass


def _from_folder(source: SourceFile, folder: Path, home: Folder, *, only: bool) -> Path | None:
    path = folder / source.location
    if not path.is_file():
        if only:
            why = f"no file at {path}" if folder.is_dir() else f"{folder} is no folder that can be read"
            raise MissingFile(f"{source.name}: {why}. {_by_hand(source, home)}")
        return None
    wrong = _difference(path, source, home)
    if wrong:
        raise BadFile(f"{source.name}: {path} is not the file it should be: {wrong}. {_by_hand(source, home)}")
    return path


def _download(source: SourceFile, base: str, kept: Path, home: Folder, progress: bool) -> Path:
    from pooch import HTTPDownloader  # type: ignore[import-untyped]
    from requests import HTTPError, RequestException

    url = source.url(base)
    get = HTTPDownloader(progressbar=progress, chunk_size=65_536, timeout=TIMEOUT, headers=PLAIN)
    trouble: MissingFile | BadFile | None = None
    for pause in (0.0, *PAUSES):
        time.sleep(pause)
        try:
            with whole_file(kept) as temporary:
                get(url, str(temporary), None)
                wrong = _difference(temporary, source, home)
                if wrong:
                    raise BadFile(f"{source.name}: {url} sent another content: {wrong}. {_by_hand(source, home)}")
            return kept
        except HTTPError as error:
            trouble = MissingFile(f"{source.name}: {error}. {_by_hand(source, home)}")
            status = 0 if error.response is None else error.response.status_code
            if 400 <= status < 500 and status != 429:
                raise trouble from error
        except RequestException as error:
            why = f"{type(error).__name__}: {str(error)[:200]}"
            trouble = MissingFile(f"{source.name}: {url} cannot be reached ({why}). {_by_hand(source, home)}")
        except BadFile as error:
            trouble = error
        except MissingFile:
            raise
        except OSError as error:
            why = error.strerror or str(error)
            raise MissingFile(f"{source.name}: {kept} cannot be written ({why}). {_by_hand(source, home)}") from error
    assert trouble is not None
    raise trouble


def _difference(path: Path, source: SourceFile, home: Folder) -> str:
    """How the file differs from its pinned size and sha256, in words; empty where it does not."""
    try:
        size = path.stat().st_size
        if size != source.size:
            return f"{size:,} bytes instead of {source.size:,}"
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingFile(
            f"{source.name}: {path} cannot be read ({error.strerror or error}). {_by_hand(source, home)}"
        ) from error
    return "" if found == source.sha256 else f"sha256 {found}"


def _by_hand(source: SourceFile, home: Folder) -> str:
    return (
        f"By hand: get {source.url()} ({source.size:,} bytes, sha256 {source.sha256}) and put it at "
        f"{source_path(source.location, home)}; or as {source.location} into any folder, and give that folder "
        f"(--from FOLDER, mirror= or ${VARIABLE})"
    )
