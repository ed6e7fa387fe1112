"""The person that the record is to forget: found by name among all whom a site's runs speak of, and known by every
word that leads to the person."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.decide.decision import is_pseudonym
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.explain.people import AmbiguousUser, People
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.run_folder import PLAN_FILE, RESTORE_FILE, SNAPSHOT_FILE
from seatwarden.engine.notice.holds import HOLDS_FILE, read_holds
from seatwarden.engine.notice.register import NOTICES_FILE, read_notices
from seatwarden.engine.snapshot.without import people_in_rows
from seatwarden.grammar.ast import LICENSE_TYPES
from seatwarden.policy.errors import InputError


@dataclass(frozen=True)
class ForgottenPerson:
    """Somebody as the record knows them: `DIRECTORY\\id`, the names, and the ids that QRS has for the user and the
    licenses."""

    user: str
    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """The user, with the name where one is known."""
        names = ", ".join(sorted(self.names))
        return f"{self.user} ({names})" if names else self.user

    @property
    def words(self) -> frozenset[str]:
        """Every word that leads to the person. Id and names alone only where they are no word of any sentence."""
        alone = {word for word in (self.user.partition("\\")[2], *self.names) if len(word) >= _SHORTEST}
        return frozenset({self.user, *self.ids, *alone} - {""})

    def is_named_in(self, text: str) -> bool:
        """Whether a text names the person, as whole words and in any case."""
        text = text.casefold()
        return any(form in text for form in self._forms) and self._pattern.search(text) is not None

    @cached_property
    def _forms(self) -> frozenset[str]:
        return frozenset(form for word in self.words for form in _written(word.casefold()))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._forms, key=len, reverse=True)
        either = "|".join(map(re.escape, longest_first))
        return re.compile(rf"(?<![\w.@-])(?:{either})(?![\w@-]|\.\w)")


_SHORTEST = 3


def _written(word: str) -> set[str]:
    """A word as it stands in a text and in JSON."""
    return {word, msgspec.json.encode(word).decode()[1:-1]}


def user_in_run(user: str, header: PlanHeader, pseudonyms: Pseudonyms | None) -> str | None:
    """What stands in a run for a user: `DIRECTORY\\id`, or the pseudonym of the run's key and period.

    None where that cannot be known, without the key. Only plans of format 1 have the directory before a pseudonym.
    """
    directory, separator, user_id = user.partition("\\")
    if header.pseudonyms is None or is_pseudonym(user_id or directory):
        return user
    if pseudonyms is None or pseudonyms.key_id != header.pseudonyms:
        return None
    hidden = pseudonyms.of_period(header.period).of_user(user)
    return hidden if header.period is not None else directory + separator + hidden


def person_in_run(person: ForgottenPerson, header: PlanHeader, pseudonyms: Pseudonyms | None) -> ForgottenPerson | None:
    """The person as a run speaks of them: the user as `user_in_run`, and ids as the run has them, too."""
    user = user_in_run(person.user, header, pseudonyms)
    if user is None:
        return None
    if header.period is None or pseudonyms is None:
        return replace(person, user=user)
    of_license = pseudonyms.of_period(header.period).of_license
    hidden = {of_license(license_type, one) for license_type in LICENSE_TYPES for one in person.ids}
    return replace(person, user=user, ids=person.ids | hidden)


# Finding the person --------------------------------------------------------------------------------------


class _About(Struct, rename="camel"):
    license_id: str = ""
    user_directory: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    user: str = ""


class _Line(_About, rename="camel"):
    """A line of a plan of either format, or of a restore, of which only whose it is matters."""

    kind: str = ""
    person: _About | UnsetType = UNSET


_read_line = msgspec.json.Decoder(_Line).decode


def find_person(query: str, places: Sequence[Path], pseudonyms: Pseudonyms | None = None) -> ForgottenPerson:
    """The one person that is meant, among all whom runs, their kept snapshots and the history speak of: `places` are
    folders of runs, the history, and the registers of holds and of notices. Nothing is verified.

    With pseudonyms somebody whom no run names is found by `DIRECTORY\\id`. Raises InputError.
    """
    known = _known(places, query.rpartition("\\")[2])
    try:
        holder, _ = _people(known or _known(places)).find(query)
    except AmbiguousUser as error:
        raise error.asking(error.listed([one.label for one in error.candidates])) from None
    except InputError:
        if pseudonyms is None or "\\" not in query:
            raise
        return ForgottenPerson(query)  # whether a run has the pseudonym is seen when it is looked for
    # By another name, or with another license, the person may stand where the query does not.
    everything = _known(places, holder.user_id)[holder.user.casefold()]
    return ForgottenPerson(holder.user, frozenset(everything.names), frozenset(everything.ids))


@dataclass(slots=True)
class _Known:
    """What runs say of a person, the latest name last."""

    directory: str | None
    user_id: str
    names: dict[str, None] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


def _known(places: Iterable[Path], word: str | None = None) -> dict[str, _Known]:
    """All people whom runs speak of; with a `word` those on whose lines it stands. QRS does not tell users apart by
    case, and neither is it done here."""
    form = max(_written(word.casefold()), key=len) if word else ""
    found: dict[str, _Known] = {}
    for directory, user_id, name, ids in (one for place in places for one in _people_in(place, form)):
        person = found.setdefault(f"{directory or '?'}\\{user_id}".casefold(), _Known(directory, user_id))
        if name:
            person.names.pop(name, None)
            person.names[name] = None
        person.ids.update(ids)
    return found


def _people(known: Mapping[str, _Known]) -> People[None]:
    people: People[None] = People(" in the record of this site")
    for one in known.values():
        people.add(one.directory, one.user_id, next(reversed(one.names), None), *one.ids)
    return people


def _people_in(folder: Path, form: str) -> Iterator[tuple[str | None, str, str | None, Collection[str]]]:
    """All people of a run, each license anew; what cannot be read is passed over, and found again when it is erased."""
    if folder.name == HISTORY_FILE:
        yield from _people_in_history(folder, form)
        return
    if folder.name in (HOLDS_FILE, NOTICES_FILE):
        for user in _users_beside(folder):
            directory, _, user_id = user.partition("\\")
            yield directory, user_id, None, ()
        return
    for line in _lines_with(form, folder / PLAN_FILE):
        try:
            read = _read_line(line)
        except UNREADABLE:
            continue
        about = read.person if isinstance(read.person, _About) else read
        if read.kind == "decision" and about.user_id:
            yield about.user_directory, about.user_id, about.user_name, [about.license_id]
    for line in _lines_with(form, folder / RESTORE_FILE):
        with suppress(*UNREADABLE):
            read = _read_line(line)
            if read.kind == "back" and isinstance(read.person, _About):
                directory, _, user_id = read.person.user.rpartition("\\")
                yield directory or None, user_id, read.person.user_name, [read.person.license_id]
    try:
        yield from people_in_rows(read_file(folder / SNAPSHOT_FILE), form)
    except (OSError, InputError, *UNREADABLE):
        return


def _users_beside(path: Path) -> Iterator[str]:
    """Who was held, or told."""
    with suppress(DamagedLog, OSError):
        if path.name == HOLDS_FILE:
            yield from (hold.user for hold in read_holds(path).holds())
        else:
            yield from (notice.user for notice in read_notices(path).notices.by_number.values() if notice.user)


def _people_in_history(path: Path, form: str) -> Iterator[tuple[str | None, str, str | None, Collection[str]]]:
    from seatwarden.engine.history.erasing import people_in_history  # SQLite and zstandard take a while to import
    from seatwarden.engine.history.store import History

    with suppress(InputError), History(path) as history:
        yield from people_in_history(history, form)


def _lines_with(form: str, path: Path) -> Iterator[bytes]:
    """The lines of a file with a word in any case; most files have none, which is seen at once."""
    try:
        data = read_file(path)
    except OSError:
        return
    if form in data.decode(errors="replace").casefold():
        yield from (line for line in data.split(b"\n") if form in line.decode(errors="replace").casefold())
