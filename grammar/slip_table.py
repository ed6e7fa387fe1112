"""The table of slips: where reading ended, what stood before it, and what was meant, in the words of the language.

Ordered by what people were about to say; of those that fit, the first one helps.
"""

from seatwarden.grammar.slips_in_conditions import DISUSE, FUNCTIONS, OPERATORS
from seatwarden.grammar.slips_in_guarantees import GUARANTEES
from seatwarden.grammar.slips_in_notices import NOTICES
from seatwarden.grammar.slips_in_statements import LIMITS, RULES, YAML_KEYS
from seatwarden.grammar.slips_in_values import DATES, WRITTEN

SLIPS = (*GUARANTEES, *NOTICES, *DISUSE, *RULES, *LIMITS, *YAML_KEYS, *DATES, *WRITTEN, *FUNCTIONS, *OPERATORS)
"""Every slip, in the order in which they are tried."""
