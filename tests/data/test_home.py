"""Where tables lie, and what a name means."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nasgauge.bench.errors import BadValue, MissingFile, UnknownName
from nasgauge.data.home import VARIABLE, home, locate, table_path, tables_at_hand


def test_the_home_folder_is_the_argument_else_the_variable_else_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable"))
    assert home(tmp_path / "argument") == tmp_path / "argument"
    assert home() == tmp_path / "variable"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home().name == "nasgauge"


def test_tables_at_hand_are_listed_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasgauge.data.home.BUNDLED", tmp_path / "nothing")
    assert tables_at_hand(tmp_path) == {}
    for name in ("b", "a", ".a.h5.part"):
        path = tmp_path / "tables" / f"{name}.h5"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert list(tables_at_hand(tmp_path).items()) == [(name, tmp_path / "tables" / f"{name}.h5") for name in ("a", "b")]


def test_a_table_that_comes_with_the_package_is_found_unless_the_home_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path / "package" / "tables"
    bundled.mkdir(parents=True)
    (bundled / "tss-digits.h5").touch()
    monkeypatch.setattr("nasgauge.data.home.BUNDLED", bundled)
    assert locate("tss-digits", tmp_path / "empty") == [bundled / "tss-digits.h5"]
    mine = table_path("tss-digits", tmp_path)
    mine.parent.mkdir()
    mine.touch()
    assert locate("tss-digits", tmp_path) == [mine]


def test_a_name_means_a_table_a_path_or_several(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name in ("mine", "yours", "nats-tss"):
        table_path(name, tmp_path).touch()
    path = tmp_path / "odd+name.h5"
    path.touch()
    assert locate("mine+yours", tmp_path) == [table_path("mine", tmp_path), table_path("yours", tmp_path)]
    assert locate(str(path), tmp_path) == locate(path, tmp_path) == [path]
    assert locate("elsewhere/table.h5", tmp_path) == [Path("elsewhere/table.h5")]
    with pytest.raises(MissingFile, match="nasgauge fetch nasbench101"):
        locate("nats-tss+nasbench101", tmp_path)
    with pytest.raises(UnknownName, match="did you mean 'nats-tss'"):
        locate("nats-tts", tmp_path)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a\n", "a+b"])
def test_a_table_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(BadValue):
        table_path(name)


def test_finding_a_table_imports_no_assembler_and_no_downloader() -> None:
    code = "import sys, nasgauge.data.home; print([m for m in sys.modules if m in ('pooch', 'requests', 'pandas')"
    code += " or m.startswith('nasgauge.data.nats') or m == 'nasgauge.data.safe.pickles'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
