"""SW504 to SW509: the schedules beside the rules of a Butler file."""

from policy.diagnostics import Diagnostic
from policy.lint.findings import is_yaml
from policy.loading import CheckedPolicy


def find_schedules(policy: CheckedPolicy, source: str) -> list[Diagnostic]:
    """Schedules that never fire, fire all the time, or read otherwise than they look."""
    if not is_yaml(policy) or "frequency" not in source:
        return []
    from policy.butler_settings import read_jobs  # policy text does not wait for YAML
    from policy.json_form import read_json
    from policy.yaml_nodes import read_yaml
    from policy.yaml_reader import YamlReader

    read = read_json if policy.file.lower().endswith(".json") else read_yaml
    jobs = read_jobs(YamlReader(), read(source, policy.file))
    return [warning for job in jobs.all for warning in job.schedule_warnings()]
