"""Stands for a link to the folder of the same name at the top, where the file system has no links (editable_links.py).

Python imports the folder in its place; type checkers do not see it.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_here = Path(__file__).parent
_spec = spec_from_file_location(__name__, _here.parent.parent / _here.name / "__init__.py")
assert _spec is not None and _spec.loader is not None  # noqa: PT018, S101 - for type checkers: it names a file
sys.modules[__name__] = _module = module_from_spec(_spec)
_spec.loader.exec_module(_module)
