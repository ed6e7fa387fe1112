"""The texts of a first policy and a first site file: their reader's own from then on, so they explain themselves."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from seatwarden.engine.starter.answers import Answers, text_list
from seatwarden.grammar.formatter import format_policy
from seatwarden.grammar.printer import quote
from seatwarden.policy.yaml.text import yaml_text

POLICY_NAME, TEST_NAME, SITE_NAME = "license.policy", "license.test.yaml", "site.yaml"

_HEAD = """\
# Which Qlik Sense licenses are given back after disuse, and which are kept. Keep beats release.
# Change it as you like, and then: seatwarden lint license.policy, seatwarden test
timezone {timezone}

# A site that was never cleaned up has many to release: so many in one run, the rest in the next ones.
limit release to {limit} per run, longest unused first
"""
_GUARANTEES = """
# What the rules below must come to, whoever changes them. Each plan proves it; where it does not hold, nothing is
# released.
"""
_ADMINISTRATORS = """
# Whoever administers Qlik Sense is asked before, not afterwards.
keep "administrators" when user.roles = "RootAdmin"
"""
_DIRECTORIES = """
# Nobody of these user directories is touched. INTERNAL has Qlik Sense's own service accounts.
keep "protected directories" when user.userDirectory = {directories}
"""
_TAG = """
# Whoever must keep a license gets this tag in the QMC, under Users.
keep "marked in the QMC" when user.tags = {tag}
"""
_RELEASE = """
# Days without use; a license that was never used counts from the day it was allocated. To tell people two weeks
# before, and to keep who comes back: write `after notice of 14 days` below a rule, and `notice` in the site file.
"""
_RELEASE_TYPE = "release {license_type} when unused for {days} days\n"

_SITE = """\
# The way to Qlik Sense, and what is done there. Try it: seatwarden site check --site site.yaml
configQRS:
  authentication: certificates
  # The central node, by the name in its certificate.
  host: {host}
  port: 4242
  headers:
    static:
      # The user that seatwarden acts as.
      - name: X-Qlik-User
        value: UserDirectory=INTERNAL;UserId=sa_api
cert:
  # QMC, Certificates: exported in PEM format for the machine that seatwarden runs on. Relative paths start here.
  clientCert: {client}
  clientCertKey: {key}
  clientCertCA: {root}
  # If the key was exported with a password, it comes from the environment:
  # clientCertPassphrase: ${{QLIK_KEY_PASSPHRASE}}

qlikSenseLicense:
  licenseRelease:
    enable: true
    # `seatwarden run` and `serve` only plan as long as this is true.
    dryRun: true
    frequency: every 24 hours

seatwarden:
  policy: {policy}
  # Plans and what became of them. They name people: keep the folder where such data may be kept.
  folder: records
  # To tell people before a release, where the policy says `after notice of …`. All to yourself, while you try:
  # notice:
  #   email: {{host: smtp.example.com, from: qlik@example.com}}
  #   redirectTo: you@example.com
"""


def starter_policy(answers: Answers) -> str:
    """The policy, in the one layout."""
    head = _HEAD.format(timezone=quote(answers.timezone), limit=answers.limit)
    parts = [head, _GUARANTEES, *_promises(answers), _ADMINISTRATORS]
    if answers.directories:
        parts.append(_DIRECTORIES.format(directories=text_list(answers.directories)))
    if answers.tag is not None:
        parts.append(_TAG.format(tag=quote(answers.tag)))
    parts.append(_RELEASE)
    for license_type, days in _days_of_types(answers):
        if days is not None:
            parts.append(_RELEASE_TYPE.format(license_type=license_type, days=days))
    return format_policy("".join(parts), POLICY_NAME)


def _promises(answers: Answers) -> Iterator[str]:
    """The guarantees: what the answers say of protection and of days."""
    yield 'guarantee "administrators" never release when user.roles = "RootAdmin"\n'
    if answers.directories:
        directories = text_list(answers.directories)
        yield f'guarantee "protected directories" never release when user.userDirectory = {directories}\n'
    if answers.tag is not None:
        yield f'guarantee "marked in the QMC" never release when user.tags = {quote(answers.tag)}\n'
    for license_type, days in _days_of_types(answers):
        when = f" before {days} days" if days is not None else ""
        yield f'guarantee "{license_type}" never release {license_type}{when}\n'


def _days_of_types(answers: Answers) -> tuple[tuple[str, int | None], ...]:
    return ("analyzer", answers.analyzer_days), ("professional", answers.professional_days)


def starter_site(answers: Answers) -> str:
    """The site file, which stands beside the policy."""
    folder = answers.certificates
    windows = "\\" in folder or re.match("[A-Za-z]:", folder)
    path = PureWindowsPath(folder) if windows else PurePosixPath(folder)
    client, key, root = (yaml_text(str(path / name)) for name in ("client.pem", "client_key.pem", "root.pem"))
    return _SITE.format(host=yaml_text(answers.host), client=client, key=key, root=root, policy=POLICY_NAME)
