"""The site of the demo's second story, told before it happens: fewer people, a rule with a notice, a mail server."""

from datetime import datetime
from pathlib import Path
from typing import Any

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.demo.files import SEED
from seatwarden.engine.demo.people import SMALLEST_SITE, demo_site

CLAUSE = """\
release analyzer when unused for 60 days
  after notice of 14 days, reminder 3 days before
"""
NOTICE_DAYS, REMINDED_DAY, BACK_DAY = 14, 11, 5
"""The days of the story, counted from the one on which people are told."""
COMES_BACK, IS_RESTORED = "efernandez", "rcohen"
"""Two of those who are told, by user id: one opens Qlik Sense in time, one asks for the license later."""

_CONFIG_NAME, _POLICY_NAME = "told.yaml", "told.policy"
_POLICY = f"""\
# Written anew by each demo: people are told two weeks before their license is released.
limit release to 50 per run, longest unused first

keep "protected directories" when user.userDirectory = ["INTERNAL", "ADMIN"]
keep "marked in the QMC" when user.@LicenseManage = "do-not-release"

{CLAUSE}"""
_CONFIG = """\
# Written anew by each demo. The Qlik Sense site and the mail server are simulated, and gone when the demo ends.
configQRS:
  authentication: certificates
  host: localhost
  useSSL: true
  port: {port}
  headers:
    static:
      - name: X-Qlik-User
        value: UserDirectory=Internal;UserId=sa_repository
cert:
  clientCert: certificates/client.pem
  clientCertKey: certificates/client_key.pem
  clientCertCA: certificates/root.pem
seatwarden:
  policy: {policy}
  folder: {folder}
  history: {{keep: false}}
  notice:
    email: {{host: 127.0.0.1, port: {mail_port}, security: none, from: Qlik Sense <qlik@example.com>}}
    contact: IT service desk, 4711
"""


def told_site(now: datetime) -> dict[str, Any]:
    """The people of the story as of `now`, which has a time zone: those whom every demo site has."""
    return demo_site(seed=SEED, now=now, users=SMALLEST_SITE)


def write_told_files(folder: Path, *, port: int, mail_port: int, name: str) -> Path:
    """Writes site file and policy beside the demo's certificates, and returns the path of the site file.

    The registers go into the folder `name`. It has to be another one in each demo: the story begins two weeks ago, and
    no register takes a step back in time.
    """
    text = _CONFIG.format(port=port, mail_port=mail_port, policy=_POLICY_NAME, folder=name)
    write_atomically(folder / _POLICY_NAME, _POLICY.encode(), mode=0o666)
    config = told_config_in(folder)
    write_atomically(config, text.encode(), mode=0o666)
    return config


def told_config_in(folder: Path) -> Path:
    """The site file of the story in a folder."""
    return folder / _CONFIG_NAME


def open_qlik_sense(site: dict[str, Any], user_id: str, at: str) -> None:
    """Somebody uses their license in a site as QRS has it; `at` is a timestamp as QRS writes it."""
    for row in site["licenses"]["analyzer"]:
        if row["user"] and row["user"]["userId"] == user_id:
            row["lastUsed"] = row["modifiedDate"] = at
