"""The built wheel in a fresh environment, run from another directory: what an operator installs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from acceptance_shell import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``jixiao`` command of an environment that holds the wheel and sees this one's libraries, but not the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy: a build leaves its folder behind, and what is left there would go into the next wheel.
    unwanted = shutil.ignore_patterns(".*", "var", "build", "dist", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, folder / "source", ignore=unwanted)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder / "source"],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("jixiao-*.whl")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    site = next((folder / "env" / "lib").glob("python3*")) / "site-packages"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    # The libraries come from the environment of the tests: what is tested is what the wheel itself carries.
    libraries = Path(pytest.__file__).parents[1]
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return folder / "env" / "bin" / "jixiao"


def test_the_wheel_makes_and_migrates_a_database_and_drives_a_text(installed, tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("JIXIAO_", "PYTHON"))}
    environment |= {"JIXIAO_HOME": str(tmp_path / "home")}

    def run(*arguments: str) -> str:
        done = subprocess.run([installed, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("init")
    assert json.loads(run("db", "current", "--json"))["current"] is True
    assert json.loads(run("demo", "--home", "demo", "--json"))["states"][-1] == "published"
    where = subprocess.run(
        [installed.with_name("python"), "-c", "import workflow, jixiao_migrations; print(workflow.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(ROOT) not in where
