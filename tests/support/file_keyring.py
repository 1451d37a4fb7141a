"""A keyring for tests: a real backend of the package `keyring`, that keeps its keys in a file of the test's own."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

LOCKED = {"locked": True}


class FileKeyring(KeyringBackend):
    priority = 1

    @property
    def file(self):
        return Path(os.environ["KEYRING_FILE"])

    def _kept(self):
        kept = json.loads(self.file.read_text()) if self.file.exists() else {}
        if kept == LOCKED:
            raise KeyringLocked("sk-in-an-error-of-the-keyring")
        return kept

    def get_password(self, service, username):
        return self._kept().get(f"{service}: {username}")

    def set_password(self, service, username, password):
        self.file.write_text(json.dumps({**self._kept(), f"{service}: {username}": password}))

    def delete_password(self, service, username):
        kept = self._kept()
        if kept.pop(f"{service}: {username}", None) is None:
            raise PasswordDeleteError("not here")
        self.file.write_text(json.dumps(kept))
