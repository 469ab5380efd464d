import pytest
from rendering_stages import opinions, text


@pytest.fixture
def opined():
    return opinions(text())
