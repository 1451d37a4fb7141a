"""The labextension is built, placed and found as JupyterLab wants it, and a browser never mixes two versions of it."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import robota_nb
from support.labextension import SOURCE, build_hook
from support.paths import ROOT
from support.require import require
from typedefs import FILE, made

SERVED = {".js", ".css", ".txt"}
FILES = sorted(
    path.relative_to(SOURCE).as_posix()
    for path in [*SOURCE.glob("*"), *SOURCE.glob("switcher/*")]
    if path.suffix in SERVED
)
MODULES = [name for name in FILES if name.endswith(".js")]


@pytest.fixture
def hook():
    return build_hook()


def place(hook, source, target):
    """Build, and return the directory that the application loads."""
    hook.build(source, target)
    package = json.loads((target / "package.json").read_text())
    entry = target / package["jupyterlab"]["_build"]["load"]
    assert entry.is_file()
    return entry.parent


def test_it_has_the_version_of_the_package():
    assert json.loads((SOURCE / "package.json").read_text())["version"] == robota_nb.__version__
    assert f"VERSION = '{robota_nb.__version__}'" in (SOURCE / "version.js").read_text()


def test_the_types_of_the_messages_are_made_of_the_kernels():
    assert FILE.read_text(encoding="utf-8") == made(), "python -m tests.typedefs writes it anew"


def imports(name):
    return re.findall(r"""\b(?:from|import)\s*\(?\s*['"]([^'"$\s]+)['"]""", (SOURCE / name).read_text())


def test_modules_import_only_each_other():
    for name in MODULES:
        for imported in imports(name):
            assert re.match(r"\.\.?/", imported), f"{name} imports {imported}"
            found = Path(SOURCE, name).parent.joinpath(imported).resolve()
            assert found.relative_to(SOURCE).as_posix() in MODULES, f"{name} imports {imported}"


def test_style_sheets_load_nothing():
    for name in set(FILES) - set(MODULES):
        if name.endswith(".css"):
            assert not re.search(r"""@import|url\((?!["']?data:)""", (SOURCE / name).read_text()), name


def test_all_files_lie_together_in_a_directory_that_browsers_may_keep(hook, tmp_path):
    where = place(hook, SOURCE, tmp_path)
    assert where.parent == tmp_path / "static"
    assert sorted(path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file()) == FILES
    assert {"index.js", "switcher/strings.js"} < set(FILES)
    assert (tmp_path / "install.json").is_file()


@pytest.mark.parametrize("name", FILES)
def test_a_change_in_any_file_moves_all_of_them(hook, tmp_path, name):
    source = shutil.copytree(SOURCE, tmp_path / "source")
    before = place(hook, source, tmp_path / "before").name
    assert place(hook, source, tmp_path / "again").name == before
    (source / name).write_text((source / name).read_text() + "\n// changed\n")
    assert place(hook, source, tmp_path / "after").name != before


def test_a_file_in_another_place_moves_all_of_them(hook, tmp_path):
    source = shutil.copytree(SOURCE, tmp_path / "source")
    before = place(hook, source, tmp_path / "before").name
    (source / "switcher" / "strings.js").rename(source / "strings.js")
    assert place(hook, source, tmp_path / "after").name != before


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_wheels_put_it_where_jupyterlab_looks(hook, tmp_path, version):
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=[version])
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith((".ts", "tsconfig.json"))] == []
    files = [name for name in names if ".data/data/" in name]
    data = [name.partition(".data/data/")[2].removeprefix("share/jupyter/labextensions/robota_nb/") for name in files]
    others = {"package.json", "install.json", "schemas/robota_nb/chats.json", "schemas/robota_nb/package.json.orig"}
    assert {name for name in data if not name.startswith("static/")} == others
    assert sorted(name.split("/", 2)[2] for name in data if name.startswith("static/")) == FILES


def test_jupyter_finds_it_enabled_and_sound():
    require("jupyterlab", find_spec("jupyterlab"), "pip install '.[lab]'")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"], capture_output=True, text=True, check=True
    )
    said = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
    require("jupyterlab", "robota_nb v" in said, "robota_nb is not installed in this environment")
    assert re.search(rf"robota_nb v{re.escape(robota_nb.__version__)} enabled OK \(python, robota-nb\)", said), said
