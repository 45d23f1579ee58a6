"""A Node.js process that answers questions, one JSON line each, during a module's tests."""

from __future__ import annotations

import json
import subprocess
from types import TracebackType
from typing import Any

_LOOP = """
const lines = require('readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  let reply;
  try {
    reply = { value: answer(JSON.parse(line)) };
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(reply) + '\\n');
});
"""


class NodeError(Exception):
    """The JavaScript threw an exception; the message is its text."""


class Node:
    """Runs a script that defines `function answer(question)`. Use it as a context manager."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            ["node", "-e", script + _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Closing its input ends the process; closing both pipes avoids a ResourceWarning.
        self._process.communicate(timeout=10)

    def ask(self, question: object) -> Any:
        """Return the answer to a JSON value. Raises NodeError if the script threw."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        # With ASCII escapes, any string fits on one line, U+2028 and NUL included.
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        reply = json.loads(stdout.readline())
        if "error" in reply:
            raise NodeError(reply["error"])
        return reply["value"]
