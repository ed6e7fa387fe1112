"""The review of one plan: what its page shows, and the answer that somebody gives there.

The plan is read anew for each page and for each answer. What is signed is what was shown: an answer about another root
is refused.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from seatwarden.engine.apply.approving import AnswerGiven, Approvable, answer, approvable, limits_asked
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.signing_key import SigningKey, WrongPassphrase, public_key_in, read_signing_key
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import listing_order
from seatwarden.engine.errors import DamagedLog, PlanRefused
from seatwarden.engine.log.approval import MAX_COMMENT
from seatwarden.engine.plan.listing import license_cell, why
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.sources import read_sources
from seatwarden.engine.web.form import BadForm, SentForm, TypedAnswer, TypedHold, read_form
from seatwarden.engine.web.holding import BadHold, NewHold, SiteHolds, can_be_held, holds_asked, make_holds
from seatwarden.engine.web.page import (
    AboutAnswer,
    AnswerForm,
    FormProblem,
    HoldBox,
    ReleaseRow,
    damaged_page,
    form_page,
    words_page,
)
from seatwarden.engine.web.reply import PageReply
from seatwarden.engine.web.session import PageSession
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.errors import InputError

MOST_WRONG = 10
"""Wrong passphrases after which the page ends."""


@dataclass(frozen=True, slots=True)
class ReviewSetting:
    """What a review is about: the run folder, the key file that signs (None: the page is only to be read), the way to
    the holds (None: nobody can be held); the clock, and chance."""

    folder: Path
    key: Path | None
    holding: SiteHolds | None
    clock: Callable[[], datetime]
    draw: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """What was answered, about what, by which key, where the note is, and the holds that were made beside it."""

    it: Approvable
    given: AnswerGiven
    key: PublicKey
    path: Path
    holds: tuple[NewHold, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a form comes to: the answer and the holds, or what is wrong."""

    given: AnswerGiven
    holds: list[NewHold]
    bad_holds: dict[int, BadHold]
    problems: list[FormProblem]


class Review:
    """The review of a plan, one question at a time."""

    def __init__(self, setting: ReviewSetting, session: PageSession) -> None:
        self._setting = setting
        self.session = session
        self._lock = threading.Lock()
        """A report of many licenses, and a passphrase, take a second of work and much memory."""
        self._wrong = 0
        self.signed: SignedAnswer | None = None
        """The answer, once there is one."""

    @property
    def had_enough(self) -> bool:
        """Whether so many passphrases were wrong that no more are tried."""
        return self._wrong >= MOST_WRONG

    def show(self) -> PageReply:
        """The plan, with the form."""
        with self._lock:
            return self._over() or self._read(lambda it: self._page(it, TypedAnswer()))

    def answer(self, body: bytes) -> PageReply:
        """Takes the answer in a form that was sent. Each refusal says why."""
        try:
            sent = read_form(body)
        except BadForm as problem:
            return words_page(400, "wrong", "This is no form of the page", [f"Nothing was signed: {problem}."])
        if not self.session.proves(sent.proof, sent.root):
            sentence = "Nothing was signed: the answer was not sent by the page that this server shows."
            return words_page(403, "wrong", "This answer is not from the page", [sentence], again="See the plan")
        with self._lock:
            return self._over() or self._read(lambda it: self._answered(it, sent))

    # What is shown ------------------------------------------------------------------------------------------

    def _over(self) -> PageReply | None:
        """The page of a review at which nothing can be answered any more."""
        if self.signed is not None:
            return words_page(409, "well", "The plan was answered already", ["This page has done its work: close it."])
        if self.had_enough:
            return _no_more()
        return None

    def _read(self, go_on: Callable[[Approvable], PageReply]) -> PageReply:
        """Goes on with the plan as it is now, or says why it cannot be approved."""
        try:
            return go_on(approvable(self._setting.folder, self._setting.clock()))
        except DamagedLog as damage:
            return damaged_page(damage)
        except (PlanRefused, InputError) as refusal:
            sentences = [f"{refusal.message}.", *([f"{refusal.help}."] if refusal.help else [])]
            return words_page(409, "attention", "This plan cannot be approved", sentences)
        except OSError as error:
            return words_page(409, "wrong", "The plan cannot be read", [f"{error.strerror or error}."])

    def _page(self, it: Approvable, typed: TypedAnswer, checked: _Checked | None = None) -> PageReply:
        sources = read_sources(self._setting.folder)
        if sources.plan.log.root != it.plan.log.root:
            raise PlanRefused("the plan was changed just now; load this page again")
        bad = checked.bad_holds if checked else {}
        rows = sorted(self._rows(it, typed, bad), key=lambda one: one[0])
        form = AnswerForm(
            about=self._about(it),
            rows=[row for _, row in rows],
            typed=typed,
            problems=checked.problems if checked else (),
            root=it.plan.log.root,
            proof=self.session.proof(it.plan.log.root),
        )
        return form_page(report_of(sources), form)

    def _about(self, it: Approvable) -> AboutAnswer:
        key = public_key_in(self._setting.key).name if self._setting.key is not None else None
        by = f", by {join_words(it.approved_by)}" if it.approved_by else ""
        return AboutAnswer(
            needs=plural(it.terms.approvals, "approval"),
            has=f"{len(it.approved_by)}{by}",
            expires=_minute(it.terms.expires),
            said=tuple(f"{one.words[0].upper()}{one.words[1:]}" for one in it.answers),
            key=key,
            holding=self._setting.holding is not None,
        )

    def _rows(
        self, it: Approvable, typed: TypedAnswer, bad: dict[int, BadHold]
    ) -> Iterator[tuple[tuple[object, ...], ReleaseRow]]:
        holding = self._setting.holding
        usual = holding.usual if holding is not None else ""
        for line, one in it.releases:
            box = None
            if holding is not None and can_be_held(one, it.plan.header.pseudonyms):
                box = _box(typed.holds.get(line), usual, bad.get(line))
            yield (
                listing_order(one),
                ReleaseRow(
                    line=line,
                    license=license_cell(one),
                    user=one.user,
                    name=one.user_name or "",
                    days=one.unused_days,
                    why=why(one),
                    ticked=typed.ticked is None or line in typed.ticked,
                    hold=box,
                ),
            )

    # What is answered ---------------------------------------------------------------------------------------

    def _answered(self, it: Approvable, sent: SentForm) -> PageReply:
        setting = self._setting
        if setting.key is None:
            sentence = "Nothing was signed: start `seatwarden review` with `--key` to answer."
            return words_page(403, "wrong", "This page is only to be read", [sentence])
        if it.plan.log.root != sent.root:
            sentence = "Nothing was signed: the plan in this folder is not the one that you were shown."
            return words_page(409, "attention", "The plan has changed meanwhile", [sentence], again="See the plan")
        releases = dict(it.releases)
        holdable = {n for n, one in releases.items() if can_be_held(one, it.plan.header.pseudonyms)}
        unknown = (sent.typed.ticked or frozenset()) - set(releases)
        if unknown or set(sent.typed.holds) - (holdable if setting.holding else set()):
            sentence = "Nothing was signed: it names a license that the plan does not release, or nobody who is known."
            return words_page(400, "wrong", "This is no form of the page", [sentence])
        checked = self._checked(it, sent)
        key = self._opened(setting.key, sent.passphrase, checked.problems) if not checked.problems else None
        if key is None:
            return _no_more() if self.had_enough else self._page(it, sent.typed, checked)
        return self._signed(it, sent, checked, key)

    def _checked(self, it: Approvable, sent: SentForm) -> _Checked:
        """What was typed, checked: all that is wrong is said at once."""
        typed, problems, limits = sent.typed, list[FormProblem](), list[str]()
        holds, bad = list[NewHold](), dict[int, BadHold]()
        users = {n: one.user for n, one in it.releases}
        if self._setting.holding is not None:
            holds, bad = holds_asked(typed.holds, users, self._setting.holding.today())
        for line, one in bad.items():
            message = f"Hold of {users[line]}: {one.problem.message}"
            problems.append(FormProblem(message, one.problem.help, f"{one.field}-{line}"))
        if len(typed.comment) > MAX_COMMENT:
            message = f"The comment has {len(typed.comment):,} letters"
            problems.append(FormProblem(message, f"{MAX_COMMENT:,} are the most", "comment"))
        approves = sent.answer == "approve"
        try:
            written = [part.strip() for part in typed.limits.split(";") if part.strip()]
            limits = limits_asked(written, "No more than this, too") if approves else []
        except InputError as error:
            problems.append(FormProblem(error.message, error.help, "limits"))
        if not sent.passphrase:
            problems.append(FormProblem("The passphrase is missing", None, "passphrase"))
        held = {one.user.casefold() for one in holds}
        ticked = typed.ticked or frozenset()
        excluded = [n for n, user in users.items() if n not in ticked or user.casefold() in held]
        given = AnswerGiven(sent.answer, excluded if approves else (), limits, typed.comment)
        return _Checked(given, holds, bad, problems)

    def _opened(self, path: Path, passphrase: str, problems: list[FormProblem]) -> SigningKey | None:
        """The key; without it, what is wrong is added to the problems."""
        try:
            return read_signing_key(path, passphrase)
        except WrongPassphrase:
            self._wrong += 1
            message = "The passphrase is wrong, or the key file is damaged"
            help_ = f"After {MOST_WRONG - self._wrong} more that are wrong this page ends"
            problems.append(FormProblem(message, help_, "passphrase"))
        except InputError as error:
            problems.append(FormProblem(error.message, error.help))
        return None

    def _signed(self, it: Approvable, sent: SentForm, checked: _Checked, key: SigningKey) -> PageReply:
        setting, made = self._setting, False
        try:
            it.refuse_key(key.public)
            if setting.holding is not None:
                make_holds(checked.holds, setting.holding)
            made = True
            path = answer(it, checked.given, key, setting.clock(), setting.draw)
        except (SeatwardenError, OSError) as error:
            said = error.message if isinstance(error, SeatwardenError) else error.strerror or str(error)
            help_ = error.help if isinstance(error, SeatwardenError) else None
            kept = "; the holds were made" if made and checked.holds else ""
            checked.problems.append(FormProblem(f"{said}{kept}", help_))
            return self._page(it, sent.typed, checked)
        self.signed = SignedAnswer(it, checked.given, key.public, path, tuple(checked.holds))
        return _thanks(self.signed)


def _box(typed: TypedHold | None, usual: str, bad: BadHold | None) -> HoldBox:
    if typed is None:
        return HoldBox(ticked=False, reason="", until=usual)
    problem = bad.problem.message if bad is not None else None
    return HoldBox(True, typed.reason, typed.until, problem, bad.field if bad is not None else None)


def _minute(instant: str) -> str:
    found = parse_timestamp(instant)
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else instant


def _no_more() -> PageReply:
    sentence = "Nothing was signed. Start `seatwarden review` again when you have the passphrase."
    return words_page(403, "wrong", f"{MOST_WRONG} passphrases were wrong", [sentence], last=True)


def _thanks(signed: SignedAnswer) -> PageReply:
    """The page of an answer that was given."""
    given, releases = signed.given, len(signed.it.releases)
    sentences = []
    if given.answer == "approve":
        out = f", {plural(len(given.excluded), 'license')} taken out" if given.excluded else ""
        sentences.append(f"{plural(releases - len(given.excluded), 'license')} approved{out}.")
    sentences += [f"Held up to and including {one.until}: {one.user}, {one.reason}." for one in signed.holds]
    sentences.append(f"Signed by {signed.key.name}: {signed.path.name}. This page has done its work: close it.")
    title = "The plan is approved by you" if given.answer == "approve" else "The plan is rejected by you"
    return words_page(200, "well", title, sentences, last=True)
