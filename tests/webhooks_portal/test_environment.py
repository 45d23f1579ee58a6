from pathlib import Path

import pytest

from webhooks_portal.bootstrap import environment

pytestmark = pytest.mark.waits


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose environment works, and whose pip fails: installing is noticed."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("Django==5.2\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\npytest\n")
    return tmp_path


def pip_that_exits_with(code: int, project: Path) -> None:
    """Put a `python` there that answers the probe, and notes each `python -m pip`."""
    python = project / ".venv" / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "$@" >> "{project}/pip"\nexit {code}\n'
    )
    python.chmod(0o755)


def install(monkeypatch: pytest.MonkeyPatch, name: str) -> int:
    monkeypatch.setattr("sys.argv", ["environment.py", name])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return environment.main()


def installations(project: Path) -> int:
    log = project / "pip"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_packages_are_installed_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_that_exits_with(0, project)
    assert install(monkeypatch, "requirements.txt") == 0
    assert install(monkeypatch, "requirements.txt") == 0
    assert installations(project) == 1


def test_packages_are_installed_again_when_an_included_file_has_changed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that_exits_with(0, project)
    assert install(monkeypatch, "requirements-dev.txt") == 0
    (project / "requirements.txt").write_text("Django==5.2.1\n")
    assert install(monkeypatch, "requirements-dev.txt") == 0
    assert installations(project) == 2


def test_a_failed_installation_is_said_and_done_again(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_that_exits_with(1, project)
    assert install(monkeypatch, "requirements.txt") == 1
    assert "pip could not install the packages of requirements.txt" in capsys.readouterr().err
    pip_that_exits_with(0, project)
    assert install(monkeypatch, "requirements.txt") == 0
    assert installations(project) == 2
