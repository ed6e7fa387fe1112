"""A guarantee that our own search does not decide within its bound, and a solver at once."""

_CHOICES = " and ".join(f'(user.tags = "a{number}" or user.roles = "b{number}")' for number in range(20))
RELEASE = "release analyzer when unused for 30 days\n"
HARD = f'guarantee "all" never release when {_CHOICES}\nkeep when {_CHOICES}\n{RELEASE}'
"""Twenty choices: a million worlds one by one."""
EASIER_TO_BREAK = HARD.replace("keep when ", "keep when user.blocked and ")
