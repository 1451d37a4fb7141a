"""The labextension's modules that need no browser, in Node."""

import json
import shutil
import subprocess

from support.labextension import SOURCE
from support.require import require


def in_node(script, *values):
    """Run JavaScript with the labextension's folder as ``SOURCE``, and JSON as ``values``; return what it returns."""
    node = shutil.which("node")
    require("node", node, "there is no node on the PATH")
    program = f"""
        import {{ readFileSync }} from 'node:fs';
        const SOURCE = {json.dumps(SOURCE.as_uri())};
        const values = JSON.parse(readFileSync(0, 'utf8'));
        const made = await (async () => {{ {script} }})();
        process.stdout.write(JSON.stringify(made ?? null));
    """
    done = subprocess.run(
        [node, "--no-warnings", "--input-type=module", "-e", program],
        input=json.dumps(values), capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
