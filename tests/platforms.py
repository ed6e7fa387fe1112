"""Where the tests run: Windows itself, or Wine, which lacks some of what Windows does."""

import ctypes
import sys

WINDOWS = sys.platform == "win32"


def _is_wine() -> bool:
    if sys.platform != "win32":
        return False
    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


WINE = _is_wine()
