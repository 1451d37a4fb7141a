"""What users configure: the settings of the application, and the ``ipython_config.py`` of their kernels."""

import json
import re
import shutil
from pathlib import Path

import pytest

from support.ipython_config import LAZY, PAGE, configure
from support.jupyter import IN_BOTH
from support.labextension import SOURCE
from support.notebook import write
from support.page import MODEL

pytestmark = pytest.mark.slow("starts a JupyterLab and kernels for each configuration")

COMMAND = "[data-command='robota:open-chats']"
BUTTON = "[data-jp-item-name=robota-chats]"
PANEL = "#robota-nb-chats"
STATUS = ".robota-status-button"


@pytest.fixture
def set_(request):
    """Changes a plugin's settings, as the application keeps them; they are gone when the test is done."""
    jupyter = request.getfixturevalue("jupyter" if "jupyter" in request.fixturenames else "lab")
    places = []

    def change(plugin, **values):
        package, _, name = plugin.partition(":")
        place = Path(jupyter.env["JUPYTER_CONFIG_DIR"], "lab", "user-settings", package)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.jupyterlab-settings").write_text(json.dumps(values))
        places.append(place)

    yield change
    for place in places:
        shutil.rmtree(place)


def test_the_defaults_are_those_of_the_schema_and_of_the_documents():
    schema = json.loads((SOURCE / "schemas" / "robota_nb" / "chats.json").read_text())
    (defaults,) = re.findall(r"DEFAULTS = \{(.+)\}", (SOURCE / "settings.js").read_text())
    assert defaults.strip() == ", ".join(
        f"{name}: {json.dumps(field['default'])}" for name, field in schema["properties"].items()
    )
    for name, field in schema["properties"].items():
        assert f"| `{name}` | `{json.dumps(field['default'])}` |" in PAGE


@IN_BOTH
def test_the_keys_and_the_menu_open_the_panel(jupyter, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    page = notebook.page
    page.locator(BUTTON).wait_for()  # which the settings have brought, like the keys
    page.keyboard.press("Control+Shift+Y")
    page.locator(PANEL).wait_for()
    page.wait_for_function("() => document.activeElement?.closest('#robota-nb-chats')")
    page.locator(".lm-MenuBar-itemLabel", has_text="View").first.click()
    page.locator(f".lm-Menu-item{COMMAND}").wait_for()


def test_a_user_may_have_the_panel_at_once_and_no_button(jupyter, opened, work, set_):
    set_("robota_nb:chats", openAtStart=True)
    set_("@jupyterlab/notebook-extension:panel", toolbar=[{"name": "robota-chats", "disabled": True}])
    page = opened(write(work / "plain.ipynb", "1")).page
    page.locator(PANEL).wait_for()
    assert page.evaluate("() => document.activeElement?.closest('#robota-nb-chats') ?? null") is None
    page.set_viewport_size({"width": 2000, "height": 900})  # or what stands last in the toolbar has no room there
    page.locator("[data-jp-item-name=cellType] ~ [data-jp-item-name=kernelName]").wait_for()
    assert page.locator(BUTTON).count() == 0


def test_the_settings_editor_changes_the_status_bar_at_once(lab, opened, work, set_):
    set_("robota_nb:chats")
    notebook = opened(write(work / "status.ipynb", "%load_ext robota_nb", "%robota new Left"))
    page = notebook.page
    notebook.run()
    page.locator(STATUS).wait_for()
    page.evaluate("() => void jupyterapp.commands.execute('settingeditor:open', { query: 'Robota' })")
    wanted = page.get_by_label("Show the active chat in the status bar")
    wanted.uncheck()
    page.locator(STATUS).wait_for(state="hidden")
    wanted.check()
    page.locator(STATUS).wait_for()


def test_a_notice_stays_as_long_as_the_user_wants(lab, opened, work):
    notebook = opened(write(work / "plain.ipynb", "1"))
    made = notebook.page.evaluate(
        """async () => {
            const at = performance.getEntriesByType('resource').map(e => e.name)
                .find(name => /robota_nb\\/static\\/\\w+\\/index\\.js/.test(name));
            const [{ notifier }, { Settings }] = await Promise.all(
                ['notices.js', 'settings.js'].map(name => import(new URL(name, at))));
            const shown = [];
            const Notification = { info: (text, { autoClose }) => shown.push(autoClose) };
            const settings = new Settings();
            const notify = notifier({ Notification }, settings);
            notify('as long as by default');
            await settings.load(undefined);
            notify('without a registry');
            await settings.load({ load: async () => { throw new Error('no such schema'); } });
            notify('without a schema');
            const user = { composite: { noticeSeconds: 2 }, changed: { connect: call => { user.changes = call; } } };
            await settings.load({ load: async () => user });
            notify('shorter');
            user.composite = { noticeSeconds: 0 };
            user.changes();
            notify('until it is closed');
            return shown;
        }"""
    )
    assert made == [8000, 8000, 8000, 2000, False]


def test_a_notebook_that_loads_nothing_itself_is_kept_and_replayed(lab, opened, work, server):
    ipython = Path(lab.env["IPYTHONDIR"])
    configure(ipython, LAZY)
    try:
        notebook = opened(write(work / "lazy.ipynb", "1 + 1", "%%robota\nzero", "%%robota\ntwo"))
        notebook.page.evaluate(
            f"""() => {{
                const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model === {MODEL});
                window.pushed = [];
                panel.sessionContext.session.kernel.anyMessage.connect((_, {{ msg, direction }}) => {{
                    const said = msg.metadata?.robota_nb?.text;
                    if (direction === 'send' && said) window.pushed.push(said);
                }});
            }}"""
        )
        notebook.edit(1, "%%robota\none")
        notebook.run(1, 2)
        assert json.loads(notebook.page.evaluate("() => window.pushed[0]"))["op"] == "cells"
        notebook.holds("one", "two")
        notebook.save()
        server.requests.clear()
        notebook.restart_and_run_all()
        assert server.requests == []
        notebook.says(2, "2: two")
    finally:
        shutil.rmtree(ipython / "profile_default")
