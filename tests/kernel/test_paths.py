"""What a path on a line of %robota means."""

import os

import pytest


@pytest.fixture
def home(kernel):
    return kernel.root / "home"


def test_a_tilde_means_the_home(kernel, home):
    kernel.ok("%robota ask Hello")
    assert kernel.ok("%robota export ~/talk.md").text == "exported to talk.md\n"
    assert (home / "talk.md").is_file()
    kernel.ok('%robota new Other\n%robota import "~/talk.md"')
    (home / "a.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    assert "saved in a.ipynb" in kernel.ok("%robota snapshot --to ~/a.ipynb").text
    kernel.ok("%robota resume ~/a.ipynb")


def test_else_a_tilde_is_a_part_of_the_name(kernel):
    kernel.ok("%robota ask Hello")
    kernel.ok("%robota export ~draft.md")
    assert (kernel.root / "~draft.md").is_file()
    kernel.ok("%robota import ~draft.md")


@pytest.mark.skipif(os.name == "nt", reason="there, these are other places")
def test_a_backslash_is_a_part_of_the_name(kernel):
    kernel.ok("%robota ask Hello")
    for said in (r"C:\Users\ana\talk.md", r'"\\server\share\talk.md"', r"'.\talks\new.md'"):
        name = said.strip("\"'")
        assert kernel.ok(f"%robota export {said}").text == f"exported to {name}\n"
        assert (kernel.root / name).is_file()
        kernel.ok(f"%robota import {said}")
