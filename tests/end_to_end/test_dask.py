"""On the workers of a real scheduler, whatever dies, the set is the one that a single process makes."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from clusters import Cluster, end, wait_until
from small_set import everything, write_protocol

from stimgen.execution.context import RunContext
from stimgen.execution.dask import dispatcher
from stimgen.execution.dask.local_cluster import worker_environments
from stimgen.execution.dask.messages import WorkerTask
from stimgen.execution.dask.workers import WorkerPool
from stimgen.execution.executor import GenerateOptions
from stimgen.execution.progress import RunProgress
from stimgen.protocol.load import LoadedProtocol
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.generate import generate_set

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> LoadedProtocol:
    return write_protocol(tmp_path_factory.mktemp("protocol") / "p", seeds=4, evaluations=30)


@pytest.fixture(scope="module")
def whole(protocol: LoadedProtocol) -> dict[str, object]:
    """All of the set that one process makes."""
    generate_set(protocol, protocol.folder / "set", GenerateOptions("cpu"))
    return everything(protocol.folder / "set")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start_scheduler()
        cluster.start_worker()
        cluster.start_worker()
        yield cluster
    finally:
        cluster.close()


def make(protocol: LoadedProtocol, folder: Path, cluster: Cluster) -> RunProgress:
    return generate_set(protocol, folder, GenerateOptions("cpu", dask=cluster.address))


def is_whole(folder: Path, whole: dict[str, object]) -> None:
    assert everything(folder) == whole
    assert verify_set(Store(folder)).problems == []


def pretend_version(folder: Path, package: str, version: str) -> dict[str, str]:
    """Return variables with which a process finds another version of a package."""
    found = folder / f"{package}-{version}.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.long
def test_the_same_set_through_a_shared_file_system(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path
) -> None:
    progress = make(protocol, tmp_path / "set", cluster)
    assert (progress.planned, progress.made, progress.failures) == (18, 18, [])
    is_whole(tmp_path / "set", whole)
    host = platform.node()
    assert f"workers on {host} write to {tmp_path / 'set'}" in progress.notices
    for record in Store(tmp_path / "set").read_records():
        assert (record.made.host, record.made.device, record.made.threads) == (host, "cpu", 1)
        assert record.made.versions["torch"]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """Tell workers of a folder that they do not have: they get the photographs, and send back files."""
    folder, describe_task = "/nowhere/at/all", dispatcher._describe_task

    def describe_elsewhere(pool: WorkerPool, context: RunContext) -> WorkerTask:
        return replace(describe_task(pool, context), folder=folder, file=f"{folder}/small.yaml")

    monkeypatch.setattr(dispatcher, "_describe_task", describe_elsewhere)
    return folder


@pytest.mark.long
def test_the_same_set_where_nothing_is_shared(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path, elsewhere: str
) -> None:
    progress = make(protocol, tmp_path / "set", cluster)
    assert progress.made == 18
    is_whole(tmp_path / "set", whole)
    host = platform.node()
    assert f"workers on {host} do not see {elsewhere}: they send back what they make" in progress.notices


@pytest.mark.long
def test_a_killed_worker_where_nothing_is_shared(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path, elsewhere: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(make, protocol, tmp_path / "set", cluster)
        wait_until(lambda: any((tmp_path / "set").glob("records/*/*.json")))
        cluster.kill_a_worker()
        progress = done.result()
    assert (progress.made, progress.failures) == (18, [])
    assert any(elsewhere in notice for notice in progress.notices)
    is_whole(tmp_path / "set", whole)


@pytest.mark.long
def test_a_killed_worker(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(make, protocol, tmp_path / "set", cluster)
        wait_until(lambda: any((tmp_path / "set").glob("records/*/*.json")))
        cluster.kill_a_worker()
        progress = done.result()
    assert (progress.made, progress.failures) == (18, [])
    is_whole(tmp_path / "set", whole)


@pytest.mark.long
def test_a_killed_client(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from stimgen.cli.main import main; main()", "generate"]
    command += [str(protocol.document.file), "--device", "cpu", "-o", str(tmp_path / "set")]
    client = subprocess.Popen([*command, "--dask", cluster.address, "--quiet"])
    try:
        wait_until(lambda: any((tmp_path / "set").glob("records/*/*.json")) or client.poll() is not None)
    finally:
        client.kill()
        client.wait()
    there = len(Store(tmp_path / "set").list_finished())
    assert 0 < there < 18
    assert make(protocol, tmp_path / "set", cluster).made <= 18 - there
    is_whole(tmp_path / "set", whole)


@pytest.mark.long
def test_unequal_versions_are_refused(protocol: LoadedProtocol, cluster: Cluster, tmp_path: Path) -> None:
    worker = cluster.join_worker(pretend_version(tmp_path / "other", "pillow", "0.1"))
    try:
        with pytest.raises(StimgenError, match=r"is not as this computer: pillow 0\.1 instead of"):
            make(protocol, tmp_path / "set", cluster)
    finally:
        end(worker)
    assert not (tmp_path / "set").exists()


@pytest.mark.long
def test_an_unequal_worker_that_comes_later_is_left_idle(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path
) -> None:
    late: list[subprocess.Popen[bytes]] = []

    def let_one_come(progress: RunProgress) -> None:
        if progress.made and not late:
            late.append(cluster.join_worker(pretend_version(tmp_path / "other", "pillow", "0.1")))

    try:
        options = GenerateOptions("cpu", dask=cluster.address)
        progress = generate_set(protocol, tmp_path / "set", options, let_one_come)
    finally:
        end(*late)
    assert any("is left idle: pillow 0.1 instead of" in notice for notice in progress.notices)
    assert (progress.made, progress.failures) == (18, [])
    is_whole(tmp_path / "set", whole)


@pytest.mark.long
def test_a_batch_that_kills_three_workers(cluster: Cluster, tmp_path: Path) -> None:
    """It is reported with its stimuli, a deadly one and its neighbour; the rest is made."""
    protocol = write_protocol(tmp_path / "p", seeds=3, evaluations=2, last=13)
    progress = make(protocol, tmp_path / "set", cluster)
    assert [failure.stimulus.seed for failure in progress.failures] == [1, 13]
    assert all("its batch killed its worker 3 times" in failure.reason for failure in progress.failures)
    assert progress.made == 12
    assert len(Store(tmp_path / "set").list_finished()) == 12


@pytest.mark.long
def test_a_scheduler_that_is_killed(
    protocol: LoadedProtocol, whole: dict[str, object], cluster: Cluster, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(make, protocol, tmp_path / "set", cluster)
        wait_until(lambda: any((tmp_path / "set").glob("records/*/*.json")))
        cluster.kill_scheduler()
        with pytest.raises(StimgenError, match="the Dask scheduler does not answer any more"):
            done.result()
    there = len(Store(tmp_path / "set").list_finished())
    assert 0 < there < 18
    with pytest.raises(StimgenError, match="no Dask scheduler answers at 'tcp://127"):
        make(protocol, tmp_path / "set", cluster)
    cluster.start_scheduler()
    cluster.start_worker()
    assert make(protocol, tmp_path / "set", cluster).made <= 18 - there
    is_whole(tmp_path / "set", whole)


def test_workers_of_this_computer(protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path) -> None:
    progress = generate_set(protocol, tmp_path / "set", GenerateOptions("cpu", workers=2))
    assert progress.made == 18
    dashboard = "dashboard of the workers: http://127.0.0.1:"
    assert any(notice.startswith(dashboard) for notice in progress.notices)
    is_whole(tmp_path / "set", whole)


class TestWhereWorkersRun:
    """What each process is told before it imports torch."""

    def test_cores_are_divided(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stimgen.execution.dask.local_cluster.available_cores", lambda: 8)
        assert [e["OMP_NUM_THREADS"] for e in worker_environments(3, "cpu")] == ["2", "2", "2"]
        assert [e["OMP_NUM_THREADS"] for e in worker_environments(9, "cpu")] == ["1"] * 9

    def test_a_gpu_for_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        assert [e["CUDA_VISIBLE_DEVICES"] for e in worker_environments(3, "auto")] == ["0", "1", "2"]
        assert "CUDA_VISIBLE_DEVICES" not in worker_environments(3, "cpu")[0]
        with pytest.raises(StimgenError, match="--workers 5: there are 4 GPUs here"):
            worker_environments(5, "auto")

    def test_of_those_that_a_job_was_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,GPU-8a")
        assert [e["CUDA_VISIBLE_DEVICES"] for e in worker_environments(2, "cuda")] == ["5", "GPU-8a"]

    @pytest.mark.parametrize(("count", "device"), [(0, "cpu"), (-1, "cpu"), (513, "cpu"), (2, "cuda:1")])
    def test_refused(self, count: int, device: str) -> None:
        with pytest.raises(StimgenError, match="--workers"):
            worker_environments(count, device)


def test_two_ways_at_once(protocol: LoadedProtocol, tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match="give only one of them"):
        generate_set(protocol, tmp_path / "set", GenerateOptions("cpu", dask="tcp://127.0.0.1:1", workers=2))
