"""The installed command, run as people run it: in processes of their own, with a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from application.acting import act
from application.answering import answer_findings
from application.editing import confirm_repairs
from application.identity import authenticate
from application.importing import import_text
from application.installation import Request, open_installation
from application.settings import load_settings

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("jixiao")
SAMPLE = ROOT / "examples" / "library-2021.txt"


@dataclass
class Shell:
    """Runs ``jixiao`` with one home; ``tokens`` by role."""

    home: Path
    tokens: dict[str, str] = field(default_factory=dict)
    text: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str | Path, role: str | None = None, **given: Any) -> subprocess.Popen[str]:
        """A running process."""
        return subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            env=self._environment(role),
            stdin=given.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=given.pop("cwd", self.home.parent),
            **given,
        )

    def run(
        self, *arguments: str | Path, role: str | None = None, stdin: bytes | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A finished process; never a traceback."""
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            env=self._environment(role),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            cwd=cwd or self.home.parent,
            timeout=120,
            check=False,
        )
        result = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in result.stderr, result.stderr
        return result

    def ok(self, *arguments: str | Path, role: str | None = None, stdin: bytes | None = None) -> Any:
        """The JSON that a command prints; it must succeed."""
        done = self.run(*arguments, "--json", role=role, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def fails(self, code: int, *arguments: str | Path, role: str | None = None, stdin: bytes | None = None) -> str:
        """The one sentence of a command that must fail with this exit code."""
        done = self.run(*arguments, role=role, stdin=stdin)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        sentences = [line for line in done.stderr.splitlines() if line.startswith("错误：")]
        assert len(sentences) == 1, done.stderr
        return sentences[0]

    def _environment(self, role: str | None) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("JIXIAO_")}
        kept |= {"JIXIAO_HOME": str(self.home), "JIXIAO_LOG_LEVEL": "warning", "PYTHONUTF8": "1"} | self.environment
        if role is not None:
            kept["JIXIAO_TOKEN"] = self.tokens[role]
        return kept


def drive_text(shell: Shell, state: str) -> str:
    """Drives a new text to a state and returns its id; in this process, since the way there is not what is tested."""
    url = shell.environment.get("JIXIAO_DATABASE_URL")
    installation = open_installation(load_settings(home=shell.home, database_url=url))
    people = {
        role: Request(installation, authenticate(installation, token), "test") for role, token in shell.tokens.items()
    }
    text: str = import_text(people["drafter"], SAMPLE.read_bytes())["text"]
    confirm_repairs(people["drafter"], text, (), everything=True)
    answer_findings(people["drafter"], text, (), words="已核对", everything=True)
    reached = "draft"
    for role, action in (("department_head", "submit"), ("reviewer", "accept"), ("reviewer", "pass")):
        if reached == state:
            break
        reached = act(people[role], text, action=action)["state"]
    installation.engine.dispose()
    return text
