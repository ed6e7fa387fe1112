"""Rights to files: who can read one, and files that are for us alone.

On POSIX a mode says it, on Windows a list of rights (ACL), which pywin32 sets and reads. *Us* is there the user, SYSTEM
and the Administrators, who can take every file anyway. Without pywin32 a file has the rights of its folder, which
`left_to_folders` tells.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOR_US = 0o600
_OURS = "D:P(A;{0};FA;;;SY)(A;{0};FA;;;BA)(A;{0};FA;;;{1})"
"""In Windows' words: no rights from the folder above, all rights to three."""

_EVERYBODY = {"S-1-1-0", "S-1-5-2", "S-1-5-4", "S-1-5-7", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546"}
"""Everyone, all from the network, all at the machine, the nameless, all who logged in, Users, Guests."""
_OF_DOMAIN = ("-513", "-514", "-515")
"""All users of a domain, its guests, its computers."""
_CHANGE = 0x2 | 0x4 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
"""To write, append, delete, give rights, become the owner; all, and writing, in general: winnt.h."""
_READ = 0x1 | 0x80000000

LEFT_TO_FOLDERS = "without pywin32, files with people or keys in them have the rights of their folder"
_left_to_folders = False


def left_to_folders() -> bool:
    """Whether a file of this process is for us alone only if its folder is, since pywin32 is not installed."""
    return _left_to_folders


def make_folder_for_us(folder: Path) -> None:
    """Creates a folder for us alone. Raises OSError (FileExistsError when there is something)."""
    if _has_lists():
        import win32file

        with _as_os_error(folder):
            win32file.CreateDirectory(str(folder), _only_us("OICI"))
    else:
        folder.mkdir(mode=0o700)


def open_for_us(path: Path, flags: int) -> int:
    """Opens a file for writing, as `os.open` does; a new one is for us alone from the first moment on."""
    if not _has_lists():
        return os.open(path, flags, FOR_US)
    import msvcrt

    import win32con
    import win32file

    how = win32con.CREATE_NEW if flags & os.O_EXCL else win32con.CREATE_ALWAYS
    share = win32con.FILE_SHARE_READ | win32con.FILE_SHARE_WRITE
    with _as_os_error(path):
        handle = win32file.CreateFile(str(path), win32con.GENERIC_WRITE, share, _only_us(""), how, 0, None)
    descriptor: int = msvcrt.open_osfhandle(int(handle.Detach()), flags)  # type: ignore[attr-defined, unused-ignore]
    return descriptor


def rights_of(path: Path) -> Any:
    """The rights to a file, for `give_rights`. Raises OSError."""
    if not _has_lists():
        return stat.S_IMODE(path.stat().st_mode)
    import win32security as security

    with _as_os_error(path):
        return security.GetNamedSecurityInfo(str(path), security.SE_FILE_OBJECT, security.DACL_SECURITY_INFORMATION)


def give_rights(path: Path, rights: Any) -> None:
    """Gives a file the rights that another had. Raises OSError."""
    if not _has_lists():
        path.chmod(rights)
        return
    import win32security as security

    of_its_own = rights.GetSecurityDescriptorControl()[0] & security.SE_DACL_PROTECTED
    how = security.PROTECTED_DACL_SECURITY_INFORMATION if of_its_own else security.UNPROTECTED_DACL_SECURITY_INFORMATION
    what = security.DACL_SECURITY_INFORMATION | how
    with _as_os_error(path):
        security.SetNamedSecurityInfo(
            str(path), security.SE_FILE_OBJECT, what, None, None, rights.GetSecurityDescriptorDacl(), None
        )


def take_off_read_only(place: Path) -> None:
    """Takes the mark *read-only* off a file, or off a folder and all in it. Raises OSError.

    On Windows what is so marked can be neither replaced nor deleted; on POSIX the rights of its folder decide.
    """
    if sys.platform != "win32":
        return
    for path in (place, *place.rglob("*")):
        if path.stat(follow_symlinks=False).st_file_attributes & stat.FILE_ATTRIBUTE_READONLY:
            path.chmod(stat.S_IREAD | stat.S_IWRITE)


def open_to_all(path: Path, *, to_change: bool = False) -> bool | None:
    """Whether every user of this machine can read or change a file, or only whether they can change it.

    None when that cannot be told. Raises OSError.
    """
    path = path.resolve()
    if sys.platform != "win32":
        others = path.stat().st_mode & (stat.S_IWOTH if to_change else stat.S_IROTH | stat.S_IWOTH)
        return bool(others) and all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    # Folders above do not matter there: everybody may pass through them.
    return lets_everybody(_allowed(path), _CHANGE if to_change else _CHANGE | _READ) if _has_lists() else None


def take_away(path: Path) -> str:
    """What to type so that a file is no longer everybody's."""
    if sys.platform != "win32":
        return f"chmod 600 {path}"
    return f'icacls "{path}" /inheritance:d /remove:g *S-1-1-0 *S-1-5-11 *S-1-5-32-545'


def lets_everybody(allowed: Iterable[tuple[str, int]], wanted: int = _CHANGE | _READ) -> bool:
    """Whether one of the rights that are given, by SID and mask, gives many people what is wanted."""
    return any(mask & wanted and (sid in _EVERYBODY or _all_of_domain(sid)) for sid, mask in allowed)


def _all_of_domain(sid: str) -> bool:
    return sid.startswith("S-1-5-21-") and sid.endswith(_OF_DOMAIN)


def _allowed(path: Path) -> Iterator[tuple[str, int]]:
    """The rights that a file's list gives; one without a list is everybody's."""
    import ntsecuritycon
    import win32security as security

    rights = rights_of(path).GetSecurityDescriptorDacl()
    if rights is None:
        yield "S-1-1-0", ntsecuritycon.FILE_ALL_ACCESS
        return
    for n in range(rights.GetAceCount()):
        (kind, flags), mask, *_, sid = rights.GetAce(n)
        if kind == security.ACCESS_ALLOWED_ACE_TYPE and not flags & security.INHERIT_ONLY_ACE:
            yield security.ConvertSidToStringSid(sid), mask & 0xFFFFFFFF


def _has_lists() -> bool:
    """Whether rights are lists here that we can set."""
    global _left_to_folders
    if sys.platform != "win32":
        return False
    try:
        import win32security  # noqa: F401
    except ImportError:
        _left_to_folders = True
        return False
    return True


def _only_us(inherited: str) -> Any:
    import win32api
    import win32security as security

    token = security.OpenProcessToken(win32api.GetCurrentProcess(), security.TOKEN_QUERY)
    us = security.ConvertSidToStringSid(security.GetTokenInformation(token, security.TokenUser)[0])
    attributes = security.SECURITY_ATTRIBUTES()
    attributes.SECURITY_DESCRIPTOR = security.ConvertStringSecurityDescriptorToSecurityDescriptor(
        _OURS.format(inherited, us), security.SDDL_REVISION_1
    )
    return attributes


@contextmanager
def _as_os_error(path: Path) -> Iterator[None]:
    """Makes errors of pywin32 those that Python itself raises."""
    import pywintypes

    try:
        yield
    except pywintypes.error as error:
        raise OSError(0, error.strerror, str(path), error.winerror) from None
