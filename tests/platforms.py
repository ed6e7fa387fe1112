"""Where the tests run: Windows itself, or Wine, which lacks some of what Windows does."""

import ctypes
import shlex
import sys

WINDOWS = sys.platform == "win32"


def _is_wine() -> bool:
    if sys.platform != "win32":
        return False
    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


WINE = _is_wine()


def split_command(line: str) -> list[str]:
    """The words of a command line, as this system's shell and programs take them apart."""
    if sys.platform != "win32":
        return shlex.split(line)
    count = ctypes.c_int()
    split = ctypes.windll.shell32.CommandLineToArgvW
    split.restype = ctypes.POINTER(ctypes.c_wchar_p)
    words = split(ctypes.c_wchar_p(line), ctypes.byref(count))
    return [words[n] for n in range(count.value)]
