"""What pydantic objects to, in Chinese: content and definition report their mistakes with the same words."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

# By pydantic's error type; the names in braces are its context. A type that is not here keeps pydantic's own words.
_WORDS: Final = {
    "missing": "缺少这一项",
    "extra_forbidden": "不是格式中的成员",
    "string_type": "应为文字",
    "string_unicode": "不是完整的文字",
    "string_pattern_mismatch": "写法应符合 {pattern}",
    "string_too_short": "不能为空",
    "string_too_long": "最多 {max_length} 个字",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "数太大",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数",
    "decimal_type": "应为数字",
    "decimal_parsing": "应为数字",
    "enum": "应为 {expected}",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "literal_error": "应为 {expected}",
    "tuple_type": "应为数组",
    "too_short": "至少要有 {min_length} 项",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "invalid_key": "成员名应为文字",
    "value_error": "{error}",
}


def problems_of(error: ValidationError) -> list[tuple[tuple[str, ...], str]]:
    """Each mistake as (the members that lead to it, what is wrong with it)."""
    out = []
    for item in error.errors(include_url=False, include_input=False):
        context: dict[str, Any] = dict(item.get("ctx", {}))
        if "expected" in context:
            context["expected"] = context["expected"].replace(" or ", "、").replace(", ", "、").replace("'", "")
        words = _WORDS.get(item["type"])
        out.append((tuple(map(str, item["loc"])), words.format(**context) if words else item["msg"]))
    return out
