"""A matrix for a CI server: JUnit XML, a test case a row."""

import re
from xml.etree import ElementTree as ET

from dlqlab.torture.judged import Outcome
from dlqlab.torture.result import Answer, Result

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {Outcome.BROKEN: "failure", Outcome.UNKNOWN: "error", Outcome.UNTOUCHED: "error"}


def to_junit(result: Result) -> str:
    """Broken is a failure; unknown, and a row that struck nothing, an error."""
    tags = [_TAGS.get(one.outcome) for one in result.answers]
    counts = {"tests": str(len(tags)), "failures": str(tags.count("failure")), "errors": str(tags.count("error"))}
    root = ET.Element("testsuites", {"name": "dlqlab", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": _clean(f"{result.name} torture"), **counts})
    for one in result.answers:
        case = ET.SubElement(
            suite, "testcase", {"classname": "dlqlab.torture", "name": one.name, "time": f"{one.took_s:.1f}"}
        )
        tag = _TAGS.get(one.outcome)
        said = {"message": _clean(one.reason), "type": str(one.outcome)} if tag else {}
        child = ET.SubElement(case, tag or "system-out", said)
        child.text = _clean("\n".join(_lines(one)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _lines(one: Answer) -> list[str]:
    found = [f"{one.what}: {one.outcome}, {one.strikes} strikes"]
    found += [f"{harm.name} ({len(harm.messages)}): {', '.join(harm.messages[:20])}" for harm in one.harms]
    return [*found, *([one.remedy] if one.remedy else [])]


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
