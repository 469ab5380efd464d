"""The published JSON Schema: current, true of every good definition, and refusing what breaks the shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from application import facts, guards  # noqa: F401 -- importing registers them, as the program does
from documents.rendering.words import document_names
from workflow.checking import check_definition
from workflow.schema import json_schema, schema_bytes

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs/schema/workflow-1.json"
GOOD = [*(ROOT / "workflow/definitions").glob("*.yaml"), *(ROOT / "examples/workflows").glob("*.yaml")]
BROKEN = sorted((ROOT / "tests/data/workflows/broken").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def codes(path: Path) -> set[str]:
    found = check_definition(path.read_bytes(), documents=document_names(), prove=False)
    return {finding.code for finding in found}


def test_the_published_schema_is_the_schema_of_the_model() -> None:
    assert FILE.read_bytes() == schema_bytes(), "run make schema"
    assert json.loads(schema_bytes()) == json_schema()


def test_make_schema_writes_both() -> None:
    lines = [line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if "schema_bytes" in line]
    assert [line.rsplit("> ", 1)[1] for line in lines] == [
        "docs/schema/budget-text-1.json",
        "docs/schema/workflow-1.json",
    ]
    code = lines[1].split("-c '", 1)[1].split("'", 1)[0]
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert made.stdout == FILE.read_bytes()


def test_the_schema_is_one_of_the_draft_that_it_names() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (
        "https://json-schema.org/draft/2020-12/schema",
        "jixiao/workflow/1",
    )
    assert schema["title"] == "Definition"


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_definition_is_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(loaded(path))] == []


@pytest.mark.parametrize("path", [path for path in BROKEN if "shape" in codes(path)], ids=lambda path: path.stem)
def test_what_breaks_the_shape_is_invalid(path: Path) -> None:
    assert not VALIDATOR.is_valid(loaded(path))


@pytest.mark.parametrize(
    "path", [path for path in BROKEN if not codes(path) & {"shape", "unreadable"}], ids=lambda path: path.stem
)
def test_what_is_only_wrong_in_its_meaning_is_valid(path: Path) -> None:
    # Editors shall not show the shape as wrong where the command says something else is.
    assert [error.message for error in VALIDATOR.iter_errors(loaded(path))] == []


def test_the_corpus_breaks_the_shape_in_several_ways() -> None:
    assert sum("shape" in codes(path) for path in BROKEN) >= 4
