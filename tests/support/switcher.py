"""What a user does with the switcher in a browser."""

from support.notebook import write

LOAD = "%load_ext robota_nb"

WIDE = """panel => [panel, ...panel.querySelectorAll('*')].filter(part => {
    const { overflowX, textOverflow } = getComputedStyle(part);
    const mayHold = ['auto', 'scroll'].includes(overflowX) || textOverflow === 'ellipsis'; // code, and cut names
    return !mayHold && part.clientWidth > 1 && part.scrollWidth > part.clientWidth + 1;
}).map(part => `${part.tagName}.${part.className}: ${part.textContent.slice(0, 60)}`)"""
"""The parts of a panel that are wider than the room that they have."""


class Switcher:
    """A switcher on a page.

    Parameters
    ----------
    page
        The tab.
    within
        Where on the page it is: an output's or the panel's selector.
    number
        Which one there, from 0.
    """

    def __init__(self, page, within=".jp-OutputArea", number=0):
        self.page = page
        self.root = page.locator(f"{within} .robota-switcher").nth(number)

    def ready(self):
        """Wait until the kernel has told it something."""
        self.root.wait_for()
        self.root.locator(".robota-note").filter(has_text="Waiting for the kernel").wait_for(state="detached")
        return self

    def part(self, name):
        return self.root.locator(f"[data-part={name}]")

    # -- chats

    def row(self, name):
        return self.root.locator(".robota-chat").filter(has=self.page.get_by_text(name, exact=True))

    def names(self):
        """The chats in the list, from the top."""
        return self.root.locator(".robota-chat .robota-name").all_inner_texts()

    def lists(self, *names):
        """Wait until the list shows exactly these chats, from the top."""
        self.page.wait_for_function(
            "([root, names]) => JSON.stringify([...root.querySelectorAll('.robota-chat .robota-name')]"
            ".map(name => name.textContent)) === JSON.stringify(names)",
            arg=[self.root.element_handle(), list(names)],
        )

    def choose(self, name):
        """Click a chat, and wait until it is the active one."""
        self.row(name).locator(".robota-choose").click()
        self.active(name)

    def active(self, name):
        """Wait until this chat is the active one: the draft goes to it."""
        self.part("draft").and_(self.page.get_by_label(f"Write to {name}", exact=True)).wait_for()

    def menu(self, button, item):
        """Choose from a menu."""
        button.click()
        self.root.get_by_role("menuitem", name=item, exact=True).click()

    def chat_menu(self, name, item):
        row = self.row(name)
        row.hover()
        self.menu(row.locator("[data-part=chat-menu]"), item)

    def create(self, name):
        """Create a chat, and give it a name."""
        self.part("new-chat").click()
        self.name(name)
        self.active(name)

    def name(self, name):
        """Type a name into the field that has opened."""
        field = self.part("name")
        field.wait_for()
        field.fill(name)
        field.press("Enter")
        field.wait_for(state="detached")

    # -- turns

    def send(self, text, *, wait=True):
        """Write a text and press Enter."""
        draft = self.part("draft")
        draft.fill(text)
        draft.press("Enter")
        if wait:
            self.turn(text).wait_for()
            self.rests()

    def rests(self):
        """Wait until no answer arrives in the chat that is shown."""
        self.part("stop").wait_for(state="hidden")

    def turn(self, prompt):
        return self.root.locator(".robota-turn").filter(has=self.page.get_by_text(prompt, exact=True))

    def act(self, prompt, action):
        """Press one of the buttons below a turn."""
        turn = self.turn(prompt)
        turn.hover()
        turn.locator(f"[data-part={action}]").click()

    def edit(self, prompt, text):
        """Ask something else in the place of a turn."""
        self.act(prompt, "edit")
        self.part("edit-area").fill(text)
        self.part("edit-area").press("Enter")

    def says(self, *texts):
        """Wait until the transcript shows exactly these questions and answers, from the top."""
        self.page.wait_for_function(
            """([root, texts]) => {
                const of = selector => element => element.querySelector(selector)?.textContent.trim();
                const turns = [...root.querySelectorAll('.robota-turn')]
                    .flatMap(turn => [of('.robota-prompt')(turn), of('.robota-markdown')(turn)]);
                return JSON.stringify(turns) === JSON.stringify(texts);
            }""",
            arg=[self.root.element_handle(), list(texts)],
        )

    def note(self, text):
        """Wait for a note that holds a text."""
        note = self.root.locator(".robota-note").filter(has_text=text)
        note.wait_for()
        return note


def notebook(work, *cells, name="talk.ipynb"):
    """A notebook with the extension, two chats, and the switcher in its last cell."""
    return write(work / name, LOAD, *cells, "%robota ui")


def prompts_of(body):
    """What the user has asked, in a request's body."""
    return [message["content"] for message in body["messages"] if message["role"] == "user"]
