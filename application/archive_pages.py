"""What a person reads in an archive: 归档目录, 文件处理单, and the README for whoever finds it years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from application.access import every_event, read_version
from application.histories import definitions_of, names_of_accounts, title_of
from application.past import today
from application.stages import local_day
from application.texts import opinions_of
from audit.timeline import LoggedEvent
from documents.rendering import ArchivedFile, Opinion, Stage, Step
from models.base import parse_timestamp
from models.canonical import digest
from models.content import to_json
from models.documents import IssuedDocument, shown_number
from models.engine import Work
from models.people import Organization
from models.process import Participation
from workflow.situation import TextRow

CATALOGUE, SHEET = "catalogue.pdf", "process-sheet.pdf"


def process_steps(work: Work, row: TextRow, logged: Sequence[LoggedEvent]) -> list[dict[str, Any]]:
    """What was done to a text, oldest first: ``{at, title, by, person, for, words}``; refusals are not steps."""
    names = names_of_accounts(work)
    out = []
    for item, definition in zip(logged, definitions_of(work, row, list(logged)), strict=True):
        event = item.event
        if event["out"] != "success" or not event["act"].startswith(("workflow.", "text.import", "definition.")):
            continue
        actor = event["actor"]
        role = definition.roles.get(actor["role"])
        name, organization = names.get(actor["sub"], ("", ""))
        principal = names.get(actor.get("on_behalf_of", ""), ("", ""))[0]
        out.append(
            {
                "at": parse_timestamp(event["ts"]),
                "title": title_of(definition, event),
                "by": f"{organization} {role.title if role else ''}".strip(),
                "person": f"{name}（代 {principal}）" if principal else name,
                "words": event.get("why", ""),
            }
        )
    return out


def people(work: Work, row: TextRow, names: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Who took part in a text in which capacity and round, for the archive."""
    parts = work.connection.execute(
        sa.select(Participation.account_id, Participation.capacity, Participation.round)
        .where(Participation.text_id == row.id)
        .order_by(Participation.round, Participation.capacity, Participation.account_id)
    )
    return [
        {
            "account": part.account_id,
            "name": names.get(part.account_id, ("", ""))[0],
            "organization": names.get(part.account_id, ("", ""))[1],
            "capacity": part.capacity,
            "round": part.round,
        }
        for part in parts
    ]


def sheet_stages(
    work: Work, row: TextRow, titles: Mapping[str, str], members: Mapping[str, bytes]
) -> list[tuple[str, str, Stage]]:
    """Path, title and stage of the process sheet and of the catalogue, in this order: the second names everything else."""
    read = read_version(work, row)
    steps = tuple(Step(**step) for step in process_steps(work, row, list(every_event(work, row.id))))
    numbers = work.session.scalars(
        sa.select(IssuedDocument)
        .where(IssuedDocument.text_id == row.id)
        .order_by(IssuedDocument.created_at, IssuedDocument.step)
    )
    state = today(work, row).definition.states[row.state]
    sheet = Stage(
        document="processing",
        content=read.content,
        text_id=row.id,
        version=read.version,
        content_hash=read.content_hash,
        status=state.status,
        issued_on=local_day(steps[-1].at),
        round=row.round,
        department=work.session.get_one(Organization, row.organization_id).name,
        finance=work.session.get_one(Organization, row.reviewing_id).name,
        opinions=_opinions(work, row, to_json(read.content)),
        steps=steps,
        document_number="\n".join(
            shown_number(item.word, item.year, item.number) + ("（作废）" if item.voided_step is not None else "")
            for item in numbers
        ),
        conclusion=f"{state.title}（{'已办结' if state.final else '尚未办结'}）",
    )
    files = tuple(ArchivedFile(path, titles[path], digest(members[path])) for path in sorted(members))
    catalogue = replace(sheet, document="archive", opinions=(), files=files)
    return [(SHEET, "文件处理单", sheet), (CATALOGUE, "归档目录", catalogue)]


def _opinions(work: Work, row: TextRow, content: Any) -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            place=item["anchor"],
            place_title=item["place_title"],
            quote=item["quote"],
            kind=item["kind"],
            problem=item["problem"],
            wanted=item["wanted"],
            rule=item["rule"] or "",
            answer=f"{item['answer']['kind']}：{item['answer']['text']}".rstrip("：") if item["answer"] else "",
            author=item["author"],
        )
        for item in opinions_of(work, row.id, content)
        if not item["withdrawn"]
    )


def readme(members: Mapping[str, bytes]) -> str:
    """How to read and check the archive, for somebody who has nothing but this file."""
    counted = sum(path.startswith("events/") and path.endswith(".json") for path in members)
    return f"""# 部门预算绩效文本归档

这个压缩包是一份部门预算绩效文本的全部档案。文件都是通用格式，不需要专门的软件就能看。

| 文件 | 是什么 |
|---|---|
| catalogue.pdf | 归档目录：每个文件的 SHA-256，和办理过程 |
| process-sheet.pdf | 文件处理单：谁在什么时候办理、写了什么意见，每条审核意见和答复 |
| documents/ | 各环节的正式文件（PDF/A）；r1 是第 1 轮，v3 是第 3 版内容 |
| content/ | 每一版的内容（JSON，UTF-8）；文件的 SHA-256 就是这一版的内容哈希 |
| opinions.json、steps.json、people.json | 审核意见和答复、办理经过、办理人 |
| events/ | 审计日志里这份文本的 {counted} 个事件：.json 是事件原样的字节，.tlog-proof 是它的收据 |
| log/checkpoint | 收据所依据的检查点（日志当时的条数和根哈希，有签名） |
| log/vkey | 日志的公钥。请用从别处取得的公钥核对，不要只信这里的 |
| archive.json | 以上内容的说明，供程序读取 |
| manifest.sha256 | 其余每个文件的 SHA-256 |

## 核对

只核对文件有没有改动：解压后在文件夹里运行 `sha256sum -c manifest.sha256`。

连同收据一起核对（不需要数据库、登录和网络）：

```
jixiao archive verify 归档文件.zip --vkey 公钥文件
```

收据的格式是公开的（C2SP tlog-proof、tlog-checkpoint、signed-note，RFC 6962 的哈希），别的工具也能核对：
叶哈希是 SHA-256(0x00 ‖ 事件的字节)。

核对通过说明：这里的每个事件都在签过名的日志里，没有改动；每一版内容、每份正式文件的哈希都写在这些事件里。
它不说明日志里没有别的事件，也不说明写下的话是真的。
"""
