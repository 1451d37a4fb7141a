"""Pictures for prompts: what can be one, what cannot and what to do then, and how `--image` finds it."""

import base64
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.display import Image as Shown

from robota_nb.core.files import from_path
from robota_nb.core.ports import Image, Request
from robota_nb.errors import PromptError
from robota_nb.prompt.images import MAX_IMAGE_BYTES, image, look_up
from robota_nb.providers.offline import OfflineProvider
from robota_nb.testing import FakeOpenAIServer
from support.core import raised
from support.provider import answer, lab_provider

PNG = b"\x89PNG\r\n\x1a\nfake"
FILES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0fake",
    "image/gif": b"GIF89afake",
    "image/webp": b"RIFF\x04\x00\x00\x00WEBPVP8 ",
}


class Figure:
    """A stand-in for matplotlib's: the same drawing, and a name of the software that is asked away."""

    def __init__(self):
        self.options = None

    def savefig(self, file, **options):
        self.options = options
        file.write(PNG + repr(options["metadata"]).encode())


class Picture:
    """A stand-in for PIL's."""

    def save(self, fp, format=None, **params):  # noqa: A002 - as PIL calls it
        assert format == "PNG"
        fp.write(PNG)


def refused(value):
    """The one line with which something is refused."""
    with pytest.raises(PromptError) as raised:
        image(value)
    assert "\n" not in str(raised.value)
    assert ": " in str(raised.value)  # and what to do next
    return str(raised.value)


@pytest.mark.parametrize(("media_type", "data"), FILES.items(), ids=FILES)
@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_bytes_are_known_by_how_they_begin(media_type, data, make):
    assert image(make(data)) == Image(media_type=media_type, data=data)


@pytest.mark.parametrize(("media_type", "data"), FILES.items(), ids=FILES)
@pytest.mark.parametrize("make", [str, Path])
def test_a_file_is_known_by_how_it_begins_whatever_its_name(media_type, data, make, tmp_path):
    file = tmp_path / "picture.dat"
    file.write_bytes(data)
    assert image(make(file)) == Image(media_type=media_type, data=data)


def test_a_path_may_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.png").write_bytes(PNG)
    assert image("~/a.png").data == PNG


def test_a_figure_is_drawn_as_png_without_what_changes():
    figure = Figure()
    assert image(figure) == image(figure) == Image(media_type="image/png", data=PNG + b"{'Software': None}")
    assert (figure.options["format"], figure.options["bbox_inches"]) == ("png", "tight")


def test_axes_are_drawn_with_their_whole_figure():
    figure = Figure()
    assert image(SimpleNamespace(figure=figure)) == image(figure)
    assert image(SimpleNamespace(figure=SimpleNamespace(figure=figure))) == image(figure)  # in a subfigure


def test_a_pil_picture_is_saved_as_png():
    assert image(Picture()) == Image(media_type="image/png", data=PNG)


def test_what_ipython_shows_as_a_picture():
    jpeg = FILES["image/jpeg"]
    nothing = {"_repr_png_": lambda: None, "_repr_jpeg_": lambda: (jpeg, {"width": 3})}
    assert image(SimpleNamespace(_repr_png_=lambda: PNG)).media_type == "image/png"
    assert image(SimpleNamespace(**nothing)) == Image(media_type="image/jpeg", data=jpeg)
    both = {"text/html": "<img>", "image/png": base64.b64encode(PNG).decode()}
    assert image(SimpleNamespace(_repr_mimebundle_=lambda include, exclude: (both, {}))).data == PNG
    with pytest.raises(PromptError):
        image(SimpleNamespace(_repr_mimebundle_=lambda include, exclude: {"text/html": "<img>"}))


@pytest.mark.parametrize(("media_type", "data"), FILES.items(), ids=FILES)
def test_ipythons_own_images(media_type, data):
    try:
        shown = Shown(data, format=media_type.removeprefix("image/"))
    except ValueError as error:
        pytest.skip(f"this IPython does not know the format: {error}")
    assert image(shown) == Image(media_type=media_type, data=data)
    assert image(Shown(data, format=media_type.removeprefix("image/"), metadata={"a": 1})).data == data


def test_an_object_that_fails_to_show_itself_may_still_be_saved():
    class Both(Picture):
        def _repr_png_(self):
            raise RuntimeError

    assert image(Both()).data == PNG


def test_an_image_stays_what_it_is():
    assert image(image(PNG)) == image(PNG)


# -- what is refused


@pytest.mark.parametrize("value", [None, 3, [Figure()], {}, SimpleNamespace(), SimpleNamespace(save=3), object()])
def test_what_is_no_picture(value):
    assert "is no picture: name a figure" in refused(value)


def test_a_class_is_no_picture():
    assert "'Figure' is a class" in refused(Figure)


@pytest.mark.parametrize("start", [b"<svg xmlns='x'>", b'<?xml version="1.0"?>\n<!-- x -->\n<SVG>'])
def test_svg_is_refused_with_what_to_do(start, tmp_path):
    assert "is SVG, which models do not take: save it as PNG" in refused(start)
    (tmp_path / "a.svg").write_bytes(start)
    assert "a.svg" in refused(tmp_path / "a.svg")


@pytest.mark.parametrize("data", [b"BM", b"%PDF-1.4", b"RIFF\0\0\0\0WAVE", b"<svgs>", b"\x89PN", b"\xff\xd8"])
def test_other_files_are_refused(data):
    assert "is not PNG, JPEG, GIF or WebP" in refused(data)


def test_nothing_is_refused(tmp_path):
    (tmp_path / "a.png").touch()
    assert "is empty" in refused(b"")
    assert "a.png' is empty" in refused(tmp_path / "a.png")
    assert "is empty" in refused(SimpleNamespace(savefig=lambda *_, **__: None))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "is a folder, not a file: name a file"),
        (".", "is a folder, not a file: name a file"),
        ("no.png", "no file 'no.png': check its path"),
        ("no/no.png", "no file 'no.png': check its path"),
        ("x" * 5000, "cannot be read (OSError): check the file"),
        ("a\0b", "cannot be read (ValueError): check the file"),
        ("~nobody-here/a.png", "no file 'a.png': check its path"),
    ],
)
def test_no_file(path, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in refused(path)
    assert said in raised(PromptError, from_path, path)


def test_a_large_picture_is_refused_with_its_size_and_what_to_do(tmp_path):
    large = PNG + bytes(MAX_IMAGE_BYTES)
    said = "has 2,000,012 bytes, over the cap of 2,000,000 for a picture: draw it with fewer dots per inch (dpi), or "
    assert said in refused(large)
    (tmp_path / "a.png").write_bytes(large)
    assert f"a.png' {said}" in refused(tmp_path / "a.png")
    assert f"the picture (SimpleNamespace) {said}" in refused(SimpleNamespace(_repr_png_=lambda: large))
    assert said in refused(Image(media_type="image/png", data=large))
    assert len(image(large[:MAX_IMAGE_BYTES]).data) == MAX_IMAGE_BYTES


def test_what_cannot_be_drawn_says_why():
    def savefig(file, **options):
        raise OSError("cannot write\nmode CMYK as PNG")

    said = refused(SimpleNamespace(savefig=savefig))
    assert "cannot be drawn (OSError: cannot write mode CMYK as PNG): mend it, or save it as PNG" in said


def test_an_interrupt_is_no_prompt_error():
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    for value in (SimpleNamespace(savefig=interrupt), SimpleNamespace(save=interrupt)):
        with pytest.raises(KeyboardInterrupt):
            image(value)


# -- what --image names

FIGURE = Figure()
SPACE = {
    "fig": FIGURE,
    "axes": [FIGURE, 2],
    "plots": SimpleNamespace(by={"name": FIGURE}),
    "path": "plot.png",
    "_hidden": 1,
    "none": None,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("plot.png", "my plot.png", "fig.png", "fig", "café"):
        (tmp_path / name).write_bytes(PNG)
    return tmp_path


@pytest.mark.parametrize("expression", ["fig", "axes[0]", "plots.by['name']", 'plots.by["name"]', "axes[-2]"])
def test_variables_are_looked_up(expression, folder):
    assert look_up(expression, SPACE) is FIGURE


def test_a_variable_goes_before_a_file(folder):
    assert look_up("fig", SPACE) is FIGURE
    assert look_up("none", SPACE) is None
    assert look_up("fig", {}) == Path("fig")


@pytest.mark.parametrize("expression", ["plot.png", "my plot.png", "./fig", "fig.png", "café"])
def test_otherwise_it_is_a_file(expression, folder):
    assert look_up(expression, SPACE) == Path(expression)
    assert image(look_up(expression, SPACE)).data == PNG
    assert look_up(str(folder / expression), {}) == folder / expression


ERRORS = {
    "fgi": "no variable and no file 'fgi' (did you mean 'fig'?): name a variable, such as fig",
    "zzz.a[0]": "no variable and no file 'zzz.a[0]': name",
    "hidden": "no variable and no file 'hidden': name",
    "fig.nope": "'fig.nope' failed (AttributeError: ",
    "axes[7]": "'axes[7]' failed (IndexError: list index out of range); mend it, or name another picture",
    "fig.savefig()": "no file 'fig.savefig()': name a variable",
    "fig.__class__": "no file 'fig.__class__'",
    "__builtins__": "no file '__builtins__'",
    "axes[0:1]": "no file",
    "gone.png": "no variable and no file 'gone.png'",
    "": "no file ''",
    "a\0": "no file",
}


@pytest.mark.parametrize(("expression", "says"), ERRORS.items(), ids=range(len(ERRORS)))
def test_what_is_not_found_says_so(expression, says, folder):
    with pytest.raises(PromptError) as raised:
        look_up(expression, SPACE)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


# -- what providers do with them


def parts(*texts, pictures=1):
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    return [
        *({"type": "text", "text": text} for text in texts),
        *({"type": "image_url", "image_url": {"url": url, "detail": "low"}} for _ in range(pictures)),
    ]


def test_a_server_gets_the_parts_as_they_are():
    messages = [
        {"role": "user", "content": parts("What is this?", "Be brief – é😀.", pictures=2)},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": "Sure?"},
        {"role": "user", "content": parts()},
    ]
    with FakeOpenAIServer() as server:
        provider = lab_provider(server)
        text, finish = answer(provider, Request(model="", messages=messages))
        provider.close()
        assert server.requests[0]["messages"] == messages
    assert (text, finish.reason) == ("1: ", "stop")


def test_a_picture_at_the_cap_arrives():
    content = parts("look", pictures=0)
    url = "data:image/png;base64," + base64.b64encode(PNG + bytes(MAX_IMAGE_BYTES - len(PNG))).decode()
    content.append({"type": "image_url", "image_url": {"url": url}})
    with FakeOpenAIServer() as server:
        provider = lab_provider(server)
        assert answer(provider, Request(model="", messages=[{"role": "user", "content": content}]))[0] == "1: look"
        provider.close()
        assert server.requests[0]["messages"][0]["content"] == content


def offline(*contents):
    return answer(
        OfflineProvider(),
        Request(model="", messages=[{"role": "user", "content": content} for content in contents]),
    )


def test_the_offline_model_says_how_many_pictures_came_along():
    text, finish = offline(parts("What is", "this?", pictures=2))
    assert "```text\nWhat is\nthis?\n```" in text
    assert "3 words, 2 pictures that it cannot see, no earlier turn of this chat" in text
    assert finish.usage.input_tokens == 3
    assert "2 words, 1 picture that it cannot see, 1 earlier turn" in offline("one", parts("and now"))[0]


def test_the_offline_model_does_not_count_earlier_pictures():
    assert "picture" not in offline(parts("look"), "and now")[0]
    assert "picture" not in offline(parts("only text in parts", pictures=0))[0]


def test_the_offline_model_answers_to_a_picture_alone():
    text, _ = offline(parts())
    assert text.startswith("You said nothing.")
    assert "0 words, 1 picture that" in text
    assert "2+2` is **4**" in offline(parts("2+2"))[0]
