"""A kernel's manager and its persistence, without the kernel."""

from robota_nb.core.inside import ledger_of
from robota_nb.core.record import snapshot
from robota_nb.core.users import default_user
from robota_nb.display.notices import notice
from robota_nb.sync.persistence import Persistence
from robota_nb.sync.reader import NotebookReader
from robota_nb.sync.recovery import Recovery
from support.core import new_manager


class Shell:
    """A manager and its persistence, as one kernel has them, and what they say to a front end."""

    def __init__(self, monkeypatch, store=None, path=None, value=None):
        monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
        for name in ("ROBOTA_NB_NOTEBOOK", "JPY_SESSION_NAME"):
            monkeypatch.delenv(name, raising=False)
        self.sent, self.told = [], []
        self.manager = new_manager()
        guess = lambda: None
        self.persistence = Persistence(self.manager, self.sent.append, guess, self.tell, has_outputs=True)
        self.reader = NotebookReader(self.persistence, guess, self.tell)
        self.recovery = Recovery(self.persistence)
        self.notebook = self.persistence.notebook
        self.persistence.unsaved.store = store or self.persistence.unsaved.store
        self.manager.subscribe(self.event)
        if path:
            self.reader.document_opened({"op": "open", "path": path, **({} if value is None else {"value": value})})
        self.reader.adopt_notebook()

    def tell(self, of):
        self.told.append(notice(of))

    def event(self, event):
        if hasattr(event, "entries"):
            self.persistence.commit({event.session: event.entries}, {event.session: event.removed})

    def ask(self, text, cell="c"):
        self.notebook.outputs.begins(cell, known=True)
        session = self.manager.active_session() or self.manager.create_session()
        chat = session.active_chat or session.create_chat()
        return chat.send(text)

    @property
    def page(self):
        return ledger_of(self.manager).page(default_user())

    def document(self):
        """What a front end has in its document now."""
        sessions = {}
        for message in self.sent:
            if message["op"] == "write":
                for sid, change in message["sessions"].items():
                    sessions.setdefault(sid, {}).update(change["add"])
        return snapshot.dump(sessions)
