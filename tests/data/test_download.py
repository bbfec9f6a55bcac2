"""Downloads: a file arrives whole and right, or one error says which file, from where, and what to do by hand."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nasgauge.bench.errors import BadFile, BadValue, MissingFile
from nasgauge.data import download
from nasgauge.data.catalogue import CATALOGUE, SourceFile
from nasgauge.data.download import obtain

CONTENT = bytes(range(256)) * 400
SOURCE = SourceFile(
    "numbers", "someone", "things", "0123456789" * 4, "data/numbers.bin", hashlib.sha256(CONTENT).hexdigest(),
    len(CONTENT), "MIT",
)  # fmt: skip


class Server:
    """A local server that answers every request as its ``behaviour`` says, and counts them."""

    def __init__(self) -> None:
        self.behaviour = "ok"
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Write the response; `broken then ok` recovers at the second request."""
        behaviour = "ok" if self.behaviour == "broken then ok" and len(self.asked) > 1 else self.behaviour
        if behaviour.isdigit():
            request.send_error(int(behaviour))
            return
        body = {"other": CONTENT[::-1], "short": CONTENT[:-1]}.get(behaviour, CONTENT)
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2] if behaviour.startswith("broken") else body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv(download.VARIABLE, raising=False)
    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0))
    running = Server()
    yield running
    running.server.shutdown()
    running.server.server_close()


def nothing_left(home: Path) -> bool:
    """No file anywhere below the home folder, under the final name or another."""
    return not [path for path in home.rglob("*") if path.is_file()]


def test_a_file_arrives_whole_and_is_kept(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    path = obtain(SOURCE, mirror=server.url, home=tmp_path, say=said.append)
    assert path == tmp_path / "sources" / SOURCE.location and path.read_bytes() == CONTENT
    assert server.asked == [f"/{SOURCE.location}"] and len(said) == 1 and server.url in said[0]
    assert obtain(SOURCE, mirror="http://127.0.0.1:1", home=tmp_path) == path  # kept: no network needed
    assert [each.name for each in path.parent.iterdir()] == ["numbers.bin"]


def test_a_damaged_kept_file_is_fetched_again(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "sources" / SOURCE.location
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1] + b"!")
    said: list[str] = []
    assert obtain(SOURCE, mirror=server.url, home=tmp_path, say=said.append).read_bytes() == CONTENT
    assert "damaged" in said[0]


def test_a_broken_transfer_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.behaviour = "broken then ok"
    assert obtain(SOURCE, mirror=server.url, home=tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("behaviour", "error", "words", "attempts"),
    [
        ("404", MissingFile, "404", 1),
        ("403", MissingFile, "403", 1),
        ("503", MissingFile, "503", 3),
        ("other", BadFile, "sent another content: sha256", 3),
        ("short", BadFile, "sent another content: 102,399 bytes instead of 102,400", 3),
        ("broken", MissingFile, "cannot be reached", 3),
    ],
)
def test_each_failure_is_one_error_that_names_everything(
    behaviour: str, error: type[Exception], words: str, attempts: int, server: Server, tmp_path: Path
) -> None:
    server.behaviour = behaviour
    with pytest.raises(error) as caught:
        obtain(SOURCE, mirror=server.url, home=tmp_path)
    message = str(caught.value)
    kept = tmp_path / "sources" / SOURCE.location
    for part in (
        words,
        "numbers",
        server.url,
        str(kept),
        f"{len(CONTENT):,} bytes",
        SOURCE.sha256,
        SOURCE.url(),
        "--from",
    ):
        assert part in message
    assert nothing_left(tmp_path) and len(server.asked) == attempts


def test_no_server_is_a_missing_file(server: Server, tmp_path: Path) -> None:
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(MissingFile, match="cannot be reached"):
        obtain(SOURCE, mirror=server.url, home=tmp_path)
    with pytest.raises(MissingFile, match="cannot be reached"):
        obtain(SOURCE, mirror="http://no-such-host.invalid", home=tmp_path)
    assert nothing_left(tmp_path)


def test_a_full_disk_is_a_missing_file(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pooch

    class Full(pooch.HTTPDownloader):  # type: ignore[misc]
        def __call__(self, url: str, output_file: str, pooch: object, check_only: bool = False) -> None:
            with open(output_file, "wb") as file:
                file.write(CONTENT[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch, "HTTPDownloader", Full)
    with pytest.raises(MissingFile, match=r"numbers: .*cannot be written \(No space left on device\)"):
        obtain(SOURCE, mirror=server.url, home=tmp_path)
    assert nothing_left(tmp_path)


def test_a_home_that_cannot_be_made_is_a_missing_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MissingFile, match="cannot be written"):
        obtain(SOURCE, mirror=server.url, home=tmp_path / "file" / "home")


# ---------------------------------------------------------------- folders


def folder_with(path: Path, content: bytes) -> Path:
    (path / SOURCE.location).parent.mkdir(parents=True)
    (path / SOURCE.location).write_bytes(content)
    return path


def test_a_folder_stands_in_for_the_server(server: Server, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mirrors", CONTENT)
    assert obtain(SOURCE, mirror=folder, home=tmp_path / "home") == folder / SOURCE.location
    assert nothing_left(tmp_path / "home") and not server.asked


def test_the_variable_names_a_folder_and_that_is_said(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "BASE_URL", "http://127.0.0.1:1")  # no network
    monkeypatch.setenv(download.VARIABLE, str(folder_with(tmp_path / "mirrors", CONTENT)))
    said: list[str] = []
    assert obtain(SOURCE, home=tmp_path / "home", say=said.append) == tmp_path / "mirrors" / SOURCE.location
    assert len(said) == 1 and str(tmp_path / "mirrors") in said[0] and "not from the network" in said[0]


def test_where_the_variables_folder_lacks_the_file_the_server_is_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "BASE_URL", server.url)
    monkeypatch.setenv(download.VARIABLE, str(tmp_path))
    said: list[str] = []
    assert obtain(SOURCE, home=tmp_path / "home", say=said.append).read_bytes() == CONTENT
    assert "asking" in said[0]


def test_the_variable_may_be_a_server_and_the_argument_wins(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(download.VARIABLE, server.url)
    assert obtain(SOURCE, home=tmp_path / "home").read_bytes() == CONTENT
    with pytest.raises(MissingFile, match="no file at"):
        obtain(SOURCE, mirror=tmp_path, home=tmp_path / "other")
    assert len(server.asked) == 1


def test_a_folder_without_the_file_or_with_another_is_one_error(tmp_path: Path) -> None:
    for folder, words in ((tmp_path, "no file at"), (tmp_path / "absent", "no folder that can be read")):
        with pytest.raises(MissingFile, match=words) as caught:
            obtain(SOURCE, mirror=folder, home=tmp_path / "home")
        assert SOURCE.sha256 in str(caught.value) and SOURCE.location in str(caught.value)
    with pytest.raises(BadFile, match="is not the file it should be: sha256"):
        obtain(SOURCE, mirror=folder_with(tmp_path / "mirrors", CONTENT[::-1]), home=tmp_path / "home")


def test_an_unreadable_file_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_with(tmp_path / "mirrors", CONTENT)

    def refuse(*_: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(hashlib, "file_digest", refuse)
    with pytest.raises(MissingFile, match=r"cannot be read \(Permission denied\)"):
        obtain(SOURCE, mirror=folder, home=tmp_path / "home")


# ---------------------------------------------------------------- the catalogue


def test_every_pinned_file_has_a_licence_and_its_own_place() -> None:
    sources = {source for recipe in CATALOGUE.values() for source in recipe.sources}
    assert {source.licence for source in sources} == {"Apache-2.0", "MIT", "ISC"}
    assert len({source.location for source in sources}) == len({source.name for source in sources}) == len(sources)
    assert all(source.url().startswith("https://raw.githubusercontent.com/") for source in sources)
    assert set(CATALOGUE) == {"nats-tss", "nasbench201", "nasbench101", "hw-nas-bench"}


def test_a_source_that_would_leave_its_folder_cannot_exist() -> None:
    for path in ("../x", "a/../../x", "/x", "a\\x", ""):
        with pytest.raises(BadValue):
            SourceFile("bad", "owner", "repository", "0" * 40, path, "0" * 64, 1, "MIT")
    with pytest.raises(BadValue):
        SourceFile("bad", "owner", "repository", "main", "x", "0" * 64, 1, "MIT")
