"""What a site file says of the messages before a release: the map `seatwarden.notice`.

By which way they go, to which address of a user, in which language, by which templates, and how many a run may send.
Passwords, secrets and the addresses of webhooks are in no repr, message or finding.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.headerregistry import Address
from pathlib import Path
from typing import Literal, get_args

from seatwarden.engine.site.notifications import (
    ADDRESS,
    EMAIL,
    NOTIFICATIONS,
    WEBHOOK,
    MailServer,
    Notifications,
    WebhookTarget,
    guarded,
    is_web_address,
    mail_server,
    webhook_target,
)
from seatwarden.engine.site.proxy import Proxy, read_proxy
from seatwarden.grammar.ast import Field
from seatwarden.grammar.builder import parse_field
from seatwarden.grammar.printer import print_field
from seatwarden.policy.butler.sections import inner, our_section
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.kinds import TEXT, between, one_of, within_folder
from seatwarden.policy.yaml.nodes import Entry
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml
from seatwarden.policy.yaml.settings import Kind, Section, Setting

NoticeChannel = Literal["email", "webhook"]

ADDRESS_FIELD = Field("user.attributes", "email")
LANGUAGE_FIELD = Field("user.attributes", "preferredLanguage")
DEFAULT_LANGUAGE = "en"
MAX_MESSAGES = 200
"""Messages a run, where the file does not say."""
LONGEST_CONTACT = 200

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_MISSING = re.compile(r"environment variable `\w+` is not set")
_FAMILIES = ("user.attributes", "user.@")


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """The messages before a release.

    `server` is there where the channel is e-mail, `webhook` where it is that. `address`, `manager` and `language` are
    fields of the user. `templates` is the folder of the user's own, absolute or as the site file is. All messages go to
    `redirect_to`, where it is given; they do not count then.
    """

    channel: NoticeChannel = "email"
    server: MailServer | None = None
    webhook: WebhookTarget | None = None
    address: Field = ADDRESS_FIELD
    fallback: Address | None = None
    manager: Field | None = None
    redirect_to: Address | None = None
    language: Field = LANGUAGE_FIELD
    default_language: str = DEFAULT_LANGUAGE
    templates: Path | None = None
    max_messages: int = MAX_MESSAGES
    contact: str | None = None
    hub: str | None = None
    proxy: Proxy = Proxy()

    @property
    def reads_attributes(self) -> bool:
        """Whether the users' attributes are needed, which QRS sends only when it is asked for them."""
        return any(field is not None and field.name == _FAMILIES[0] for field in self.fields)

    @property
    def fields(self) -> tuple[Field | None, ...]:
        """What is read of a user: address, the manager's, language."""
        return (self.address, self.manager, self.language)

    @property
    def label(self) -> str:
        """The destination in words, without a secret."""
        target = self.server if self.channel == "email" else self.webhook
        return target.label if target else "nowhere"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        found = (self.server and self.server.password, self.webhook and self.webhook.url)
        return tuple(text for text in (*found, self.webhook and self.webhook.secret) if text)


def load_notice(path: Path, environment: Mapping[str, str]) -> NoticeSettings | None:
    """What a site file says of messages, alone, to be tried before the rest of it is right. None where it says nothing.

    Raises InputError when it cannot be read, PolicyError with every problem in these settings.
    """
    text = read_text(path, "site file")
    ours = our_section(read_site_yaml(text, str(path)))
    reader = YamlReader(environment, path.parent)
    entry, told = inner(ours, "notice"), inner(ours, "notifications")
    notice = NOTICE.read(reader, entry, "notice") if entry else None
    if entry and notice:
        needed = reader if _needs_notifications(notice) else YamlReader(environment, path.parent)
        notifications = NOTIFICATIONS.read(needed, told, "notifications") if told else None
        notice = completed(reader, entry, notice, notifications or Notifications())
    proxy = read_proxy(reader, ours) if entry else Proxy()
    if reader.findings:
        raise PolicyError(in_order(reader.findings), {str(path): reader.concealed(text)})
    return replace(notice, proxy=proxy) if notice else None


def notice_notes(settings: NoticeSettings | None, *, asked: bool) -> list[str]:
    """What is not wrong with the messages, but must be known; `asked`: a rule of the policy gives notice."""
    if settings is None:
        return [_NOBODY_TOLD] if asked else []
    if settings.redirect_to is None:
        return []
    to = settings.redirect_to.addr_spec
    return [f"`redirectTo` is on: all messages to people go to {to}, and nobody counts as told"]


_NOBODY_TOLD = (
    "the policy gives notice, and the site file has no `notice`: nobody can be told, so they keep all licenses"
)


def is_missing_variable(finding: Diagnostic) -> bool:
    """Whether it says no more than that the environment of this machine lacks a variable."""
    return finding.code == "SW205" and bool(_MISSING.fullmatch(finding.message))


def completed(
    reader: YamlReader, entry: Entry | None, notice: NoticeSettings | None, notifications: Notifications
) -> NoticeSettings | None:
    """The settings with the mail server of `notifications` where they name none; notes where there is none either."""
    if entry is None or notice is None:
        return notice
    if _needs_notifications(notice) and notifications.emails:
        return replace(notice, server=notifications.emails[0])
    map_ = entry.value
    if _needs_notifications(notice) and inner(entry, "email") is None:
        help_ = "add `email` with `host` and `from`, here or under `notifications`; or `webhook`"
        reader.error("SW206", "`notice` has no way to send: no mail server", map_.span, "to nobody", help_)
    if notice.channel == "webhook" and notice.webhook is None and inner(entry, "webhook") is None:
        # A webhook of `notifications` is for a team's chat, where nobody's name may stand.
        help_ = "add `webhook` with `url`; those of `notifications` are for others"
        reader.error("SW206", "`notice` has no way to send: no webhook", map_.span, "to nobody", help_)
    return notice


def _needs_notifications(notice: NoticeSettings) -> bool:
    return notice.channel == "email" and notice.server is None


# What is made of the tables ------------------------------------------------------------------------------


def _notice(reader: YamlReader, entry: Entry, what: str) -> NoticeSettings | None:
    values = guarded(reader, entry.value, what, NOTICE_SETTINGS)
    if values is None:
        return None
    channel: NoticeChannel | None = values["channel"]
    if values["email"] and values["webhook"] and channel is None:
        help_ = "add `channel: email` or `channel: webhook`"
        message = f"`{what}` has `email` and `webhook`, and lacks the key `channel`"
        reader.error("SW206", message, values.map.start, "one of them counts", help_)
    if channel is None:
        channel = "webhook" if values["webhook"] and not values["email"] else "email"
    return NoticeSettings(
        channel,
        values["email"],
        values["webhook"],
        values["address"],
        values["fallback"],
        values["manager"],
        values["redirectTo"],
        values["language"],
        values["defaultLanguage"],
        *values.take("templates", "maxMessagesPerRun", "contact", "hub"),
    )


def _email(reader: YamlReader, entry: Entry, what: str) -> MailServer | None:
    mail = guarded(reader, entry.value, what, NOTICE_EMAIL)
    return mail_server(reader, mail, what, "e-mail") if mail else None


def _webhook(reader: YamlReader, entry: Entry, what: str) -> WebhookTarget | None:
    hook = guarded(reader, entry.value, what, NOTICE_WEBHOOK)
    return webhook_target(reader, hook, what, "webhook") if hook else None


# Kinds of settings ---------------------------------------------------------------------------------------


def _field(reader: YamlReader, entry: Entry, text: str) -> Field | None:
    """An attribute or a custom property of the user, as a rule writes it."""
    word = text.strip()
    found = parse_field(word, entry.value.span) if word.startswith(tuple(_FAMILIES)) else None
    if found and found.name in _FAMILIES and found.key and print_field(found) == word:
        return Field(found.name, found.key)
    help_ = "write `user.attributes.email`, or a custom property: `user.@Email`"
    message = f"`{entry.key.text}` is neither an attribute nor a custom property of the user"
    reader.error("SW205", message, entry.value.span, "no such field", help_)
    return None


def _folder(reader: YamlReader, entry: Entry, text: str) -> Path | None:
    path = within_folder(reader, entry, text)
    if path is None or path.is_dir():
        return path
    message = f"`templates`: there is no folder `{path}`"
    reader.error("SW205", message, entry.value.span, "not there", "make it, or remove the key for the texts we bring")
    return None


FIELD = TEXT.then(_field)
"""A field of the user that a message needs: `user.attributes.email`, `user.@Email`."""

# The tables ----------------------------------------------------------------------------------------------

NOTICE_EMAIL = Section(tuple(s for s in EMAIL.settings if s.key not in ("to", "events", "people")))
NOTICE_WEBHOOK = Section(tuple(s for s in WEBHOOK.settings if s.key not in ("format", "events", "people")))
NOTICE_SETTINGS = Section(
    (
        Setting(
            "channel",
            one_of(get_args(NoticeChannel)),
            "the way that messages go, and that counts",
            without="the one of the two below that is there; `email` where none is",
        ),
        Setting(
            "email",
            Kind(_email, section=NOTICE_EMAIL),
            without="as in the first `email` of [notifications](notifications.md)",
        ),
        Setting("webhook", Kind(_webhook, section=NOTICE_WEBHOOK), without="none; needed with `channel: webhook`"),
        Setting(
            "address",
            FIELD,
            "the attribute or custom property with the user's address",
            ADDRESS_FIELD,
            without=f"`{print_field(ADDRESS_FIELD)}`",
        ),
        Setting("manager", FIELD, "the same of the manager's address, for users who have none", without="not asked"),
        Setting(
            "fallback", ADDRESS, "one address for users for whom there is neither", without="they keep their license"
        ),
        Setting(
            "redirectTo",
            ADDRESS,
            "one address that gets all messages while you try; nobody counts as told by them",
            without="each goes to its user",
        ),
        Setting(
            "language",
            FIELD,
            "the attribute or custom property with the user's language, such as `de` or `sv-SE`",
            LANGUAGE_FIELD,
            without=f"`{print_field(LANGUAGE_FIELD)}`",
        ),
        Setting(
            "defaultLanguage",
            TEXT.must(_LANGUAGE.fullmatch, "`{key}` is not a language", "no language", "write two letters: en"),
            "the language of users who have none that there are texts in",
            DEFAULT_LANGUAGE,
        ),
        Setting(
            "templates",
            TEXT.then(_folder),
            "the folder of your own texts, relative to the site file; they take the place of ours by name",
            without="the texts we bring",
        ),
        Setting("maxMessagesPerRun", between(1, 100_000, "messages"), "messages a run at most", MAX_MESSAGES),
        Setting(
            "contact",
            TEXT.must(
                lambda text: text.strip() and text.isprintable() and len(text) <= LONGEST_CONTACT,
                f"`{{key}}` is a text of 1 to {LONGEST_CONTACT} characters that can be printed",
                "cannot stand in a message",
            ),
            "whom to ask, as it stands in the message: `IT service desk, 4711`",
            without="the message names nobody to ask",
        ),
        Setting(
            "hub",
            TEXT.must(is_web_address, "`{key}` is not a web address", "not one", "write https://host/hub"),
            "the address at which people open Qlik Sense, as it stands in the message",
            without="the message says what to open, and not where",
        ),
    )
)
NOTICE = Kind(_notice)
