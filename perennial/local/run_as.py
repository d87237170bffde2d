"""A component as another user than root, for programs that refuse to run as root."""

import contextlib
import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence

from contract.errors import InvalidRequest
from perennial.local.home import FOLDER_MODE, Home


def choose_user(names: Sequence[str]) -> str | None:
    """Return the first of `names` that is a user of this machine; None where we are not root.

    Raises:
        InvalidRequest: we are root, and there is no such user, or no program to become one.
    """
    if os.geteuid() != 0:
        return None
    name = next((name for name in names if _is_user(name)), None)
    if name is None or shutil.which("setpriv") is None:
        raise InvalidRequest(
            f"there is no user {' or '.join(map(repr, names))} to run it as with setpriv"
        )
    return name


def as_user(user: str | None) -> list[str]:
    """Return the arguments before a command that run it as `user`: none where we are not root."""
    if user is None or os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"]


def let_user_pass(home: Home, user: str | None) -> None:
    """Let the group of `user` pass through the platform's folder, and read or list nothing of it.

    Raises:
        InvalidRequest: the user cannot reach the folder; everything is then as it was.
    """
    if not as_user(user):
        return
    assert user is not None
    is_new = not home.components.exists()
    home.components.mkdir(mode=FOLDER_MODE, exist_ok=True)
    shutil.chown(home.folder, group=_group(user))
    home.prepare()  # lets that group pass, now that there is a folder of components
    test = subprocess.run([*as_user(user), "test", "-x", str(home.folder)], cwd="/", check=False)
    if test.returncode != 0:
        if is_new:
            with contextlib.suppress(OSError):  # it is not empty any more
                home.components.rmdir()
        home.prepare()
        raise InvalidRequest(f"the user {user!r} may not enter {str(home.folder)!r}")


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _group(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
