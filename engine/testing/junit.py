"""Results of policy tests as JUnit XML, the form that CI servers read.

The layout is the one that Jenkins' xUnit plugin publishes a schema for (`junit-10.xsd`).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from seatwarden.engine.testing.run import CaseResult, TestReport
from seatwarden.grammar.ast import Rule
from seatwarden.policy.loading import CheckedPolicy


def junit_xml(reports: Iterable[TestReport], unreached: Iterable[tuple[CheckedPolicy, Sequence[Rule]]] = ()) -> str:
    """The results as an XML document, a suite for each file; `unreached` rules are failures of their policy's suite."""
    root = Xml.Element("testsuites", name="seatwarden test")
    for report in reports:
        _suite(root, report.file, report.results)
    for policy, rules in unreached:
        results = [CaseResult(f"{rule.title} is reached", rule.place, ("no case reached it",)) for rule in rules]
        _suite(root, policy.file, results)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(root: Xml.Element, file: str, results: Sequence[CaseResult]) -> None:
    failed = sum(not result.passed for result in results)
    name = _clean(Path(file).as_posix())
    counts = {"tests": str(len(results)), "failures": str(failed), "errors": "0", "skipped": "0"}
    suite = Xml.SubElement(root, "testsuite", {"name": name, **counts})
    for result in results:
        case = Xml.SubElement(suite, "testcase", classname=name, name=_clean(result.name))
        if result.problems:
            text = "\n".join([result.place, *result.problems])
            failure = Xml.SubElement(case, "failure", type="unmet", message=_clean(result.problems[0]))
            failure.text = _clean(text)


def _clean(text: str) -> str:
    """Text without what XML cannot hold: control characters, halves of surrogate pairs."""
    keep = "\n\t"
    return "".join(
        c if c in keep or (unicodedata.category(c) not in ("Cc", "Cs") and c not in "\ufffe\uffff") else "\ufffd"
        for c in text
    )
