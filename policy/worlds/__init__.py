"""Possible worlds: exact reasoning about conditions over all facts a user and a license can have.

A condition becomes a formula over finitely many propositions (`translate`): a text field only matters by which of
the named values it has (`texts`, `patterns`), days only by the differences a condition asks for (`days`). A search
(`search`) then finds a world in which formulas hold, or proves that there is none. Unknown facts are left out:
a world knows everything.
"""
