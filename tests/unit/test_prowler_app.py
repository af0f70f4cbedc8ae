"""What `make app` needs: each thing that is missing has a sentence. The trial itself is no test."""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from ..tools import prowler_app


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An App's API, on a machine that has whatever a trial needs, for root."""
    programs = tmp_path / "api" / ".venv" / "bin"
    programs.mkdir(parents=True)
    programs.joinpath("gunicorn").touch()
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(prowler_app, "postgres_programs", lambda: [programs])
    monkeypatch.setattr(prowler_app, "WORK", Path("/"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: name)
    return tmp_path / "api"


def no_user(name: str) -> None:
    raise KeyError(name)


def test_nothing_is_missing_where_all_is_there(api: Path) -> None:
    assert list(prowler_app.what_is_missing(api)) == []


def test_each_thing_that_is_missing_is_named(api: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(prowler_app, "postgres_programs", list)
    monkeypatch.setattr(pwd, "getpwnam", no_user)
    gunicorn, postgres, redis, user = prowler_app.what_is_missing(api.parent)
    assert gunicorn.startswith(f"{api.parent}/.venv has no gunicorn.")
    assert postgres == "There is no /usr/lib/postgresql/*/bin. Install PostgreSQL."
    assert redis == "There is no redis-server on the PATH. Install Redis."
    assert user.startswith("There is no user postgres, and PostgreSQL refuses to run as root.")


def test_a_user_other_than_root_needs_no_user_postgres(
    api: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pwd, "getpwnam", no_user)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert list(prowler_app.what_is_missing(api)) == []


def test_a_folder_that_postgres_cannot_enter_is_named(
    api: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(prowler_app, "WORK", tmp_path / "build" / "app")
    sentence = f"The user postgres cannot enter {tmp_path}. Allow it: chmod o+x {tmp_path}."
    assert sentence in list(prowler_app.what_is_missing(api))
