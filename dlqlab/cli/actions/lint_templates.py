"""What the rules say about templates, and where in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlqlab.deploy.templates import templates_of
from dlqlab.lint.rule import Finding, LintResult, lint, lint_topology
from dlqlab.lint.rules import RULES, TOPOLOGY_RULES
from dlqlab.lint.sarif import Result
from dlqlab.lint.template import of_template
from dlqlab.templates.pipeline import name_of, topology, unclear
from dlqlab.templates.resources import Resource, Template

UNREAD = "queue-unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What the rules say about one subject.

    ``notes`` tell what was not checked; ``template`` is where its resources stand, None for scenarios and stacks.
    """

    result: LintResult
    notes: tuple[str, ...] = ()
    template: Template | None = None


def of_templates(path: Path) -> list[Linted]:
    """The rules about how each template's pipeline hangs together, then about each queue with a consumer.

    Raises:
        UsageError: there is no template.
    """
    found = []
    for template in templates_of(path):
        pipeline = topology(template)
        settings, notes = of_template(template, pipeline)
        whole = lint_topology(pipeline, TOPOLOGY_RULES, subject=str(template.file))
        whole = _known_only(whole, unclear(template), pipeline.queue_names)
        found.append(Linted(result=whole, notes=tuple(notes), template=template))
        found += [Linted(result=lint(one, RULES), template=template) for one in settings]
    return found


def _known_only(result: LintResult, queues: set[str], names: Mapping[str, str]) -> LintResult:
    """Without statements that nothing reads a queue, where what reads it is not known."""
    told = {names[queue] for queue in queues}
    kept = [one for one in result.findings if one.rule.id != UNREAD or one.statement.split()[0] not in told]
    unchecked = (*result.unchecked, UNREAD) if len(kept) < len(result.findings) else result.unchecked
    return replace(result, findings=tuple(kept), unchecked=unchecked)


def sarif_results(linted: Sequence[Linted]) -> Iterator[Result]:
    """Each finding at the line of the resource that its statement names first."""
    for one in linted:
        for finding in one.result.findings:
            resource = place_of(one, finding)
            yield Result(
                rule=finding.rule.id,
                severity=str(finding.rule.severity),
                text=finding.statement,
                why=finding.rule.why,
                remedy=finding.rule.remedy,
                file=one.template.file if one.template else None,
                line=resource.line if resource else None,
            )


def place_of(one: Linted, finding: Finding) -> Resource | None:
    """The resource that a statement names first; where it names none, the one that the whole is about."""
    named: list[tuple[int, int, Resource]] = []
    for resource in one.template.resources if one.template else ():
        for text, base in ((finding.statement, 0), (one.result.subject, 1_000_000)):
            for name in {resource.logical_id, name_of(resource)}:
                at = _position(name, text)
                if at is not None:
                    named.append((base + at, -len(name), resource))
    return min(named, key=lambda each: each[:2], default=(0, 0, None))[2]


def _position(name: str, text: str) -> int | None:
    """Where a text has a name as a whole word."""
    at = f" {text} ".replace(":", " ").replace(",", " ").find(f" {name} ")
    return None if at < 0 else at
