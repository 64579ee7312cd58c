"""A verdict for other programs: JUnit XML for a CI server, GitHub-flavoured Markdown for a job summary."""

import re
from xml.etree import ElementTree as ET

from dlqlab.contracts.verdict import Check, Status, Verdict

MEMBERS_SHOWN = 20
"""Members of a set that are shown; verdict.json has them all."""
_MARKS = {Status.VALID: "✅", Status.INVALID: "❌", Status.UNKNOWN: "❔"}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped; error texts and task ids may have them."""


def worst(check: Check) -> dict[str, tuple[str, ...]]:
    """The first members of the sets that speak against the check."""
    return {name: members[:MEMBERS_SHOWN] for name, members in check.against.items()}


def to_junit(verdict: Verdict) -> str:
    """One test case a check: invalid is a failure, unknown an error; a skipped test would pass unseen."""
    invalid = sum(check.status is Status.INVALID for check in verdict.checks)
    unknown = sum(check.status is Status.UNKNOWN for check in verdict.checks)
    counts = {"tests": str(len(verdict.checks)), "failures": str(invalid), "errors": str(unknown)}
    root = ET.Element("testsuites", {"name": "dlqlab", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": _clean(verdict.run_id), **counts})
    properties = ET.SubElement(suite, "properties")
    for name, value in (("status", str(verdict.status)), ("finished", str(verdict.finished).lower())):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for check in verdict.checks:
        case = ET.SubElement(suite, "testcase", {"classname": "dlqlab.verdict", "name": check.name})
        if check.status is Status.VALID:
            ET.SubElement(case, "system-out").text = _clean(check.statement)
        else:
            tag = "failure" if check.status is Status.INVALID else "error"
            outcome = ET.SubElement(case, tag, {"message": _clean(check.statement), "type": str(check.status)})
            outcome.text = _clean("\n".join(_member_lines(check)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def to_markdown(verdict: Verdict) -> str:
    """A heading with the status, a table of the checks, and the worst members of those that are not valid."""
    lines = [f"## {_MARKS[verdict.status]} {_cell(verdict.run_id)}: {verdict.status}", ""]
    if not verdict.finished:
        lines += ["The run did not finish.", ""]
    lines += ["| | Check | Statement |", "|---|---|---|"]
    lines += [
        f"| {_MARKS[check.status]} | {_cell(check.title)} | {_cell(check.statement)} |" for check in verdict.checks
    ]
    for check in verdict.checks:
        members = _member_lines(check)
        if members:
            lines += [
                "",
                f"<details><summary>{_cell(check.title)}</summary>",
                "",
                *(f"- {_cell(line)}" for line in members),
            ]
            lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _member_lines(check: Check) -> list[str]:
    return [
        f"{name} ({len(check.members[name]):,}): {', '.join(members)}"
        + (" ..." if len(check.members[name]) > len(members) else "")
        for name, members in worst(check).items()
    ]


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _cell(text: str) -> str:
    """Text that cannot break out of a table cell or become markup: ids and error texts come from outside."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", flat)
