"""SW211 to SW213 and SW504 to SW509: what stands beside the rules of a Butler file, and how old its form is."""

from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import is_yaml
from seatwarden.policy.loading import CheckedPolicy


def find_settings(policy: CheckedPolicy) -> list[Diagnostic]:
    """Settings of an older form, that nobody reads or that are switched off and wrong; schedules that never fire,
    fire all the time, or read otherwise than they look."""
    if not is_yaml(policy):
        return []
    from seatwarden.policy.butler.licenses import read_jobs  # policy text does not wait for YAML
    from seatwarden.policy.butler.sections import find_unread
    from seatwarden.policy.json_form.writer import is_json_form, read_json
    from seatwarden.policy.yaml.nodes import read_yaml
    from seatwarden.policy.yaml.reader import YamlReader

    read = read_json if policy.file.lower().endswith(".json") else read_yaml
    root = read(policy.source, policy.file)
    if is_json_form(root):
        return []
    reader = YamlReader()
    jobs = read_jobs(reader, root)
    find_unread(reader, root)
    warnings = [warning for job in jobs.all for warning in job.schedule_warnings()]
    return [*policy.warnings, *reader.warnings, *warnings]
