"""Reading: a budget text in plain text becomes content, with a finding for everything that was repaired or is in doubt."""

from documents.reading.assembling import Reading, read_text
from documents.reading.finding_codes import KINDS, FindingCode
from documents.reading.outline import ContentsEntry

__all__ = ["KINDS", "ContentsEntry", "FindingCode", "Reading", "read_text"]
