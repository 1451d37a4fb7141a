"""Writes the file."""

from tests.typedefs import FILE, made

FILE.write_text(made(), encoding="utf-8")
