"""A short page on each word of the language: what editors show at a word, and docs/words.md."""

from dataclasses import dataclass

from seatwarden.grammar.keywords import TYPES, UNITS
from seatwarden.policy.operators import OPERATORS
from seatwarden.policy.vocabulary import IN_USE, VOCABULARY, FieldEntry


@dataclass(frozen=True, slots=True)
class WordPage:
    """A page: how the word is written, what it says, an example. `also` are other words that it is about."""

    title: str
    doc: str
    example: str
    also: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The page in Markdown, without a heading."""
        return f"**`{self.title}`** — {self.doc}\n\n```seatwarden\n{self.example}\n```"


STATEMENTS = (
    WordPage(
        "keep",
        "a rule that protects: a license it matches is never released, whatever other rules say",
        'keep "vips" when user.tags = "VIP"',
    ),
    WordPage(
        "release",
        "a rule that gives licenses back: those it matches and no keep rule does",
        "release analyzer when unused for 30 days",
    ),
    WordPage(
        "downgrade",
        "a rule that gives an Analyzer license in place of a Professional one, where no keep rule matches",
        "downgrade professional when unused for 60 days",
    ),
    WordPage("when", "begins the condition of a rule", "keep when user.inactive"),
    WordPage(
        "until",
        "the last day on which a keep rule keeps anything, that day included",
        'keep "audit" until 2027-02-28 when user.tags = "audit"',
    ),
    WordPage(
        "regardless of use",
        "behind the condition of a rule that takes licenses: those in use are meant, too, so that no warning asks",
        'release analyzer when user.licenses = "professional" regardless of use',
    ),
    WordPage(
        "after notice of",
        "behind a rule that takes licenses: its users are told so long before; with `, reminder 3 days before` they "
        "are reminded so long before the announced day",
        "release analyzer when unused for 30 days after notice of 14 days, reminder 3 days before",
        ("after", "notice", "reminder", "before"),
    ),
    WordPage(
        "let",
        "gives a value, a list of values, a length of time or a condition a name",
        'let vips = ["ADMIN\\jdoe", "CORP\\asvensson"]',
    ),
    WordPage(
        "set",
        "gives a list that stands in a file a name: one value a line, the file beside the policy; "
        "its lines are text, if they are not said to be `dates` or `numbers`",
        'set holidays from "holidays.txt" as dates',
        ("from", "as", "text", "dates", "numbers"),
    ),
    WordPage(
        "limit release to",
        "the most licenses that one run, or all runs within some days, may release: a number, or a part of those "
        "allocated; beyond it nothing is released, or with `longest unused first` those that are unused longest",
        "limit release to 10% of analyzer per run, longest unused first",
        ("limit", "to", "of", "per", "run", "longest", "first"),
    ),
    WordPage(
        "limit release to reach",
        "no more of a type than it takes until so many are free, those that are unused longest; "
        "where the site does not say how many are free, none",
        "limit release to reach 20 free analyzer, longest unused first",
        ("reach", "free"),
    ),
    WordPage(
        "guarantee",
        "a sentence about all rules together, which is proved for all facts there can be, or refuted by an example; "
        "it decides nothing, and a plan whose guarantees do not hold is not applied",
        'guarantee "root admins" never release when user.roles = "RootAdmin"',
    ),
    WordPage(
        "guarantee … always release",
        "whom it says is due whatever else is so, as long as no guard holds and all that the rules read is known",
        'guarantee "leavers" always release when user.removedExternally and unused for 90 days',
        ("always",),
    ),
    WordPage(
        "guarantee … without notice",
        "no rule releases these licenses unless their users are told before",
        "guarantee never release without notice",
        ("without",),
    ),
    WordPage(
        "guarantee … both types",
        "nobody loses a professional and an analyzer license on one day",
        "guarantee never release both types",
        ("both", "types"),
    ),
    WordPage("timezone", "the zone in which days are counted, by its IANA name", 'timezone "Europe/Stockholm"'),
    WordPage(
        "professional, analyzer",
        "the two types of access licenses that are allocated to users; a rule that names none is about both",
        "release professional when unused for 60 days",
        TYPES,
    ),
    WordPage("days, weeks", "calendar days in the policy's time zone; a week is 7", "unused for 6 weeks", UNITS),
    WordPage(
        "true, false", "the two values of a field like `user.inactive`", "user.blocked = false", ("true", "false")
    ),
)
"""The words that are neither fields nor operators, as one meets them in a policy."""


def field_page(entry: FieldEntry) -> WordPage:
    """The page of a field."""
    several = ", several values" if entry.many else ""
    values = f": {', '.join(f'`{value}`' for value in entry.values)}" if entry.values else ""
    qmc = f"; in the QMC: {entry.qmc}" if entry.qmc else ""
    doc = f"{entry.doc} ({entry.type.value}{several}){values}. From QRS: {entry.source}{qmc}"
    return WordPage(
        f"{entry.name}{'Name' if entry.name.endswith('@') else '.name' if entry.keyed else ''}", doc, entry.example
    )


FIELD_PAGES = {name: field_page(entry) for name, entry in VOCABULARY.items()}
"""The pages of fields, by their names in the vocabulary."""


def family_of(written: str) -> str:
    """The name in the vocabulary of a field as it is written: that of its family, where it has one."""
    return next((family for family in IN_USE if written.startswith(family)), written)


OPERATOR_PAGES = tuple(WordPage(one.spelling, one.doc, one.example, one.also) for one in OPERATORS)
"""The pages of operators."""


def _pages() -> dict[str, WordPage]:
    whole: dict[str, WordPage] = {}
    parts: dict[str, WordPage] = {}
    for page in (*STATEMENTS, *OPERATOR_PAGES):
        for word in (page.title, *page.also):
            whole.setdefault(word, page)
        for word in page.title.removesuffix("(…)").split():
            parts.setdefault(word, page)
    return parts | whole


WORD_PAGES = _pages()
"""The pages of all other words and signs, by word; one of several words (`unused for`) also by each of them."""
