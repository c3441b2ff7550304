"""What kind of file system a path lies on, as the kernel's table of mounts tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: The kernel's table for this process.
MOUNTS: Final = Path("/proc/self/mountinfo")
#: Kinds whose files other machines change too: no lock can be trusted there, and no change is announced.
NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "lustre"})


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the file system under ``path``, empty where ``mounts`` does not say.

    Format: https://www.kernel.org/doc/Documentation/filesystems/proc.rst, section mountinfo.
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        mount, _, rest = line.partition(" - ")
        point = Path(mount.split(" ")[4].replace("\\040", " "))
        # The last of equal mounts lies on top of the others.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), rest.split(" ")[0]
    return kind
