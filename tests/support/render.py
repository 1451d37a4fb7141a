"""What the tests of renderers share: a clock, and a front end that takes what is published."""

import json

from robota_nb.display.render import NotebookRenderer

OVERHEAD = 600


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class FrontEnd:
    """Applies what is published, as JupyterLab and nbclient do, and remembers when how much came."""

    def __init__(self, clock):
        self.clock = clock
        self.outputs = {}
        self.sent = []

    def __call__(self, data, metadata, display_id, update):
        assert update == (display_id in self.outputs), "an update needs its display, a display comes once"
        self.outputs[display_id] = json.loads(json.dumps({"data": data, "metadata": metadata}))
        self.sent.append((self.clock(), len(json.dumps(data, ensure_ascii=False).encode()) + OVERHEAD))

    @property
    def saved(self):
        return list(self.outputs.values())

    @property
    def texts(self):
        return [output["data"]["text/markdown"] for output in self.saved]


def replayed(text, reason="stop", metadata={}, form="markdown"):
    """What a replay leaves in the notebook."""
    front_end = FrontEnd(Clock())
    NotebookRenderer(front_end, front_end.clock, form).replay(text, reason, metadata)
    assert len(front_end.sent) == len(front_end.saved)  # in one go: no updates
    return front_end.saved
