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


def tell_console_event(process: int, event: int) -> None:
    """Tells a process an event of its console just as Windows does: by a thread in it that calls the handlers."""
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        pointers = ("OpenProcess", "GetModuleHandleW", "GetProcAddress", "CreateRemoteThread")
        for name in pointers:
            getattr(kernel, name).restype = ctypes.c_void_p
        all_access, base = 0x1FFFFF, ctypes.c_void_p(kernel.GetModuleHandleW("kernelbase"))
        routine = ctypes.c_void_p(kernel.GetProcAddress(base, b"CtrlRoutine"))
        opened = ctypes.c_void_p(kernel.OpenProcess(all_access, False, process))
        assert routine.value
        thread = ctypes.c_void_p(kernel.CreateRemoteThread(opened, None, 0, routine, ctypes.c_void_p(event), 0, None))
        assert thread.value
        for handle in (thread, opened):
            kernel.CloseHandle(handle)
