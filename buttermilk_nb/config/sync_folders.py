"""Detects folders that are unsafe for databases: on sync services or network drives."""

from __future__ import annotations

import re
from pathlib import Path, PurePath, PureWindowsPath
from typing import NamedTuple

from .file_systems import Platform

_SERVICES = {
    "OneDrive": re.compile(r"OneDrive( - .+|-.+)?"),
    "Dropbox": re.compile(r"Dropbox( \(.+\)|-.+)?"),
    "Google Drive": re.compile(r"Google ?Drive( \(.+\)|-.+)?"),
    "iCloud Drive": re.compile(r"iCloud ?Drive|Mobile Documents|com~apple~CloudDocs"),
    "Nextcloud": re.compile(r"Nextcloud\d*"),
    "ownCloud": re.compile(r"ownCloud( - .+|\d*)"),
}
_BELOW_HOME = {"Box": "Box", "Box Sync": "Box"}  # names too common to mean anything in other folders
_DRIVE_ROOTS = {"My Drive", "Shared drives"}
_VARIABLES = ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")
_MARKERS: tuple[tuple[str, frozenset[str], str], ...] = (
    (".dropbox", frozenset({"file"}), "Dropbox"),  # a folder of that name is the client's own, in every home
    (".dropbox.cache", frozenset({"folder"}), "Dropbox"),
    (".tmp.driveupload", frozenset({"folder"}), "Google Drive"),
    (".tmp.drivedownload", frozenset({"folder"}), "Google Drive"),
    (".nextcloudsync.log", frozenset({"file"}), "Nextcloud"),
    (".owncloudsync.log", frozenset({"file"}), "ownCloud"),
    (".stfolder", frozenset({"file", "folder"}), "Syncthing"),
    (".sync", frozenset({"folder"}), "Resilio Sync"),
)
_NETWORK = {
    **dict.fromkeys(["nfs", "nfs4"], "NFS"),
    **dict.fromkeys(["cifs", "smb3", "smbfs", "smb2"], "SMB"),
    **dict.fromkeys(["ceph", "fuse.ceph", "fuse.ceph-fuse"], "Ceph"),
    **dict.fromkeys(["glusterfs", "fuse.glusterfs"], "GlusterFS"),
    **dict.fromkeys(["davfs", "fuse.davfs2", "webdav"], "WebDAV"),
    **dict.fromkeys(
        ["fuse.s3fs", "fuse.gcsfuse", "fuse.mount-s3", "fuse.blobfuse2", "fuse.rclone"], "a cloud's bucket"
    ),
    "afpfs": "AFP",
    "afs": "AFS",
    "beegfs": "BeeGFS",
    "drvfs": "a Windows drive seen from Linux",
    "fuse.gvfsd-fuse": "a connection of the desktop",
    "fuse.sshfs": "SSHFS",
    "gpfs": "GPFS",
    "lustre": "Lustre",
    "network drive": "a letter for another computer's folder",
    "network share": "another computer's folder",
}


class FolderProblem(NamedTuple):
    """Why a folder is unsafe for databases: its location, and the effect."""

    location: str
    effect: str


def find_problem(folder: PurePath, machine: Platform) -> FolderProblem | None:
    """Why a folder is unsafe for databases; None if it is safe.

    Parameters
    ----------
    folder
        An absolute path, which need not exist. If it exists, links in it are followed too.
    machine
        The computer.
    """
    paths = dict.fromkeys([folder, folder.resolve()] if isinstance(folder, Path) else [folder])
    for path in paths:
        if kind := _NETWORK.get(machine.file_system(path)):
            return FolderProblem(f"on a network drive ({kind})", "where databases cannot lock their files safely")
    for path in paths:
        if service := sync_service(path, machine):
            return FolderProblem(f"in {service}", "which copies files while they are being written")
    return None


def sync_service(folder: PurePath, machine: Platform) -> str | None:
    """The service that synchronises a folder, from its name, the environment and marker files."""
    for variable in _VARIABLES:
        root = type(folder)(machine.env.get(variable) or "")
        if len(root.parts) > 1 and folder.is_relative_to(root):
            return "OneDrive"
    if service := _named_service(folder, machine.home):
        return service
    for parent in (folder, *folder.parents):
        for marker, kinds, service in _MARKERS:
            if machine.kind(parent / marker) in kinds:
                return service
    return None


def _named_service(folder: PurePath, home: PurePath) -> str | None:
    for part in folder.parts:
        for service, pattern in _SERVICES.items():
            if pattern.fullmatch(part):
                return service
    if folder.is_relative_to(home) and folder != home:
        first, *below = folder.relative_to(home).parts
        if first in _BELOW_HOME:
            return _BELOW_HOME[first]
        if (first, *below[:1]) == ("Library", "CloudStorage") and below[1:]:
            return below[1].partition("-")[0]
    if isinstance(folder, PureWindowsPath) and folder.parts[1:2] and folder.parts[1] in _DRIVE_ROOTS:
        return "Google Drive"
    return None
