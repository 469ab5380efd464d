"""``text edit`` in the editor: opened, checked, opened again on mistakes, compared, asked, stored. The form is never lost."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from application import editing, forms, texts
from application.installation import Request
from cli.differences import print_differences
from cli.findings import tell_checks
from cli.output import say
from models.errors import InvalidInput, InvalidTransition, JixiaoError, NotAllowed


def edit_in_editor(request: Request, text_id: str, *, kind: str, reason: str, expected: int | None, yes: bool) -> None:
    """Edits the newest version of a text in $VISUAL or $EDITOR; raises what the storing of the edit raises."""
    found = texts.show_text(request, text_id)
    summary = found["summary"]
    if not found["editing"]["allowed"]:
        # Said before anything is typed, as the storing of an edit would say it.
        refused = NotAllowed if found["editing"]["code"] == NotAllowed.code else InvalidTransition
        raise refused(found["editing"]["reason"])
    title = f"{summary['title']}（{summary['organization']}），第 {found['version']} 版"
    form = _Form(forms.write_form(found["content"], kind, title=title), kind)
    with form.kept_on_failure():
        edited = form.edited(found["content"], text_id, found["version"])
        if edited is None or not edited.compared.rows:
            say("没有改动，没有生成新版本。")
            form.remove()
            return
        print_differences(edited.compared)
        if not (yes or click.confirm("保存为新的一版？", default=True, err=True)):
            say(f"没有保存；您的修改留在 {form.path}，可用 jixiao text edit {text_id} --file {form.path} 再次提交。")
            return
        # What others have changed since the form was opened would be undone by it.
        expected = summary["row_version"] if expected is None else expected
        done = editing.replace_content(request, text_id, edited.data, reason=reason, expected=expected)
        form.remove()
    say(f"已生成第 {done['version']} 版，改动 {len(done['changes'])} 处。")
    tell_checks(request, text_id)


class _Form:
    """A form in a file of its own that only its owner reads."""

    def __init__(self, text: str, kind: str) -> None:
        handle, name = tempfile.mkstemp(prefix="jixiao-", suffix=f".{kind}")
        os.close(handle)
        self.path = Path(name)
        self._first = text
        self._kind = kind
        self._write(text)

    def edited(self, old: object, text_id: str, version: int) -> forms.Edited | None:
        """What the person made of the form; on mistakes it is opened again with the message at its top.

        None where it was emptied. Raises InvalidInput where it was closed with the mistakes still in it.
        """
        while True:
            before = self._read()
            click.edit(filename=str(self.path))
            text = self._read()
            try:
                return forms.read_edit(text, self._kind, old, text_id=text_id, version=version)
            except InvalidInput as error:
                self._write(forms.with_message(text, error.message))
                *problems, _ = error.message.splitlines()
                if text == before:
                    # Closed as it was opened: whoever does not go on is not asked for ever.
                    raise InvalidInput(f"没有保存：{'；'.join(problems)}。") from error
                say("\n".join(problems))

    @contextlib.contextmanager
    def kept_on_failure(self) -> Iterator[None]:
        """Tells where the form is kept whatever goes wrong; a form that nobody has changed is removed."""
        try:
            yield
        except (JixiaoError, click.ClickException, click.Abort, OSError, KeyboardInterrupt):
            if self.path.exists() and self._read() == self._first:
                self.remove()
            elif self.path.exists():
                say(f"您的修改留在 {self.path}。")
            raise

    def remove(self) -> None:
        """The form's file goes."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> str:
        try:
            return self.path.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{self.path} 不再是 UTF-8 编码；请在编辑器中另存为 UTF-8。") from error

    def _write(self, text: str) -> None:
        self.path.write_text(text, "utf-8")
