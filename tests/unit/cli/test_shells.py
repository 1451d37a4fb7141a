"""Tab completion of the command line, in a real bash; zsh and fish check their scripts where they are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from robota_nb.cli import shells
from support.notebook import command
from support.require import require

COMPLETE = """
eval "$(robota-nb completion bash)"
compopt() { options+="$2 "; }  # bash has one only while it completes
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_robota_nb_completion "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}" "$options"
"""
"""Does what bash does when Tab is pressed at the end of its arguments."""

HEAVY = {"IPython", "ipykernel", "jupyter_client", "nbformat", "nbclient", "nbdime", "openai", "httpx", "sqlite3"}


@pytest.fixture
def bash(alone, monkeypatch):
    """Completes a line in a directory with notebooks; returns what is offered, and the options of the completion."""
    require("bash", shutil.which("bash"))
    there = alone / "bin" / "robota-nb"
    there.parent.mkdir()
    there.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m robota_nb "$@"\n')
    there.chmod(0o755)
    monkeypatch.setenv("PATH", str(there.parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(Path(shells.__file__).parents[2]), prepend=os.pathsep)
    (alone / "work" / "a folder").mkdir(parents=True)
    for name in ("my notebook.ipynb", "other.ipynb", "notes.txt", "a folder/within.ipynb"):
        (alone / "work" / name).touch()

    def complete(*words):
        done = subprocess.run(
            ["bash", "--norc", "-c", COMPLETE, "bash", "robota-nb", *words],
            cwd=alone / "work", capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        *offered, options = done.stdout.splitlines()
        return sorted(offered), options.split()

    return complete


def test_bash_completes_commands_options_and_their_values(bash):
    assert bash("ver") == (["verify"], [])
    assert bash("git", "") == (["setup", "textconv"], [])
    assert bash("run", "--rep") == (["--replay"], [])
    assert bash("run", "other.ipynb", "--replay", "") == (["auto", "off", "stale", "strict"], [])
    assert bash("completion", "f") == (["fish"], [])


def test_bash_completes_notebooks_and_folders_whatever_their_names(bash):
    everything = ["a folder", "my notebook.ipynb", "other.ipynb"]
    assert bash("show", "") == (everything, ["filenames"])
    assert bash("verify", "other.ipynb", "") == (everything, ["filenames"])
    assert bash("run", "other.ipynb", "-o", "my") == (["my notebook.ipynb"], ["filenames"])
    assert bash("strip", "a folder/")[0] == ["a folder/within.ipynb"]
    assert bash("show", "no")[0] == []


def test_completion_loads_nothing_heavy():
    words = {"_ROBOTA_NB_COMPLETE": "bash_complete", "COMP_WORDS": "robota-nb\nrun\n--replay\n", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "robota_nb"],
        env={**os.environ, **words}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["plain,auto", "plain,stale", "plain,strict", "plain,off"]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("shell", shells.SHELLS)
def test_a_script_completes_notebooks_where_click_completes_files(shell):
    any_file, notebooks = shells._FILES[shell]
    script = command("completion", shell).output
    assert any_file not in script
    assert notebooks in script
    assert ".ipynb" in notebooks


@pytest.mark.parametrize("shell", shells.SHELLS)
def test_a_shell_can_read_its_script(shell, tmp_path):
    require(shell, shutil.which(shell))
    (tmp_path / "script").write_text(command("completion", shell).output)
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)
