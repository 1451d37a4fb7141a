"""The samples of `docs/configuration.md`, and a kernel's configuration that has them."""

import re
from pathlib import Path

from support.paths import ROOT

PAGE = ROOT.joinpath("docs", "configuration.md").read_text(encoding="utf-8")
START, LAZY, OPTIONS = re.findall(r"^```python\n(c = get_config.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def configure(ipython, *samples):
    """Write the samples into the file that kernels read."""
    profile = Path(ipython, "profile_default")
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_config.py").write_text("".join(samples))
