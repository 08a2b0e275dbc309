"""Whether a living process holds a lock file: the kernel's word on who has ended."""

import contextlib
import errno
import fcntl
import os
from pathlib import Path


def is_held(path: Path) -> bool:
    """Whether some process holds the lock of a file, or may hold it: what cannot be asked may.

    A file that is not there is held by nobody. The lock is a POSIX record lock (fcntl), which ends
    with its process, however that ends. Never ask it of a file that this process has locked.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            os.close(file)  # which lets go of the lock, too
    return False
