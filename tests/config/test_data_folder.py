"""Where cache and traces go: folders that are synchronised or on a network are seen, and nothing is left behind."""

import os
import struct
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from support.study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb.config.data_folder import Platform, choose_data_folder, this_machine
from buttermilk_nb.config.file_systems import linux_file_system, mac_file_system, windows_file_system
from buttermilk_nb.config.sync_folders import find_problem, sync_service

MOUNTS = """\
sysfs /sys sysfs rw,nosuid 0 0
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
auto.home /home autofs rw,fd=7 0 0
filer:/vol/home/me /home/me nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/me/scratch xfs rw 0 0
//files/group /srv/Group\\040drive cifs rw,vers=3.1.1 0 0
/dev/sdc1 /srv/old ext4 rw 0 0
filer:/old /srv/old nfs rw 0 0
share /data 9p rw,trans=virtio 0 0
C:\\134 /mnt/c 9p rw,dirsync,aname=drvfs;path=C:\\;uid=1000 0 0
scratch@tcp:/lfs /lustre lustre rw 0 0
me@host:/ /home/me/remote fuse.sshfs rw 0 0
"""


@pytest.fixture
def machine(tmp_path):
    """This computer's real files, with its home and own data folder in a temporary one; fields to replace."""
    own = this_machine()._replace(env={}, home=tmp_path / "home", data_home=lambda: tmp_path / "own")
    return lambda **fields: own._replace(**fields)


def folder(*parts, data=()):
    made = Path(*parts)
    made.mkdir(parents=True)
    for name in data:
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text("data")
    return made


def pure(home="/home/me", env=None, file_system="", entries=None):
    """A machine that exists on paper only."""
    return Platform(
        env=env or {},
        home=PurePosixPath(home) if home.startswith("/") else PureWindowsPath(home),
        file_system=lambda path: file_system,
        kind=lambda path: (entries or {}).get(str(path)),
        data_home=lambda: Path("/never"),
    )


# --- folders that a service keeps in step ------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/home/me/Dropbox/press", "Dropbox"),
        ("/home/me/Dropbox (Uni Graz)/press", "Dropbox"),
        ("/Users/me/Library/CloudStorage/OneDrive-UniversityofX/press", "OneDrive"),
        ("/Users/me/Library/CloudStorage/GoogleDrive-me@example.org/My Drive/press", "Google Drive"),
        ("/Users/me/Library/CloudStorage/Box-Box/press", "Box"),
        ("/Users/me/Library/CloudStorage/ProtonDrive-me/press", "ProtonDrive"),
        ("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/press", "iCloud Drive"),
        ("/home/me/Nextcloud/press", "Nextcloud"),
        ("/home/me/ownCloud/press", "ownCloud"),
        ("/home/me/Box Sync/press", "Box"),
        ("/home/me/Box/press", "Box"),
        ("/home/me/work/press", None),
        ("/home/me/dropbox-study", None),
        ("/home/me/work/Box/press", None),
        ("/home/me/OneDriveless", None),
        ("/srv/My Drive/press", None),
    ],
)
def test_a_service_is_known_by_the_names_of_its_folders(path, service):
    home = "/Users/me" if path.startswith("/Users") else "/home/me"
    assert sync_service(PurePosixPath(path), pure(home)) == service


@pytest.mark.parametrize(
    ("path", "service"),
    [
        (r"C:\Users\me\OneDrive - University of X\Documents\press", "OneDrive"),
        (r"C:\Users\me\iCloudDrive\press", "iCloud Drive"),
        (r"G:\My Drive\press", "Google Drive"),
        (r"C:\Users\me\Box\press", "Box"),
        (r"c:\users\ME\cloud\press", "OneDrive"),
        (r"C:\Users\me\work\press", None),
    ],
)
def test_on_windows_too_where_the_environment_says_more(path, service):
    here = pure(r"C:\Users\me", env={"OneDriveCommercial": r"C:\Users\me\cloud", "OneDrive": ""})
    assert sync_service(PureWindowsPath(path), here) == service


def test_a_variable_that_names_a_whole_drive_says_nothing():
    assert sync_service(PureWindowsPath(r"D:\press"), pure(r"C:\Users\me", env={"OneDrive": "D:\\"})) is None


@pytest.mark.parametrize(
    ("marker", "kind", "service"),
    [
        (".dropbox", "file", "Dropbox"),
        (".dropbox", "folder", None),
        (".dropbox.cache", "folder", "Dropbox"),
        (".stfolder", "folder", "Syncthing"),
        (".stfolder", "file", "Syncthing"),
        (".sync", "folder", "Resilio Sync"),
        (".sync", "file", None),
        (".nextcloudsync.log", "file", "Nextcloud"),
        (".owncloudsync.log", "file", "ownCloud"),
        (".tmp.driveupload", "folder", "Google Drive"),
    ],
)
def test_a_service_is_known_by_the_marks_it_leaves_in_a_folder_above(tmp_path, machine, marker, kind, service):
    project = folder(tmp_path, "shared", "studies", "press")
    mark = tmp_path / "shared" / marker
    mark.mkdir() if kind == "folder" else mark.write_text("")
    assert sync_service(project, machine()) == service


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_into_a_synchronised_folder_is_followed(tmp_path, machine):
    folder(tmp_path, "Dropbox", "press")
    (tmp_path / "press").symlink_to(tmp_path / "Dropbox" / "press")
    assert find_problem(tmp_path / "press", machine()).location == "in Dropbox"


# --- network drives ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/press", "nfs4"),
        ("/home/me", "nfs4"),
        ("/home/metoo/press", "autofs"),
        ("/home/me/scratch/press", "xfs"),
        ("/home/me/remote/press", "fuse.sshfs"),
        ("/srv/Group drive/press", "cifs"),
        ("/srv/old/press", "nfs"),
        ("/data/press", "9p"),
        ("/mnt/c/Users/me/press", "drvfs"),
        ("/lustre/press", "lustre"),
        ("/var/press", "ext4"),
        ("/", "ext4"),
    ],
)
def test_the_longest_mount_says_the_type_of_file_system_and_the_last_of_several(path, kind):
    assert linux_file_system(PurePosixPath(path), MOUNTS) == kind


@pytest.mark.parametrize("mounts", ["", "\n\n", "nonsense", "a b", "/dev/sda1 /elsewhere ext4 rw 0 0"])
def test_a_table_of_mounts_that_says_nothing_is_no_network(mounts):
    assert linux_file_system(PurePosixPath("/home/me"), mounts) == ""


def test_a_whole_table_of_mounts_can_be_a_root_only():
    assert linux_file_system(PurePosixPath("/home/me"), "overlay / overlay rw 0 0") == "overlay"


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("nfs4", "NFS"),
        ("cifs", "SMB"),
        ("smbfs", "SMB"),
        ("fuse.sshfs", "SSHFS"),
        ("lustre", "Lustre"),
        ("drvfs", "a Windows drive seen from Linux"),
        ("network drive", "a letter for another computer's folder"),
        ("9p", None),
        ("ext4", None),
        ("overlay", None),
        ("fuse.gocryptfs", None),
        ("", None),
    ],
)
def test_network_file_systems_are_trouble_and_others_are_not(kind, named):
    found = find_problem(PurePosixPath("/home/me/press"), pure(file_system=kind))
    assert (found and found.location) == (named and f"on a network drive ({named})")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (r"\\server\share\press", "network share"),
        (r"\\?\UNC\server\share\press", "network share"),
        (r"\\wsl.localhost\Debian\home\me", "network share"),
        (r"Z:\press", "network drive"),
        (r"\\?\Z:\press", "network drive"),
        (r"C:\press", ""),
        (r"\\?\C:\press", ""),
    ],
)
def test_windows_shares_and_the_letters_that_stand_for_them_are_seen(path, kind):
    assert windows_file_system(PureWindowsPath(path), {"Z:\\": 4, "C:\\": 3}.__getitem__) == kind


def test_the_type_stands_where_macos_puts_it():
    before = struct.pack("=IiQQQQQiiIIII", 4096, 1048576, 9, 8, 7, 6, 5, 1, 2, 501, 17, 0, 0)
    assert mac_file_system(before + b"smbfs".ljust(16, b"\0") + bytes(2048)) == "smbfs"


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="Linux says this in /proc")
def test_this_computers_own_mounts_are_read():
    assert this_machine().file_system(PurePosixPath("/proc/self")) == "proc"


# --- where the data goes -----------------------------------------------------------------------------


def test_an_ordinary_folder_keeps_its_data_and_nothing_is_said(tmp_path, machine):
    place = choose_data_folder(folder(tmp_path, "press"), None, "press", machine())
    assert (place.folder, place.reason) == (tmp_path / "press", None)


def test_the_data_of_a_synchronised_project_goes_to_the_computers_own_folder_and_the_card_says_so(tmp_path, machine):
    place = choose_data_folder(folder(tmp_path, "Dropbox", "press"), None, "press", machine())
    assert place.folder.parent == tmp_path / "own" / "projects"
    assert place.folder.name.startswith("press-")
    assert "is in Dropbox, which copies files while they are being written, so cache and traces are in" in place.reason
    assert str(place.folder) in place.reason
    assert "`data_folder: here`" in place.reason


def test_nothing_is_made_or_written(tmp_path, machine):
    choose_data_folder(folder(tmp_path, "Dropbox", "press"), None, "press", machine())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["Dropbox", "press"]


def test_two_projects_of_one_name_have_a_place_each_and_one_project_always_the_same(tmp_path, machine):
    one, two = folder(tmp_path, "Dropbox", "a", "press"), folder(tmp_path, "Dropbox", "b", "press")
    places = [choose_data_folder(path, None, "press", machine()).folder for path in (one, two, one)]
    assert places[0] == places[2] != places[1]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_project_reached_through_a_link_is_the_same_project(tmp_path, machine):
    real = folder(tmp_path, "Dropbox", "press")
    (tmp_path / "link").symlink_to(real)
    assert (
        choose_data_folder(tmp_path / "link", None, "press", machine()).folder
        == choose_data_folder(real, None, "press", machine()).folder
    )


def test_a_project_on_a_network_drive_goes_to_a_local_disk(tmp_path, machine):
    types = lambda path: "nfs4" if "home" in path.parts else "ext4"  # noqa: E731
    place = choose_data_folder(folder(tmp_path, "home", "press"), None, "press", machine(file_system=types))
    assert place.folder.is_relative_to(tmp_path / "own")
    assert "on a network drive (NFS), where databases cannot lock their files safely" in place.reason


def test_where_the_computers_own_folder_is_on_the_network_too_the_data_stays_and_the_card_says_so(tmp_path, machine):
    project = folder(tmp_path, "press")
    place = choose_data_folder(project, None, "press", machine(file_system=lambda path: "lustre"))
    assert place.folder == project
    assert "stay there, because this computer's own data folder" in place.reason
    assert "If you have a folder on a local disk, name it as `data_folder`" in place.reason


def test_data_that_lies_in_the_project_already_stays_in_use_and_the_card_says_how_to_move_it(tmp_path, machine):
    project = folder(tmp_path, "Dropbox", "press", data=["traces.duckdb", "cache/cache.db"])
    place = choose_data_folder(project, None, "press", machine())
    assert place.folder == project
    own = choose_data_folder(folder(tmp_path, "Dropbox", "new"), None, "press", machine()).folder.parent
    assert "It already contains cache and traces, so they stay there" in place.reason
    assert f"move `traces.duckdb` and `cache` into {own}" in place.reason


def test_data_that_was_moved_as_the_card_says_is_what_is_used_then(tmp_path, machine):
    project = folder(tmp_path, "Dropbox", "press", data=["traces.duckdb", "cache/cache.db"])
    own = Path(choose_data_folder(project, None, "press", machine()).reason.partition(" into ")[2].partition("; ")[0])
    own.mkdir(parents=True)
    for name in ("traces.duckdb", "cache"):
        (project / name).rename(own / name)
    place = choose_data_folder(project, None, "press", machine())
    assert place.folder == own
    assert "which is not used" not in place.reason


def test_where_both_places_hold_data_the_computers_own_is_used_and_the_other_is_named(tmp_path, machine):
    project = folder(tmp_path, "Dropbox", "press")
    own = choose_data_folder(project, None, "press", machine()).folder
    folder(own, data=["traces.duckdb"])
    (project / "traces.duckdb").write_text("a colleague's")
    place = choose_data_folder(project, None, "press", machine())
    assert place.folder == own
    assert "The project's folder also contains data (traces.duckdb), which are not used" in place.reason


def test_data_of_a_project_that_was_moved_is_named_and_not_taken(tmp_path, machine):
    earlier = choose_data_folder(folder(tmp_path, "Dropbox", "press"), None, "press", machine()).folder
    folder(earlier, data=["traces.duckdb"])
    folder(earlier.with_name("pressure-0123456789ab"), data=["traces.duckdb"])
    (tmp_path / "Dropbox" / "press").rename(tmp_path / "Dropbox" / "renamed")
    place = choose_data_folder(tmp_path / "Dropbox" / "renamed", None, "press", machine())
    assert place.folder != earlier
    assert f"{earlier} contains data of a project with this name from another folder" in place.reason
    assert f"rename the data folder to `{place.folder.name}`" in place.reason


# --- what the settings say ---------------------------------------------------------------------------


def test_here_keeps_the_data_in_the_projects_folder_without_a_word(tmp_path, machine):
    place = choose_data_folder(folder(tmp_path, "Dropbox", "press"), "here", "press", machine())
    assert (place.folder, place.reason) == (tmp_path / "Dropbox" / "press", None)


def test_an_absolute_path_is_used_as_it_is(tmp_path, machine):
    place = choose_data_folder(folder(tmp_path, "press"), str(tmp_path / "fast disk"), "press", machine())
    assert (place.folder, place.reason) == (tmp_path / "fast disk", None)


def test_a_path_from_home_is_absolute(tmp_path, monkeypatch, machine):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert choose_data_folder(tmp_path, "~/data", "press", machine()).folder == tmp_path / "data"


@pytest.mark.parametrize("setting", ["data", "./data", "", "Here"])
def test_a_relative_path_is_a_setup_error_with_an_example(tmp_path, machine, setting):
    with pytest.raises(bm.SetupError, match=r"is not an absolute path on this computer\. Write the full path, such as"):
        choose_data_folder(tmp_path, setting, "press", machine())


# --- this computer -----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is what Linux has")
def test_the_computers_own_folder_is_where_its_system_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    place = choose_data_folder(folder(tmp_path, "Dropbox", "press"), None, "press")
    assert place.folder.parent == tmp_path / "xdg" / "buttermilk_nb" / "projects"


def test_the_choice_asks_for_one_file_system_and_eight_names_in_each_folder_above(tmp_path, machine, monkeypatch):
    project = folder(tmp_path.resolve(), *"abcdef", "press")
    own, systems, names = machine(), [], []
    counted = machine(
        file_system=lambda path: systems.append(path) or own.file_system(path),
        kind=lambda path: names.append(path) or own.kind(path),
    )
    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, lambda *args: pytest.fail("a folder was listed"))
    assert choose_data_folder(project, None, "press", counted).folder == project
    assert systems == [project]
    assert len(names) == len(set(names)) == 8 * len(project.parts)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_may_not_be_looked_into_is_no_mark(tmp_path, machine):
    project = folder(tmp_path, "closed", "press")
    project.parent.chmod(0)
    try:
        assert sync_service(project, machine()) is None
    finally:
        project.parent.chmod(0o700)


# --- a project ---------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is what Linux has")
def test_a_project_in_a_synchronised_folder_runs_and_its_data_lies_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    project = bm.init("press", path=tmp_path / "Dropbox" / "press", models=["double/answer"])
    assert flow().run(corpus(1)).counts == {"ok": 1}
    assert [text for what, text in project.summary() if what == "note" and "is in Dropbox" in text]
    found = {path.name: path.parent for path in tmp_path.rglob("*") if path.name in ("cache.db", "traces.duckdb")}
    assert all(place.is_relative_to(tmp_path / "xdg") for place in found.values())
    assert set(found) == {"cache.db", "traces.duckdb"}
