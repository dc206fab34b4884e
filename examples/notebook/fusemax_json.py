"""Calls fusemax from Python and gives its JSON: the standard library alone."""

import json
import os
import shlex
import subprocess


def fusemax(*options):
    """The JSON that a fusemax command prints, as Python data.

    FUSEMAX says how it is started, "npx fusemax" by default. A command that fails raises RuntimeError with its one line.
    """
    start = shlex.split(os.environ.get("FUSEMAX", "npx fusemax"))
    done = subprocess.run([*start, *map(str, options), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)
