"""The value cell of an indicator: sign, number, unit and remark.

In the layout of the seed the cell holds three lines joined by blanks: sign and number, what it measures, and the remark
with the unit (``≥95 完成率 达到 95%``). Others write a phrase (``开展5次活动``), a range, or words alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, cast

from documents.reading import measures
from documents.reading.finding_codes import FindingCode
from models.content import Sign

_LONGEST: Final = 400
_BRACKETED = re.compile(r"(?P<figure>[^（）]{1,40})（(?P<remark>[^（）].*)）")
_EMPTY: Final = frozenset({"-", "—", "——", "－", "/", "／", "\\", "无", "…", "……", "*"})


@dataclass(frozen=True, slots=True)
class ValueNote:
    """One thing to report about a value: which member it touches, and the finding without its place."""

    member: str
    code: FindingCode
    raw: str
    reason: str
    confidence: float
    repaired: str | None = None


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """What a value cell says."""

    sign: Sign | None = None
    value: str = ""
    value_to: str | None = None
    unit: str | None = None
    remark: str | None = None
    notes: tuple[ValueNote, ...] = ()


@dataclass(slots=True)
class _Reading:
    """The members of one value while its cell is read."""

    cell: str
    text: str
    sign: str | None = None
    value: str = ""
    value_to: str | None = None
    unit: str | None = None
    remark: str | None = None
    notes: list[ValueNote] = field(default_factory=list)

    def note(
        self,
        member: str,
        code: FindingCode,
        reason: str,
        confidence: float,
        *,
        raw: str = "",
        repaired: str | None = None,
    ) -> None:
        self.notes.append(ValueNote(member, code, raw or self.cell, reason, confidence, repaired))

    def take_number(self, start: int, end: int) -> None:
        """Takes the number at ``start`` to ``end`` as the value; reports commas and full-width digits."""
        written = self.cell[start:end]
        self.value = measures.plain_number(self.text[start:end])
        if self.value != written:
            reason = "数字里的千分位逗号或全角数字已整理。"
            self.note("value", FindingCode.VALUE_NOTATION, reason, 0.95, raw=written, repaired=self.value)

    def take_sign(self, written: str, raw: str) -> None:
        """Takes a sign as it was written; reports every spelling other than the sign itself."""
        self.sign = measures.sign_of(written)
        if raw == self.sign:
            return
        symbol = measures.is_symbol(written)
        reason = f"符号“{raw}”换成“{self.sign}”。" if symbol else f"文字“{raw}”读作符号“{self.sign}”。"
        sure = 0.98 if symbol else 0.6 if raw in ("达到", "达", "控制在") else 0.9
        self.note("sign", FindingCode.SIGN_SPELLING, reason, sure, raw=raw, repaired=self.sign)

    def take_sign_after(self, words: str) -> None:
        """Takes 以上, 以内 and the like after the number as the sign, where there is none before it."""
        after = measures.sign_after(words)
        if after is not None and self.sign is None:
            self.sign = after[0]
            reason = f"文字“{after[1]}”读作符号“{self.sign}”。"
            self.note("sign", FindingCode.SIGN_SPELLING, reason, 0.85, raw=after[1], repaired=self.sign)

    def take_unit(self, start: int, end: int) -> None:
        """Takes the measure word at ``start`` to ``end``."""
        written, self.unit = self.cell[start:end], self.text[start:end]
        if written != self.unit:
            reason = "计量单位里的全角字符已换成半角。"
            self.note("unit", FindingCode.VALUE_NOTATION, reason, 0.98, raw=written, repaired=self.unit)

    def keep_whole(self, code: FindingCode, reason: str) -> None:
        """Keeps the whole cell as the value: nothing in it can be told apart for certain."""
        self.sign = self.unit = self.remark = self.value_to = None
        self.value = self.cell
        self.notes = [ValueNote("value", code, self.cell, reason, 0.5)]


def read_value(cell: str, *, sign_cell: str = "", unit_cell: str = "") -> IndicatorValue:
    """Members of a value cell, with the sign and unit of their own columns where a table has them."""
    reading = _Reading(cell, cell.translate(measures.HALF_WIDTH))
    if "".join(cell.split()) in _EMPTY:
        reason = f"指标值写的是“{cell}”，作为没有填写。"
        reading.note("raw_value", FindingCode.VALUE_EMPTY, reason, 0.8)
    elif len(cell) > _LONGEST:
        reading.keep_whole(FindingCode.SEVERAL_FIGURES, "指标值过长，按原文保留，请拆出数值和计量单位。")
    elif cell:
        _read_cell(reading, sign_cell)
    _own_columns(reading, sign_cell, unit_cell)
    _doubt_sign(reading)
    # A cell that was kept whole has its own finding, which asks for more than a sign.
    if reading.sign is None and measures.LEADING_NUMBER.fullmatch(reading.value):
        reading.note("sign", FindingCode.SIGN_MISSING, "指标值没有写符号（≥、≤、= 等），内容中留空，请补上。", 0.9)
    return IndicatorValue(
        sign=cast("Sign | None", reading.sign),
        value=reading.value,
        value_to=reading.value_to,
        unit=reading.unit,
        remark=reading.remark,
        notes=tuple(reading.notes),
    )


def _read_cell(reading: _Reading, sign_cell: str) -> None:
    if measures.NUMBER.search(reading.text) is None:
        _read_words(reading, sign_cell)
    elif measures.DATE.search(reading.text):
        reading.keep_whole(FindingCode.SEVERAL_FIGURES, "指标值里有日期，按原文保留，没有拆出数值。")
    elif not _read_bracketed(reading) and not _read_range(reading) and not _read_leading(reading):
        _read_wording(reading)


def _read_bracketed(reading: _Reading) -> bool:
    """A figure with its remark in brackets behind it, as our own documents print both; False for anything else."""
    match = _BRACKETED.fullmatch(reading.cell)
    if match is None:
        return False
    figure = _Reading(match["figure"], match["figure"].translate(measures.HALF_WIDTH))
    if not (_read_range(figure) or _read_leading(figure)) or figure.remark is not None:
        return False
    reading.sign, reading.unit = figure.sign, figure.unit
    reading.value, reading.value_to = figure.value, figure.value_to
    reading.remark = match["remark"].strip()
    reading.notes += figure.notes
    _read_remark(reading)
    return True


def _read_words(reading: _Reading, sign_cell: str) -> None:
    reading.value = reading.cell
    if sign_cell:
        return
    sign = measures.SIGN_AT_START.match(reading.text)
    if measures.CHINESE_COUNT.search(reading.text) or (sign and measures.is_symbol(sign["sign"])):
        reason = "指标值里的数用汉字书写，或有符号而没有数字，按原文保留，请改写成数字。"
        reading.note("value", FindingCode.SEVERAL_FIGURES, reason, 0.5)
        return
    reading.sign = "定性"
    reading.note("sign", FindingCode.QUALITATIVE, "指标值只有文字，读作定性指标。", 0.8, repaired="定性")


def _read_range(reading: _Reading) -> bool:
    match = measures.RANGE.match(reading.text)
    if match is None or (match["low_unit"] and match["unit"] and match["low_unit"] != match["unit"]):
        return False
    reading.take_number(*match.span("high"))
    reading.value_to = reading.value
    reading.notes = [
        ValueNote("value_to", note.code, note.raw, note.reason, note.confidence, note.repaired)
        for note in reading.notes
    ]
    reading.take_number(*match.span("low"))
    group = "unit" if match["unit"] else "low_unit"
    if match[group]:
        reading.take_unit(*match.span(group))
    if match["remark"]:
        reading.remark = reading.cell[match.start("remark") :]
    reading.sign = "区间"
    reason = f"“{reading.cell[: match.end('high')]}”读作区间，下限 {reading.value}，上限 {reading.value_to}。"
    reading.note("sign", FindingCode.RANGE, reason, 0.9, repaired="区间")
    return True


def _read_leading(reading: _Reading) -> bool:
    """A cell that begins with (sign and) number; False where it is a phrase or holds several figures."""
    text = reading.text
    sign = measures.SIGN_AT_START.match(text)
    start = sign.end() if sign else 0
    number = measures.LEADING_NUMBER.match(text, start)
    if number is None:
        return False
    tail = number.end()
    unit = measures.UNIT_END.match(text, tail)
    after = unit.end() if unit else tail
    hedge = measures.sign_after(text[after : after + 8])
    rest = after + (text[after:].index(hedge[1]) + len(hedge[1]) if hedge else 0)
    if text[rest:] and not text[rest].isspace():
        unknown = text[rest:].strip()
        if unit or len(unknown) > 3 or not all("\u4e00" <= char <= "\u9fff" for char in unknown):
            return False
        if measures.UNIT.match(unknown):
            return False
    if sign:
        reading.take_sign(sign["sign"], reading.cell[: len(sign["sign"])])
    reading.take_number(*number.span())
    if unit:
        reading.take_unit(*unit.span("unit"))
    reading.take_sign_after(text[after : after + 8])
    if text[rest:] and not text[rest].isspace():
        reading.unit = reading.cell[rest:].strip()
        reason = f"“{reading.unit}”不是常见的计量单位，按单位读取，请确认。"
        reading.note("unit", FindingCode.UNIT_UNSURE, reason, 0.7, raw=reading.unit)
    elif text[rest:].strip():
        reading.remark = reading.cell[rest:].strip()
        _read_remark(reading)
    return True


def _read_remark(reading: _Reading) -> None:
    """The words after the number: they may name the unit, and may contradict the number."""
    remark = reading.remark or ""
    text = remark.translate(measures.HALF_WIDTH)
    others: list[str] = []
    for match in measures.NUMBER.finditer(text):
        if not measures.is_same_number(measures.plain_number(match[0]), reading.value):
            others.append(match[0])
            continue
        unit = measures.UNIT_END.match(text, match.end())
        if unit and reading.unit is None:
            reading.unit = unit["unit"]
            reason = f"计量单位“{reading.unit}”取自数值后面的说明文字。"
            reading.note("unit", FindingCode.UNIT_FROM_REMARK, reason, 0.9, repaired=reading.unit)
        elif unit and unit["unit"] != reading.unit:
            others.append(match[0] + unit["unit"])
    if others:
        reason = f"说明文字里还有别的数（{'、'.join(others[:5])}），与指标值 {reading.value} 不同，请核对。"
        reading.note("remark", FindingCode.VALUE_CONTRADICTION, reason, 0.6)


def _read_wording(reading: _Reading) -> None:
    text = reading.text
    numbers = list(measures.NUMBER.finditer(text))
    first = numbers[0]
    value = measures.plain_number(first[0])
    if any(not measures.is_same_number(measures.plain_number(other[0]), value) for other in numbers[1:]):
        reading.keep_whole(
            FindingCode.SEVERAL_FIGURES, "一格里有多个数，按原文保留，没有拆出数值和单位，请拆成多项指标。"
        )
        return
    sign = measures.SIGN_BEFORE.search(text, max(0, first.start() - 8), first.start())
    if sign:
        at = sign.start("sign")
        reading.take_sign(sign["sign"], reading.cell[at : at + len(sign["sign"])])
    reading.take_number(*first.span())
    unit = measures.UNIT.match(text, first.end()) or measures.UNIT_END.match(text, first.end())
    if unit:
        start = first.end() + len(unit[0]) - len(unit[0].lstrip())
        reading.take_unit(start, unit.end())
    reading.take_sign_after(text[unit.end() if unit else first.end() :][:8])
    reading.remark = reading.cell
    reason = f"指标值是一句话，数值“{reading.value}”取自其中。"
    reading.note("value", FindingCode.VALUE_FROM_WORDING, reason, 0.8, repaired=reading.value)
    if reading.unit:
        reason = f"计量单位“{reading.unit}”取自这句话里的数后面。"
        reading.note("unit", FindingCode.UNIT_FROM_REMARK, reason, 0.8, repaired=reading.unit)


def _doubt_sign(reading: _Reading) -> None:
    """A scanner reads ≥ as 2: a percent over 200 that is a percent without its 2 is shown to a person, and not changed."""
    rest = measures.LOST_SIGN.fullmatch(reading.text.strip())
    if rest is None or reading.sign is not None:
        return
    reason = f"“{reading.cell}”可能是“≥{rest['rest']}%”（扫描识别常把 ≥ 认成 2）；按原文保留，请对照原件改正或确认。"
    reading.note("value", FindingCode.SIGN_DOUBT, reason, 0.5, repaired=reading.value)


def _own_columns(reading: _Reading, sign_cell: str, unit_cell: str) -> None:
    if sign_cell:
        _own_sign(reading, sign_cell)
    if unit_cell:
        unit = unit_cell.translate(measures.HALF_WIDTH).strip()
        if reading.unit is not None and reading.unit != unit:
            reason = f"指标值里的单位“{reading.unit}”与单位列的“{unit}”不一致，取单位列。"
            reading.note("unit", FindingCode.VALUE_CONTRADICTION, reason, 0.6, repaired=unit)
        elif unit != unit_cell:
            reason = "计量单位里的全角字符已换成半角。"
            reading.note("unit", FindingCode.VALUE_NOTATION, reason, 0.98, raw=unit_cell, repaired=unit)
        reading.unit = unit


def _own_sign(reading: _Reading, sign_cell: str) -> None:
    sign = measures.known_sign(sign_cell)
    if sign is None:
        reason = f"符号列写的是“{sign_cell}”，不是通用的符号，没有写入。"
        reading.note("sign", FindingCode.SIGN_SPELLING, reason, 0.6, raw=sign_cell)
        return
    if reading.sign is not None and reading.sign != sign:
        reason = f"指标值里的符号“{reading.sign}”与符号列的“{sign}”不一致，取符号列。"
        reading.note("sign", FindingCode.VALUE_CONTRADICTION, reason, 0.6, repaired=sign)
    elif sign != sign_cell and reading.sign is None:
        reason = f"符号“{sign_cell}”换成“{sign}”。"
        reading.note("sign", FindingCode.SIGN_SPELLING, reason, 0.95, raw=sign_cell, repaired=sign)
    reading.sign = sign
