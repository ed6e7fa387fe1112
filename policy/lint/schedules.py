"""SW504 to SW509: the schedules beside the rules of a Butler file."""

from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import is_yaml
from seatwarden.policy.loading import CheckedPolicy


def find_schedules(policy: CheckedPolicy) -> list[Diagnostic]:
    """Schedules that never fire, fire all the time, or read otherwise than they look."""
    if not is_yaml(policy) or "frequency" not in policy.source:
        return []
    from seatwarden.policy.butler.licenses import read_jobs  # policy text does not wait for YAML
    from seatwarden.policy.json_form.writer import read_json
    from seatwarden.policy.yaml.nodes import read_yaml
    from seatwarden.policy.yaml.reader import YamlReader

    read = read_json if policy.file.lower().endswith(".json") else read_yaml
    jobs = read_jobs(YamlReader(), read(policy.source, policy.file))
    return [warning for job in jobs.all for warning in job.schedule_warnings()]
