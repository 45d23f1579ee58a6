import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from webhooks_portal.generated_secrets import FILE_NAME, read_or_make_secrets


def test_secrets_are_made_once_and_read_ever_after(tmp_path: Path) -> None:
    first = read_or_make_secrets(tmp_path / "new" / "data")
    assert set(first) == {"SECRET_KEY", "WEBHOOKS_SECRET_KEYS"}
    assert read_or_make_secrets(tmp_path / "new" / "data") == first


def test_the_secrets_are_long_random_and_usable(tmp_path: Path) -> None:
    one, other = read_or_make_secrets(tmp_path / "1"), read_or_make_secrets(tmp_path / "2")
    assert len(one["SECRET_KEY"]) >= 50
    assert one["SECRET_KEY"] != other["SECRET_KEY"]
    assert one["WEBHOOKS_SECRET_KEYS"] != other["WEBHOOKS_SECRET_KEYS"]
    assert Fernet(one["WEBHOOKS_SECRET_KEYS"]).encrypt(b"token")


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    read_or_make_secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    made = read_or_make_secrets(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o644)
    assert read_or_make_secrets(tmp_path) == made
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_one_set_and_leave_no_drafts(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda _: read_or_make_secrets(tmp_path), range(64)))
    assert all(result == results[0] for result in results)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_lost_key_ring_is_said_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("# ours\nSECRET_KEY=abc\n")
    with pytest.raises(ImproperlyConfigured, match="has no WEBHOOKS_SECRET_KEYS"):
        read_or_make_secrets(tmp_path)
    assert (tmp_path / FILE_NAME).read_text() == "# ours\nSECRET_KEY=abc\n"


def test_values_may_hold_equals_signs_and_commas(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("SECRET_KEY=a=b=\nWEBHOOKS_SECRET_KEYS=x=,y=\n")
    found = read_or_make_secrets(tmp_path)
    assert found == {"SECRET_KEY": "a=b=", "WEBHOOKS_SECRET_KEYS": "x=,y="}


def test_a_directory_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="set WEBHOOKS_DATA_DIR"):
        read_or_make_secrets(tmp_path / "file" / "data")
