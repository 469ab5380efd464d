"""The codes of what a reader reports: one table of code, severity and title.

Codes are stable: people confirm findings by them and statistics count them, so a code is never given a second meaning.
I00x text and file form, I01x cover, I02x contents list, I03x and I04x narrative, I05x table form, I06x and I07x project values,
I08x and I09x indicator values, I10x and I11x forms of other layouts. An error means that a value could not be read; a warning, that a repair or a doubt
touches the meaning; a hint, that the form was tidied or something was noticed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from models.findings import ReadingFinding, Severity


class FindingCode(StrEnum):
    """Stable code of one kind of reading finding."""

    INVISIBLE_CHARACTER = "I001"
    RADICAL_CHARACTER = "I002"
    PAGE_NUMBER = "I003"
    RULE_LINE = "I004"
    RUNNING_HEAD = "I005"
    SOURCE_LEFT = "I006"
    SOURCE_REMARK = "I007"
    SOURCE_DOUBT = "I008"
    TITLE_BLANKS = "I011"
    DRAFT_MARK = "I012"
    FISCAL_YEAR = "I013"
    DEPARTMENT_NAME = "I014"
    COVER_LINE = "I015"
    COVER_MISSING = "I016"
    CONTENTS_ENTRY_WITHOUT_HEADING = "I021"
    HEADING_WITHOUT_CONTENTS_ENTRY = "I022"
    CONTENTS_MISSING = "I023"
    CONTENTS_LINE = "I024"
    NUMBERING_STYLE = "I031"
    NUMBERING_GAP = "I032"
    SECTION_MISSING = "I033"
    HEADING_WORDING = "I034"
    HEADING_INLINE = "I035"
    LABEL_TYPO = "I036"
    LABEL_MISSING = "I037"
    SENTENCE_JOINED = "I038"
    TEXT_NOT_PLACED = "I039"
    PROJECT_LINK = "I040"
    DOUBLED_CHARACTER = "I041"
    PROJECT_LINK_WRITTEN = "I042"
    ROW_PADDED = "I051"
    CELL_JOINED = "I052"
    ROW_SHIFTED = "I053"
    HEADER_REPEATED = "I054"
    CELL_NOT_PLACED = "I055"
    COLUMN_UNKNOWN = "I056"
    ROW_EMPTY = "I057"
    ROW_CONTINUED = "I058"
    PROJECT_NAME = "I059"
    PROJECT_CODE = "I061"
    PROJECT_CODE_LETTER_O = "I062"
    PROJECT_CODE_MALFORMED = "I063"
    UNIT_LINE = "I064"
    DEPARTMENT_CODE = "I065"
    MONEY_UNIT_MISSING = "I066"
    MONEY_CONVERTED = "I067"
    MONEY_NOTATION = "I068"
    MONEY_UNREADABLE = "I069"
    PLAN_PAIRING = "I071"
    PERCENT_UNREADABLE = "I072"
    PERCENT_NOTATION = "I073"
    GOAL_NUMBERING = "I074"
    GOAL_CONTINUED = "I075"
    VALUE_NOTATION = "I081"
    UNIT_FROM_REMARK = "I082"
    VALUE_FROM_WORDING = "I083"
    SEVERAL_FIGURES = "I084"
    SIGN_SPELLING = "I085"
    SIGN_MISSING = "I086"
    RANGE = "I087"
    QUALITATIVE = "I088"
    DIRECTION_DERIVED = "I089"
    VALUE_CONTRADICTION = "I090"
    VALUE_EMPTY = "I091"
    UNIT_UNSURE = "I092"
    DIRECTION_SPELLING = "I093"
    WEIGHT_UNREADABLE = "I094"
    SIGN_DOUBT = "I095"
    VALUE_FUSED = "I096"
    LAYOUT = "I101"
    SEPARATOR_MISSING = "I102"
    ORDER_ONLY = "I103"
    GOAL_PERIOD = "I104"
    CHECK_MARK = "I105"
    DATE_NOTATION = "I106"
    LEVEL_BROKEN = "I107"
    LEVEL_POINTS = "I108"
    CORE_MARK = "I109"
    PART_OF = "I110"
    NOISE = "I111"
    TRADITIONAL = "I112"
    AMOUNT_SHARED = "I113"
    SCANNED = "I114"
    DEPARTMENT_CHOSEN = "I115"


_HINT, _WARNING, _ERROR = Severity.HINT, Severity.WARNING, Severity.ERROR

KINDS: Final[dict[FindingCode, tuple[Severity, str]]] = {
    FindingCode.INVISIBLE_CHARACTER: (_HINT, "去掉看不见的字符"),
    FindingCode.RADICAL_CHARACTER: (_HINT, "部首字符换成汉字"),
    FindingCode.PAGE_NUMBER: (_HINT, "略去页码"),
    FindingCode.RULE_LINE: (_HINT, "略去分隔线"),
    FindingCode.RUNNING_HEAD: (_HINT, "略去页眉"),
    FindingCode.SOURCE_LEFT: (_WARNING, "原文有没有读入的部分"),
    FindingCode.SOURCE_REMARK: (_HINT, "文件形式说明"),
    FindingCode.SOURCE_DOUBT: (_WARNING, "文件形式使内容存疑"),
    FindingCode.TITLE_BLANKS: (_HINT, "标题去掉空白"),
    FindingCode.DRAFT_MARK: (_HINT, "封面有稿本标记"),
    FindingCode.FISCAL_YEAR: (_WARNING, "财政年度存疑"),
    FindingCode.DEPARTMENT_NAME: (_WARNING, "编制部门名称不一"),
    FindingCode.COVER_LINE: (_HINT, "封面文字无处可放"),
    FindingCode.COVER_MISSING: (_WARNING, "封面缺项"),
    FindingCode.CONTENTS_ENTRY_WITHOUT_HEADING: (_WARNING, "目录条目在正文中找不到"),
    FindingCode.HEADING_WITHOUT_CONTENTS_ENTRY: (_WARNING, "正文标题不在目录中"),
    FindingCode.CONTENTS_MISSING: (_WARNING, "没有目录"),
    FindingCode.CONTENTS_LINE: (_HINT, "目录中有未能识别的行"),
    FindingCode.NUMBERING_STYLE: (_HINT, "编号写法不一"),
    FindingCode.NUMBERING_GAP: (_WARNING, "编号不连续"),
    FindingCode.SECTION_MISSING: (_WARNING, "缺少章节"),
    FindingCode.HEADING_WORDING: (_WARNING, "章节标题写法不同"),
    FindingCode.HEADING_INLINE: (_WARNING, "标题与正文在同一行"),
    FindingCode.LABEL_TYPO: (_WARNING, "标签有错漏字"),
    FindingCode.LABEL_MISSING: (_HINT, "缺少标签"),
    FindingCode.SENTENCE_JOINED: (_HINT, "接上被分页断开的句子"),
    FindingCode.TEXT_NOT_PLACED: (_WARNING, "文字无处可放"),
    FindingCode.PROJECT_LINK: (_WARNING, "推定分项目标与项目的对应"),
    FindingCode.DOUBLED_CHARACTER: (_HINT, "可能有叠字"),
    FindingCode.PROJECT_LINK_WRITTEN: (_HINT, "原文写明分项目标对应的项目"),
    FindingCode.ROW_PADDED: (_HINT, "表格行补齐制表符"),
    FindingCode.CELL_JOINED: (_HINT, "接上被换行断开的单元格"),
    FindingCode.ROW_SHIFTED: (_WARNING, "单元格错列"),
    FindingCode.HEADER_REPEATED: (_HINT, "略去重复的表头"),
    FindingCode.CELL_NOT_PLACED: (_WARNING, "单元格无处可放"),
    FindingCode.COLUMN_UNKNOWN: (_HINT, "未识别的列"),
    FindingCode.ROW_EMPTY: (_HINT, "只有类别的空行"),
    FindingCode.ROW_CONTINUED: (_WARNING, "接上续行"),
    FindingCode.PROJECT_NAME: (_WARNING, "项目名称与表题不一"),
    FindingCode.PROJECT_CODE: (_WARNING, "项目编码已整理"),
    FindingCode.PROJECT_CODE_LETTER_O: (_WARNING, "项目编码含字母O"),
    FindingCode.PROJECT_CODE_MALFORMED: (_WARNING, "项目编码不合规则"),
    FindingCode.UNIT_LINE: (_WARNING, "单位编码和名称存疑"),
    FindingCode.DEPARTMENT_CODE: (_HINT, "部门编码取自单位编码"),
    FindingCode.MONEY_UNIT_MISSING: (_WARNING, "没有写金额单位"),
    FindingCode.MONEY_CONVERTED: (_HINT, "金额换算为元"),
    FindingCode.MONEY_NOTATION: (_HINT, "金额写法已整理"),
    FindingCode.MONEY_UNREADABLE: (_ERROR, "金额读不出"),
    FindingCode.PLAN_PAIRING: (_WARNING, "支出计划对应存疑"),
    FindingCode.PERCENT_UNREADABLE: (_ERROR, "百分数读不出"),
    FindingCode.PERCENT_NOTATION: (_HINT, "百分数写法已整理"),
    FindingCode.GOAL_NUMBERING: (_WARNING, "绩效目标编号存疑"),
    FindingCode.GOAL_CONTINUED: (_HINT, "接上绩效目标的续行"),
    FindingCode.VALUE_NOTATION: (_HINT, "指标值写法已整理"),
    FindingCode.UNIT_FROM_REMARK: (_HINT, "计量单位取自说明文字"),
    FindingCode.VALUE_FROM_WORDING: (_WARNING, "指标值取自文字"),
    FindingCode.SEVERAL_FIGURES: (_WARNING, "一格有多个数"),
    FindingCode.SIGN_SPELLING: (_HINT, "符号换成标准写法"),
    FindingCode.SIGN_MISSING: (_WARNING, "没有写符号"),
    FindingCode.RANGE: (_HINT, "读作区间"),
    FindingCode.QUALITATIVE: (_HINT, "读作定性指标"),
    FindingCode.DIRECTION_DERIVED: (_HINT, "指标方向按符号推定"),
    FindingCode.VALUE_CONTRADICTION: (_WARNING, "指标值前后不一"),
    FindingCode.VALUE_EMPTY: (_HINT, "指标值为空"),
    FindingCode.UNIT_UNSURE: (_HINT, "计量单位不常见"),
    FindingCode.DIRECTION_SPELLING: (_HINT, "指标方向换成标准写法"),
    FindingCode.WEIGHT_UNREADABLE: (_ERROR, "权重读不出"),
    FindingCode.SIGN_DOUBT: (_WARNING, "符号疑似被认错"),
    FindingCode.VALUE_FUSED: (_ERROR, "几个数粘在一起"),
    FindingCode.LAYOUT: (_HINT, "按哪种版式读取"),
    FindingCode.SEPARATOR_MISSING: (_WARNING, "没有分隔，按标签切开"),
    FindingCode.ORDER_ONLY: (_WARNING, "只按先后次序对应"),
    FindingCode.GOAL_PERIOD: (_WARNING, "绩效目标期间不明"),
    FindingCode.CHECK_MARK: (_HINT, "勾选项读作文字"),
    FindingCode.DATE_NOTATION: (_HINT, "日期换成标准写法"),
    FindingCode.LEVEL_BROKEN: (_WARNING, "指标类别补全"),
    FindingCode.LEVEL_POINTS: (_HINT, "指标类别后有分值范围"),
    FindingCode.CORE_MARK: (_HINT, "★读作核心指标"),
    FindingCode.PART_OF: (_WARNING, "“其中”归于上一项指标"),
    FindingCode.NOISE: (_HINT, "略去不属于表的文字"),
    FindingCode.TRADITIONAL: (_WARNING, "繁体字换成简体字"),
    FindingCode.AMOUNT_SHARED: (_WARNING, "金额归属存疑"),
    FindingCode.SCANNED: (_WARNING, "文字疑似识别有误"),
    FindingCode.DEPARTMENT_CHOSEN: (_WARNING, "文件里有几个部门，只读了一个"),
}


def finding(
    code: FindingCode,
    place: str,
    raw: str,
    reason: str,
    confidence: float,
    *,
    repaired: str | None = None,
    line: int | None = None,
) -> ReadingFinding:
    """A finding of the kind ``code`` with the severity that the table gives it."""
    return ReadingFinding(
        code=code.value,
        severity=KINDS[code][0],
        place=place,
        raw=raw,
        reason=reason,
        confidence=confidence,
        repaired=repaired,
        line=line,
    )
