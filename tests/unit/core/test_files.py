"""What can be sent of a file: what it is, its content tells; what cannot be read is one line."""

import os
import socket

import pytest

from robota_nb.core.files import from_bytes, from_path, from_text, name_of
from robota_nb.core.record.attachments import MAX_FILE_BYTES, MAX_IMAGE_BYTES, content_parts
from robota_nb.errors import PromptError
from support.core import raised

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
TYPES = [
    (b"a,b\n1,2\n", "text/plain"),
    (b"", "text/plain"),
    (PDF, "application/pdf"),
    (b"\n " + PDF, "application/pdf"),
    (WAV, "audio/wav"),
    (b"ID3\x04rest", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", "audio/mpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
    (b"<svg xmlns='x'></svg>", "text/plain"),
]


@pytest.mark.parametrize(("data", "media_type"), TYPES)
def test_what_a_file_is_its_content_tells(data, media_type):
    file, notice = from_bytes(data, "a.bin")
    assert (file.media_type, file.data, notice) == (media_type, data, "")


TEXTS = [
    ("Grüße\r\n", "utf-8", False),
    ("Grüße\n", "utf-8-sig", False),
    ("Grüße\n", "utf-16", False),
    ("Grüße\n", "utf-32", False),
    ("# -*- coding: latin-1 -*-\nGrüße\n", "latin-1", False),
    ('<?xml version="1.0" encoding="iso-8859-2"?><a>źródło</a>', "iso-8859-2", False),
    ("<meta charset='shift_jis'>日本", "shift_jis", False),
    ("Grüße “so”\n", "cp1252", True),
]


@pytest.mark.parametrize(("text", "encoding", "guessed"), TEXTS)
def test_a_text_is_sent_in_utf_8_and_an_encoding_that_was_guessed_is_told(text, encoding, guessed):
    file, notice = from_bytes(text.encode(encoding), "a.txt")
    assert file.data.decode() == text
    assert notice.startswith("'a.txt' is not in UTF-8") == guessed
    assert "\n" not in notice


@pytest.mark.parametrize("data", [b"PK\x03\x04\x14\x00\x00\x00", b"\x00\x01", b"a\x00b", b"\xff\xfea", b"\x81\x8d\x8f"])
def test_what_is_none_that_models_take_is_refused_with_a_next_step(data):
    said = raised(PromptError, lambda: from_bytes(data, "talk.docx"))
    assert said.startswith("'talk.docx' is no text, PDF, WAV, MP3 or picture")
    assert said.endswith(": save it as PDF, or send its text")


def test_a_file_is_read_by_its_path_and_known_by_its_name_alone(tmp_path, monkeypatch):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "data.csv").write_bytes(b"a\n")
    monkeypatch.chdir(tmp_path)
    for path in ("secret/data.csv", tmp_path / "secret" / "data.csv", "secret/../secret/data.csv"):
        assert from_path(path).file == from_text("a\n", "data.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret" / "data.csv")
    assert from_path("link.csv").file == from_text("a\n", "link.csv")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/ana/data.csv", "data.csv"), (r"C:\Users\ana\data.csv", "data.csv"), ("/", "file"), ("", "file"),
        ("a\nb\x1b[31m\u202e.csv", "a b[31m.csv"), ("é" * 300 + ".csv", "é" * 99 + "…"), ("\udcff.csv", "\ufffd.csv"),
    ],
)  # fmt: skip
def test_a_name_is_one_line_without_folders_and_what_acts(path, name):
    assert name_of(path) == name


@pytest.mark.skipif(os.name == "nt", reason="there are no such files")
def test_what_cannot_be_read_is_one_line_and_nobody_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "circle").symlink_to("circle")
    with (tmp_path / "huge.log").open("wb") as huge:
        huge.truncate(2**30)
    for path, said in {
        "pipe": "'pipe' is a device or the like, not a file: name a file",
        "socket": "'socket' is a device or the like, not a file: name a file",
        "/dev/zero": "'zero' is a device or the like, not a file: name a file",
        "folder": "'folder' is a folder, not a file: name a file",
        "nowhere": "no file 'nowhere': check its path",
        "gone": "no file 'gone': check its path",
        "huge.log/x": "no file 'x': check its path",
        "circle": "'circle' cannot be read (OSError): check the file",
        "a\0b": "'ab' cannot be read (ValueError): check the file",
        "huge.log": "'huge.log' has 1,073,741,824 bytes, over the cap of 20,000,000: send a part of it",
    }.items():
        assert raised(PromptError, from_path, path) == said


def test_what_is_over_the_cap_is_refused_and_what_is_at_it_is_not():
    said = raised(PromptError, lambda: from_text("é" * (MAX_FILE_BYTES // 2 + 1), "a"))
    assert said == "'a' has 20,000,002 bytes, over the cap of 20,000,000: send a part of it"
    assert raised(PromptError, lambda: from_bytes(b" " * (MAX_FILE_BYTES + 1), "a")).startswith("'a' has 20,000,001")
    assert len(from_bytes(b" " * MAX_FILE_BYTES, "a").file.data) == MAX_FILE_BYTES
    png = b"\x89PNG\r\n\x1a\n" + bytes(MAX_IMAGE_BYTES)
    assert "over the cap of 2,000,000" in raised(PromptError, lambda: from_bytes(png, "a"))


def test_texts_stand_in_fences_that_nothing_in_them_ends_and_others_are_parts():
    files = [from_text("a,b\n", "data.csv"), from_text("````\n```", "notes"), from_bytes(PDF, "a.pdf").file]
    text, pdf = content_parts("look", files)
    assert text == {
        "type": "text", "text": "look\n\nFile data.csv:\n```csv\na,b\n```\n\nFile notes:\n`````\n````\n```\n`````",
    }  # fmt: skip
    assert pdf == {
        "type": "file",
        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjcKJeLjz9MK"},
    }
    (_, sound) = content_parts("hear", [from_bytes(WAV, "a.wav").file])
    assert sound == {"type": "input_audio", "input_audio": {"data": "UklGRiQAAABXQVZFZm10IA==", "format": "wav"}}
    assert content_parts("look", files[:1]) == "look\n\nFile data.csv:\n```csv\na,b\n```"
