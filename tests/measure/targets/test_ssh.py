"""A board over ssh: sessions against an ssh server of the test's own on this machine, also when the connection ends."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from nntest.errors import ConnectionLostError, MissingPartError, UsageError
from nntest.measure.driver import DriverCrash
from nntest.measure.libraries import FoundLibrary, find_library
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session
from nntest.measure.targets.connection import CONFIG_VARIABLE, Address, Connection
from nntest.measure.targets.ssh import require_portable, world_on_board
from nntest.measure.world import World, real_world
from tests.measure.fake_world import LoggingReporter
from tests.programs.build import CACHE, REPOSITORY, built, case_of

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
needs_server = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None,
    reason="sshd or ssh was not found; `apt install openssh-server openssh-client`",
)


class Server:
    """An ssh server on a port of its own, with keys of its own, for this user alone."""

    def __init__(self, folder: Path) -> None:
        assert SSHD is not None
        for name in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        shutil.copy(folder / "user.pub", folder / "authorized")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "sshd.conf").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nUsePAM no\n"
        )
        self.config = folder / "ssh.conf"
        self.config.write_text(
            f"Host *\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
            f"  UserKnownHostsFile {folder}/known\n  LogLevel ERROR\n"
        )
        self._command = [SSHD, "-D", "-e", "-f", str(folder / "sshd.conf")]
        self._log = folder / "log"
        self.start()

    @property
    def target(self) -> str:
        return f"ssh:{getpass.getuser()}@127.0.0.1:{self.port}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        pytest.skip(f"sshd does not start here: {self._log.read_text()[-200:]}")

    def cut(self) -> None:
        """End every connection; the server goes on."""
        if self._process.poll() is None:
            for child in psutil.Process(self._process.pid).children():
                child.kill()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd of Debian wants it when it is root's
    folder = tmp_path / "ssh"
    folder.mkdir()
    running = Server(folder)
    yield running
    running.cut()
    running.stop()


@pytest.fixture
def board(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the world of this machine as a board, whose points and caches are the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "cache" / "nntest"
    root.mkdir(parents=True)
    (root / "builds").symlink_to(CACHE)
    here = replace(real_world(), lock_path=tmp_path / "lock", cache_root=root)
    world = world_on_board(server.target, here, {CONFIG_VARIABLE: str(server.config)})
    from nntest.store.repository import Repository

    return replace(
        world,
        repositories=[Repository("nntest", REPOSITORY)],
        repository=lambda name: Repository(name, tmp_path / name),
        choose_cores=lambda threads: (),
    )


def measure(board: World, reporter: LoggingReporter | None = None, **options: object) -> Summary:
    request = RunRequest(
        programs="softmax-plain-cpu",
        dataset_uoa="tensor-softmax-synthetic",
        repetitions=2,
        launches=1,
        timestamp="t",
        **options,  # type: ignore[arg-type]
    )
    plan = plan_session(request, board)
    # a group of its own for each shape
    from nntest.measure.groups import make_group

    groups = tuple(make_group(number, [trial], plan.plan) for number, trial in enumerate(plan.trials))
    return run_session(replace(plan, groups=groups), reporter, board)


@pytest.mark.parametrize(
    ("target", "user", "host", "port"),
    [("ssh:me@board", "me", "board", ""), ("ssh:10.0.0.7:2222", "", "10.0.0.7", "2222")],
)
def test_addresses(target: str, user: str, host: str, port: str) -> None:
    assert Address.parse(target) == Address(user=user, host=host, port=port)


@pytest.mark.parametrize(
    "target", ["ssh:", "ssh:-oProxyCommand=x", "ssh:a b", "ssh:me@", "ssh:me@-x", "ssh:b;c", "ssh:$(x)"]
)
def test_what_is_no_address_reaches_no_shell(target: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse(target)
    assert str(caught.value) == f"target: {target!r} was given; expected ssh:user@board or ssh:user@board:port"


def test_a_library_that_lives_in_python_is_not_carried_to_a_board() -> None:
    plain = find_library("plain-cpu")
    require_portable(plain)
    with pytest.raises(MissingPartError) as caught:
        require_portable(FoundLibrary(library=replace(plain.library, name="ncnn-cpu"), python=(Path("/site"),)))
    assert str(caught.value) == (
        "ncnn-cpu: its programs run inside Python, which is not copied to a board; "
        "install nntest on the board and measure there"
    )


@needs_server
def test_words_reach_the_board_as_they_are_and_files_too(server: Server, tmp_path: Path) -> None:
    connection = Connection(Address.parse(server.target), {CONFIG_VARIABLE: str(server.config)})
    odd = "a b; 'c' $(d) \"e\" \\ `f`"
    assert connection.run(["printf", "%s", odd]).decode() == odd
    (tmp_path / "file").write_bytes(b"content")
    connection.put(tmp_path / "file", str(tmp_path / "there" / odd))
    assert (tmp_path / "there" / odd).read_bytes() == b"content"
    assert [path.name for path in (tmp_path / "there").iterdir()] == [odd]


@needs_server
def test_a_board_out_of_reach_is_told_with_what_must_work(server: Server) -> None:
    server.stop()
    connection = Connection(Address.parse(server.target), {CONFIG_VARIABLE: str(server.config)})
    with pytest.raises(ConnectionLostError) as caught:
        connection.run(["true"])
    message = str(caught.value)
    assert message.startswith(f"ssh:{getpass.getuser()}@127.0.0.1: no connection (")
    assert message.endswith(f"`ssh -o BatchMode=yes {getpass.getuser()}@127.0.0.1 true` must work")


@needs_server
@pytest.mark.native
def test_a_session_measures_on_the_board_and_names_neither_user_nor_host(board: World) -> None:
    summary = measure(board, dump=None)
    assert summary.exit_code == 0
    assert summary.points == 5
    for point in summary.results:
        assert point.verification.verified
        assert point.platform.target == "ssh"
        assert point.samples[0].at_s >= 0
        assert getpass.getuser() + "@" not in str(point.platform.block())
        assert "127.0.0.1" not in str(point.platform.block())
    here = real_world().platform()
    assert replace(summary.results[0].platform, target="native") == here


@needs_server
@pytest.mark.native
def test_a_lost_connection_loses_one_group_and_resume_completes(board: World, server: Server) -> None:
    started = []

    def cut_in_the_second_group(*arguments: object, **options: object) -> object:
        driver = start(*arguments, **options)  # type: ignore[arg-type]
        started.append(driver)
        if len(started) == 2:
            server.cut()
        return driver

    start = board.start_driver
    reporter = LoggingReporter()
    first = measure(replace(board, start_driver=cut_in_the_second_group), reporter)  # type: ignore[arg-type]
    assert (first.points, first.lost_groups, first.exit_code) == (4, 1, 3)
    assert first.failed == 0
    assert first.advice == (
        "the connection was lost, and 1 group with it: 4 points are on disk; "
        "add --timestamp=t --resume to the same command to do the rest"
    )
    assert any(note.startswith("group 1 is lost: ssh:") for note in reporter.notes)
    second = measure(board, resume=True)
    assert (second.points, second.skipped, second.exit_code) == (1, 4, 0)


@needs_server
@pytest.mark.native
def test_a_board_that_is_gone_ends_the_session(board: World, server: Server) -> None:
    def stop_in_the_first_group(*arguments: object, **options: object) -> object:
        driver = start(*arguments, **options)  # type: ignore[arg-type]
        server.cut()
        server.stop()
        return driver

    start = board.start_driver
    first = measure(replace(board, start_driver=stop_in_the_first_group))  # type: ignore[arg-type]
    assert (first.points, first.lost_groups, first.exit_code) == (0, 5, 3)
    server.start()
    assert measure(board, resume=True).points == 5


@needs_server
@pytest.mark.native
def test_a_crash_on_the_board_is_a_crash_and_no_lost_connection(board: World) -> None:
    with (
        board.start_driver(built("conv-crash-cpu"), cores=(), threads=1, env={}, heap_offset=0, timeout_s=60) as driver,
        pytest.raises(DriverCrash, match=r"the driver was ended by SIG"),
    ):
        driver.setup(1, case_of("conv-crash-cpu"))
        driver.block(1, loops=1)
