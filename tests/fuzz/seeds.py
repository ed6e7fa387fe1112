"""What fuzzing starts from: real files for each target, and the words that are worth putting together."""

from collections.abc import Mapping

from tests.fuzz.targets import POLICY, SNAPSHOT
from tests.paths import EXAMPLES

_CASES = """policy: q.policy
now: 2026-11-21
cases:
  - {name: a, user: {tags: [vip], properties: {A: b}}, license: {type: analyzer, lastUsed: never}, verdict: keep}
"""
_EXPECT = "policy: q.policy\nsnapshot: q.json\nexhaustive: true\nexpect:\n  - {user: B\\a, verdict: keep, rule: vips}\n"
_SITE = """Butler:
  configQRS: {authentication: certificates, host: q, port: 4242, useSSL: true, headers: {static: [{name: a, value: b}]}}
  cert: {clientCert: a.pem, clientCertKey: b.pem, clientCertCA: c.pem}
"""
_BARE = """neverRelease: {tag: &t [a, b], user: [{userDir: A, userId: b}], when: [{name: n, when: user.tags = "x"}]}
licenseType: {analyzer: {enable: true, releaseThresholdDays: 30, neverUsed: keep, when: month = 5}}
timezone: Europe/Stockholm
limit: [10% of analyzer, 5]
days: {grace: 2 weeks}
conditions: {gone: user.inactive or today from 12-15 to 01-10 and user.createdDate > today - grace}
"""
_NASTY = (
    SNAPSHOT.replace(b'"tags": []', b'"tags": 5, "roles": null, "customProperties": [{"value": "x"}]')
    .replace(b'"quarantined": false', b'"quarantined": 1, "lastUsed": 1e999')
    .replace(b'"professional": []', b'"professional": [{"id": "m", "lastUsed": [], "user": null}]')
)


def _texts(pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(EXAMPLES.glob(pattern))]


SEEDS: Mapping[str, list[bytes]] = {
    # The text stands in no folder there, so it cannot read lists from files.
    "policy_text": [*(text for text in _texts("*.policy") if b"\nset " not in text), POLICY.encode()],
    "butler_yaml": [*_texts("butler.yaml"), _BARE.encode()],
    "policy_file": [*_texts("both-types.policy"), POLICY.encode("utf-16")],
    "site_file": [_SITE.encode()],
    "policy_test": [_CASES.encode(), _EXPECT.encode()],
    "snapshot": [SNAPSHOT, _NASTY],
}

_POLICY_WORDS = """
keep release when until let set from timezone limit to of per run longest unused first for never used days
weeks professional analyzer true false and or not like user license today month weekday && || ! user.tags user.@
user.attributes. license.unusedDays user.licenses = != == !== < <= > >= ( ) [ ] , % . " ' "" # 2026-02-30 2026-12-24
+ - 12-15 as dates regardless use after notice reminder before
guarantee always both types without 999999999 \\ ſ İ \0 \ufeff"""
_YAML_WORDS = """
& * ! !! | > ? : - # %YAML --- ... << <<: *a &a ~ null Yes 0x1f 1e999 .inf .nan 1_0 2026-11-21 unknown notice
Butler qlikSenseLicense licenseRelease neverRelease licenseType analyzer enable releaseThresholdDays user userDir tag
customProperty userDirectory inactive when until timezone limit configQRS host cert policy cases expect snapshot
exhaustive name license verdict rule rules because lastUsed never q.policy { } [ ] , ' " "\\ud800" "\\UFFFFFFFF"
"""
_SNAPSHOT_WORDS = """
{ } [ ] , : "users" "licenses" "analyzer" "professional" "id" "user" "lastUsed" "createdDate" "tags"
"quarantined" "roles" "customProperties" "definition" "name" "value" null true false 1e999 -0 "\\ud800" ÿ
"1753-01-01T00:00:00.000Z" "2026-02-30T00:00:00Z"
"""


def words_of(target: str) -> tuple[str, ...]:
    """The words of a target's format."""
    words = {"policy_text": _POLICY_WORDS, "policy_file": _POLICY_WORDS, "snapshot": _SNAPSHOT_WORDS}
    return (*words.get(target, _YAML_WORDS).split(), "\n", "\n  ", "\t")
