"""What the page and the files of a report promise."""

from __future__ import annotations

import base64
import gzip
import io
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.reports import Report, report
from nasgauge.reports.blocks import Plot, Section, Text
from nasgauge.reports.page import render, slug
from nasgauge.searchers.runner.run import Run


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._quiet = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._quiet = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._quiet = False

    def handle_data(self, text: str) -> None:
        if not self._quiet:
            self.words.append(text)


@pytest.fixture(scope="module")
def run(make_run_once: Any) -> Run:
    """Two data sets, and a searcher whose label is dangerous in HTML."""
    made: Run = make_run_once(
        datasets=["cifar10", "cifar100"], labels=["random", '<b>&"</script><script>alert(1)</script>'], seeds=5
    )
    return made


@pytest.fixture(scope="module")
def made(run: Run) -> Report:
    return report(run)


@pytest.fixture(scope="module")
def page(made: Report) -> str:
    return made.html()


def test_the_page_is_one_file_that_asks_the_network_for_nothing(page: str) -> None:
    tags = Reader(page).tags
    loading = [
        (tag, attributes.get(name)) for tag, attributes in tags for name in ("src", "href") if name in attributes
    ]
    assert loading and all(address and address.startswith("data:") for _, address in loading)
    policy = next(attributes["content"] for tag, attributes in tags if "http-equiv" in attributes)
    assert policy and policy.startswith("default-src 'none'") and "http" not in policy
    assert "@import" not in page.split("</style>")[0] and "url(" not in page.split("</style>")[0]


def test_plotly_is_there_once(page: str, made: Report) -> None:
    plots = sum(isinstance(block, Plot) for section in made.sections for block in section.blocks)
    assert len(re.findall(r"plotly\.js v\d", page)) == 1
    assert sum(tag == "script" for tag, _ in Reader(page).tags) == 2 + plots  # the library, ours, one JSON for each


def test_a_label_with_html_is_text(page: str, made: Report) -> None:
    for html in (page, render(made, still=True)):
        found = Reader(html)
        assert "b" not in {tag for tag, _ in found.tags}
        assert '<b>&"</script><script>alert(1)</script>' in "".join(found.words)
        assert "<script>alert" not in html


def test_the_page_has_what_phones_and_readers_need(page: str) -> None:
    found = Reader(page)
    assert any(attributes.get("name") == "viewport" for _, attributes in found.tags)
    assert "@media print" in page and "prefers-color-scheme: dark" in page
    assert all(attributes.get("alt") for tag, attributes in found.tags if tag == "img")
    assert sum(tag == "h1" for tag, _ in found.tags) == 1
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)


def test_the_tables_can_be_taken_from_the_page(page: str, made: Report) -> None:
    links = {
        attributes["download"]: attributes["href"] for tag, attributes in Reader(page).tags if "download" in attributes
    }
    assert {"final.csv", "pairs.csv", "effort.csv", "incumbents.csv", "cifar10-seconds.pdf"} <= set(links)
    for name in made.tables:
        file = next(file for file in links if file in (f"{name}.csv", f"{name}.csv.gz"))
        content = base64.b64decode(str(links[file]).split(",", 1)[1])
        assert (gzip.decompress(content) if file.endswith(".gz") else content) == made.csv(name)


def test_everything_is_written_and_named(made: Report, tmp_path: Path) -> None:
    written = made.save_all(tmp_path / "new" / "report")
    assert all(path.is_file() and path.stat().st_size for path in written)
    names = {path.relative_to(tmp_path / "new" / "report").as_posix() for path in written}
    assert {"index.html", "figures/cifar10-seconds.pdf", "figures/cifar100-queries.png", "figures/all-seconds.pdf",
            "tables/final.csv", "tables/curves.csv", "tables/random-closed-form.csv"} <= names  # fmt: skip
    assert {path for path in (tmp_path / "new").rglob("*") if path.is_file()} == set(written)
    final = pd.read_csv(tmp_path / "new/report/tables/final.csv")
    pd.testing.assert_frame_equal(final, made.tables["final"], rtol=1e-6, check_dtype=False)


def test_an_interrupted_write_leaves_the_old_page(made: Report, tmp_path: Path, monkeypatch: Any) -> None:
    path = made.save(tmp_path / "page.html")
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        made.save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_same_folder_gives_the_same_bytes_in_another_process(run: Run, made: Report, tmp_path: Path) -> None:
    program = (
        "import sys; from nasgauge.searchers.runner.run import Run; from nasgauge.reports import report;"
        "report(Run(sys.argv[1])).save_all(sys.argv[2])"
    )
    elsewhere = tmp_path / "elsewhere"  # nor does the page tell where the run lay
    elsewhere.symlink_to(run.folder)
    environment = {**os.environ, "PYTHONHASHSEED": "123", "TZ": "Asia/Tokyo", "MPLBACKEND": "svg"}
    subprocess.run(
        [sys.executable, "-c", program, str(elsewhere), str(tmp_path / "theirs")],
        check=True,
        env=environment,
        timeout=300,
    )
    for path in made.save_all(tmp_path / "ours"):
        assert path.read_bytes() == (tmp_path / "theirs" / path.relative_to(tmp_path / "ours")).read_bytes(), path.name


def test_a_notebook_shows_the_page_without_scripts(made: Report) -> None:
    shown = made._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "Plotly" not in shown and "<script" not in shown
    assert len(shown) < 3_000_000


def test_wrong_names_are_answered_with_the_right_ones(made: Report, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="save_all"):
        made.save(tmp_path / "report")
    with pytest.raises(UnknownName, match="cifar10-seconds"):
        made.figure("cifar10-second")
    with pytest.raises(UnknownName, match="png"):
        made.figure("cifar10-seconds", "gif")
    with pytest.raises(UnknownName, match="final"):
        made.csv("finale")


def test_a_missing_number_is_an_empty_field(make_run_once: Any) -> None:
    table = report(make_run_once("alone", seeds=1)).csv("final").decode()
    assert pd.read_csv(io.StringIO(table))["std"].isna().all() and "nan" not in table.lower()


def test_a_report_leaves_out_sections_without_blocks_and_tables_without_rows() -> None:
    told, nothing = Section("Told", (Text(("A sentence.",)),)), Section("Nothing", ())
    tables = {"rows": pd.DataFrame({"id": [1]}), "none": pd.DataFrame({"id": []})}
    made = Report("A title", "A lead", (told, nothing), tables=tables)
    assert made.sections == (told,)
    assert list(made.tables) == ["rows"]


def test_importing_reports_loads_no_drawing_library() -> None:
    program = (
        "import sys, nasgauge, nasgauge.reports;"
        "assert not {'matplotlib', 'plotly', 'jinja2', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_slugs_are_safe_names() -> None:
    assert slug("ImageNet16-120") == "ImageNet16-120"
    assert slug("../a b") == "a-b"
    assert slug("ä") == "x"
