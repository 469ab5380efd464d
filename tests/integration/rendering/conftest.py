import sys
from pathlib import Path

import pytest

# The unit tests' texts serve here too; pytest puts only the folder of each test on the path.
sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "rendering"))

from rendering_stages import stage, text

from documents.rendering import render_pdf


@pytest.fixture(scope="session")
def one_project() -> bytes:
    return render_pdf(stage())


@pytest.fixture(scope="session")
def forty_projects() -> bytes:
    return render_pdf(stage(content=text(40)))
