"""The panel in Korean, with the language pack that its users install; and nothing of it is too wide for 320 pixels."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from support.notebook import write
from support.page import PANEL as NOTEBOOK
from support.require import require
from support.switcher import WIDE, Switcher

pytestmark = pytest.mark.slow("drives a JupyterLab with a language pack in a browser")

PANEL = "#robota-nb-chats"
LOAD = "%load_ext robota_nb"
NARROW = f"{PANEL} {{ min-width: 320px !important; max-width: 320px !important; }}"

ENGLISH = """panel => {
    const parts = panel.querySelectorAll('button, label, option, [title], [aria-label], [placeholder], .robota-note');
    const texts = [...parts]
        .flatMap(part => [part.title, part.ariaLabel, part.placeholder, part.children.length ? '' : part.textContent]);
    const isEnglish = text => /^[A-Z][a-z]+[ .…]*$|[A-Za-z]{3,} [A-Za-z]{3,}/.test(text) && !/[가-힣]/.test(text);
    return texts.filter(text => text && isEnglish(text));
}"""
"""What is said there in English."""


@pytest.fixture
def korean(lab):
    """A JupyterLab whose user has chosen Korean."""
    require("the Korean language pack", find_spec("jupyterlab_language_pack_ko_KR"), "pip install '.[test]'")
    place = Path(lab.env["JUPYTER_CONFIG_DIR"], "lab", "user-settings", "@jupyterlab", "translation-extension")
    place.mkdir(parents=True)
    settings = place / "plugin.jupyterlab-settings"
    settings.write_text('{"locale": "ko_KR"}')
    yield lab
    settings.unlink()
    place.rmdir()


def seen(page, state):
    """Check what the panel shows, in a state of that name."""
    panel = page.locator(PANEL)
    assert panel.evaluate("panel => panel.clientWidth") == 320
    assert panel.evaluate(WIDE) == [], state
    assert panel.evaluate(ENGLISH) == [], state


def test_the_panel_is_korean_and_fits_into_320_pixels_in_each_state(korean, opened, work, server):
    server.reply = lambda body: "# 답변\n\n`code`와 **굵은** 글자.\n\n```python\nprint('안녕하세요')\n```"
    asked = ["%%robota\n안녕", "%%robota\n또 안녕"]
    cells = [LOAD, "%robota new 첫째", *asked, "%robota new 둘째", "%%robota\n{{on}}는?"]
    notebook = opened(write(work / "korean.ipynb", *cells))
    page = notebook.page
    page.add_style_tag(content=NARROW)
    page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").click()
    panel = page.locator(PANEL)
    panel.get_by_text("이 노트북에는 아직 대화가 없습니다.").wait_for()
    seen(page, "empty")

    notebook.run()
    panel.get_by_text("그대로 보냅니다: {{on}}").wait_for()  # a notice of the kernel
    switcher = Switcher(page, within=PANEL)
    switcher.root.get_by_text("안녕하세요").wait_for()
    seen(page, "notice")
    panel.get_by_role("button", name="닫기").first.click()

    switcher.part("drawer").click()
    switcher.row("첫째").wait_for()
    seen(page, "list")
    switcher.row("첫째").hover()
    switcher.row("첫째").locator("[data-part=chat-menu]").click()
    switcher.root.get_by_role("menuitem", name="모델과 설정…").wait_for()
    seen(page, "chat-menu")
    switcher.root.get_by_role("menuitem", name="모델과 설정…").click()
    switcher.part("settings").get_by_text("고를 수 있는 모델").wait_for()
    seen(page, "settings")
    switcher.part("settings").get_by_role("button", name="취소").click()
    switcher.row("첫째").locator(".robota-choose").click()
    switcher.root.get_by_text("또 안녕").wait_for()

    switcher.part("draft").fill("{{ missing }}은 무엇인가요?")
    switcher.part("draft").press("Enter")
    switcher.note("변수 'missing' 이(가) 없습니다").wait_for()  # an error of the kernel
    seen(page, "error")
    switcher.part("draft").fill("안녕하세요")
    switcher.part("attach").click()
    seen(page, "attach")
    switcher.root.get_by_role("menuitem", name="보낼 것 보기").click()
    switcher.part("preview").get_by_text("토큰").wait_for()
    seen(page, "preview")

    notebook.edit(2, "%%robota\n안녕하세요")
    notebook.run(2)
    panel.get_by_text("오래된 답변 1개").wait_for()
    seen(page, "stale")

    page.evaluate(f"() => {NOTEBOOK}.sessionContext.shutdown()")
    panel.locator("[data-part=load]:visible").get_by_text("불러오기").wait_for()
    seen(page, "ended")


def test_the_settings_and_the_commands_are_korean(korean, opened, work):
    page = opened(write(work / "plain.ipynb", "1")).page
    label = page.evaluate("() => jupyterapp.commands.label('robota:open-chats')")
    assert label == "Robota: 대화 열기"
    page.evaluate("() => void jupyterapp.commands.execute('settingeditor:open', { query: 'Robota' })")
    page.get_by_label("상태 표시줄에 활성 대화 보이기").wait_for()
