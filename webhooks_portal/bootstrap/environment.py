"""Makes the virtual environment `.venv` and installs a requirements file where it changed.

Run by whatever Python the Makefile found, before anything is installed: standard library only.
"""

import argparse
import hashlib
import signal
import subprocess
import sys
import venv
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


def main() -> int:
    """Bring `.venv` up to date; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", help="file name in the project's folder")
    name: str = parser.parse_args().requirements
    signal.signal(signal.SIGTERM, _end)
    if sys.version_info < OLDEST:
        return _say(
            f"Python {'.'.join(map(str, OLDEST))} or later is needed, this is {sys.version}"
        )
    if not _works():
        print("Making the virtual environment .venv", flush=True)
        venv.create(VENV, clear=True, with_pip=True, symlinks=True)
    stamp = VENV / f".{name}.sha256"
    fingerprint = _fingerprint(name)
    if stamp.exists() and stamp.read_text() == fingerprint:
        return 0
    print(f"Installing the packages of {name} (a minute or two)", flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-qq"]
    code = subprocess.run([*pip, "-r", str(ROOT / name)]).returncode
    if code:
        return _say(f"pip could not install the packages of {name}: its words stand above")
    # Last, so that an interrupted installation is done again.
    stamp.write_text(fingerprint)
    return 0


def _works() -> bool:
    """Whether there is an environment whose Python, a link to the system's, still runs."""
    if not PYTHON.exists():
        return False
    probe = [str(PYTHON), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0


def _fingerprint(name: str) -> str:
    """Of the file and of those it includes with -r."""
    text = (ROOT / name).read_text()
    included = [line[3:].strip() for line in text.splitlines() if line.startswith("-r ")]
    digest = hashlib.sha256(text.encode()).hexdigest()
    return "\n".join([digest, *(_fingerprint(other) for other in included)])


def _say(problem: str) -> int:
    print(problem, file=sys.stderr)
    return 1


def _end(number: int, _frame: FrameType | None) -> None:
    # An exception makes subprocess.run kill pip, which would otherwise go on alone.
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
