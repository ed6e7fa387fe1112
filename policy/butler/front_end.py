"""The Butler YAML front end: `neverRelease` and `licenseType` settings compile into the policy tree.

Three forms are read: a whole Butler config file, its `qlikSenseLicense` block alone, and a bare
`licenseRelease` map. The first two must be complete, as Butler 16 demands; a bare map may leave out what a
policy does not need. Rules are named by their key and stand in the order in which Butler tests them.
Comparison is exact (`==`), as in Butler.
"""

from seatwarden.grammar.ast import Policy, Statement
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.butler.licenses import COMPLETE_RELEASE, LICENSES, RELEASE, let_schedule_be
from seatwarden.policy.butler.older import todays_form
from seatwarden.policy.butler.sections import SITE_KEYS, butler_section, butler_sections, inner, our_section
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.masks import shown_source
from seatwarden.policy.yaml.nodes import Node, YamlMap, read_yaml
from seatwarden.policy.yaml.reader import YamlReader, describe

_MARKERS = ("neverRelease", "licenseType")
_STATEMENTS = ("timezone", "limit", "let", "days", "conditions", "set", "guarantees", *_MARKERS)
"""The settings that become statements, in the order of these."""


def parse_butler(text: str, file: str) -> Policy:
    """The policy that Butler's settings in `text` mean. Raises PolicyError with every problem found."""
    return read_butler(read_yaml(text, file), text, file)[0]


def read_butler(root: Node, text: str, file: str) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy of a file that is read into nodes already, and what is said of it that stops nothing: forms of an
    older Butler, what is wrong in what is switched off. `text` is shown beside problems. Raises PolicyError."""
    front_end = _FrontEnd()
    statements = front_end.read(todays_form(front_end, root))
    if front_end.findings:
        raise PolicyError(in_order(front_end.findings), {file: shown_source(text)})
    return Policy(tuple(statements)), in_order(front_end.warnings)


class _FrontEnd(YamlReader):
    def read(self, root: Node) -> list[Statement]:
        """The statements of any of the three forms."""
        found = self._find_license_release(root)
        if found is None:
            return []
        node, complete = found
        first = len(self.findings)
        release = (COMPLETE_RELEASE if complete else RELEASE).read(self, node, "licenseRelease")
        if release:
            let_schedule_be(self, release.map, first)
        return [statement for key in _STATEMENTS for statement in release[key]] if release else []

    def _rules_are_elsewhere(self, root: YamlMap) -> bool:
        """Whether this is a site file that names a policy and has no rules of its own, which is a finding."""
        named = inner(our_section(root), "policy")
        if named is None:
            return False
        block = butler_section(root, "qlikSenseLicense")
        release = inner(block, "licenseRelease") if block else root.get("licenseRelease")
        if any(root.get(key) or inner(release, key) for key in _MARKERS):
            return False
        self.error("SW209", "this site file is no policy", named.key.span, "it names one", "name that file instead")
        return True

    def _find_license_release(self, root: Node) -> tuple[Node, bool] | None:
        """The licenseRelease map, and whether it stands in a form that must be complete."""
        if not isinstance(root, YamlMap):
            help_ = "it starts with `Butler:`, `qlikSenseLicense:` or `neverRelease:`"
            self.error("SW209", "this is not a policy", root.span, f"expected a map, this is {describe(root)}", help_)
            return None
        if self._rules_are_elsewhere(root):
            return None
        butler = root.get("Butler")
        block = butler_sections(root)
        if butler and not isinstance(block, YamlMap):
            self.unlike(block, "Butler", "a map")
            return None
        licenses = block.get("qlikSenseLicense") if isinstance(block, YamlMap) else None
        if licenses is not None:
            # A whole file may come from an older Butler, which had no serverLicenseMonitor, or be one's own site file.
            whole = butler or any(root.get(key) for key in SITE_KEYS)
            older = any(warning.code == "SW211" for warning in self.warnings)
            required = ("licenseRelease",) if whole or older else LICENSES.keys
            read = LICENSES.read(self, licenses.value, "qlikSenseLicense", required)
            return (read["licenseRelease"].value, True) if read and read["licenseRelease"] else None
        if butler:
            message = "this Butler config has no `qlikSenseLicense` settings"
            self.error("SW209", message, butler.key.span, "nothing to read in here")
            return None
        bare = root.get("licenseRelease")
        if bare is not None:
            # A site file of one's own may have the rules in it, without Butler's frame.
            self.mapping(root, "the file", known=("licenseRelease", *SITE_KEYS))
            return bare.value, False
        if not any(root.get(key) for key in _MARKERS):
            self._no_settings(root)
            return None
        return root, False

    def _no_settings(self, root: YamlMap) -> None:
        """Note that nothing in there is about licenses; a key may be mistyped."""
        known = ("Butler", "qlikSenseLicense", "licenseRelease", *_MARKERS)
        empty = next((entry for key in known if (entry := root.written(key))), None)
        if empty:
            help_ = f"the settings of `{empty.key.text}` stand below it, indented"
            self.error("SW209", "this is not a policy", empty.key.span, "nothing stands behind it", help_)
            return
        near = (hint for entry in root.entries if (hint := did_you_mean(entry.key.text, known)))
        help_ = next(near, "it has `Butler:`, `qlikSenseLicense:`, `licenseRelease:` or `licenseType:` at the top")
        self.error("SW209", "this is not a policy", root.start, "no license settings here", help_)
