"""Programs of the system that tests drive: Chromium and Node.js."""

import os
import shutil
import subprocess

# Names of the program, best first, and the Debian package that contains it.
CHROMIUM = (("chromium", "chromium-browser", "google-chrome"), "chromium")
NODE = (("node", "nodejs"), "nodejs")


def find_program(program: tuple[tuple[str, ...], str]) -> str | None:
    """Return the path of the first of its names that is installed, or None."""
    return next((path for name in program[0] if (path := shutil.which(name))), None)


def install_program(program: tuple[tuple[str, ...], str]) -> None:
    """If the program is missing and we may install it, install its Debian package."""
    if find_program(program) or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", program[1]]
    for command in (["apt-get", "update", "-q"], install):
        result = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if result.returncode:
            print(f"`{' '.join(command)}` failed: {result.stderr.strip()[-500:]}", flush=True)
