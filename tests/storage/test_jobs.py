"""Orders to the poller: in order, one at a time, never lost."""

import asyncio
import socket
from contextlib import closing

from appliance.storage import database, jobs
from tests.storage.readings import HOUR, MINUTE, NOW, start_job, stored_job


def test_runs_from_put_to_finish(db):
    job_id = jobs.enqueue(db, "discover", NOW, {"entry": "192.168.1.0/24"})
    waiting = stored_job(db, job_id)
    assert (waiting.state, waiting.put_at, waiting.started_at) == ("waiting", NOW, None)
    taken = start_job(db, NOW + MINUTE)
    assert (taken.id, taken.kind, taken.arguments) == (job_id, "discover", {"entry": "192.168.1.0/24"})
    assert (taken.state, taken.started_at) == ("running", NOW + MINUTE)
    jobs.update_progress(db, job_id, {"asked": 10, "printers": [1, 2]})
    assert stored_job(db, job_id).progress == {"asked": 10, "printers": [1, 2]}
    jobs.finish(db, job_id, "done", {"read": 2}, NOW + HOUR)
    done = stored_job(db, job_id)
    assert (done.state, done.result, done.finished_at) == ("done", {"read": 2}, NOW + HOUR)


def test_one_at_a_time_the_oldest_first(db):
    first = jobs.enqueue(db, "query", NOW)
    second = jobs.enqueue(db, "discover", NOW)
    assert start_job(db, NOW).id == first
    assert jobs.start_next(db, NOW) is None
    jobs.finish(db, first, "failed", {"error": "no network"}, NOW)
    assert start_job(db, NOW).id == second
    jobs.finish(db, second, "done", {}, NOW)
    assert jobs.start_next(db, NOW) is None


def test_a_few_printers_are_read_beside_a_whole_run(db):
    whole, few = jobs.enqueue(db, "discover", NOW), jobs.enqueue(db, "query", NOW, {"printers": [1]})
    other = jobs.enqueue(db, "query", NOW, {"printers": [2]})
    assert start_job(db, NOW).id == whole
    taken = start_job(db, NOW, partial=True)
    assert (taken.id, jobs.is_partial(taken)) == (few, True)
    assert jobs.start_next(db, NOW) is None
    assert jobs.start_next(db, NOW, partial=True) is None
    assert jobs.interrupt_running(db, NOW) == 1
    assert (stored_job(db, whole).state, stored_job(db, few).state) == ("interrupted", "running")
    assert jobs.interrupt_running(db, NOW, partial=True) == 1
    assert jobs.start_next(db, NOW) is None
    assert start_job(db, NOW, partial=True).id == other


def test_two_processes_never_take_the_same_one(db, home):
    with closing(database.open_database(home / "printmonitor.db")) as other:
        jobs.enqueue(db, "query", NOW)
        jobs.enqueue(db, "discover", NOW)
        assert start_job(db, NOW) is not None
        assert jobs.start_next(other, NOW) is None


def test_the_same_wish_waits_once_but_may_come_again_while_it_runs(db):
    first = jobs.enqueue(db, "query", NOW, {"printers": [1]})
    assert jobs.enqueue(db, "query", NOW, {"printers": [1]}) == first
    assert jobs.enqueue(db, "query", NOW, {"printers": [2]}) != first
    assert jobs.enqueue(db, "discover", NOW, {"printers": [1]}) != first
    start_job(db, NOW, partial=True)
    assert jobs.enqueue(db, "query", NOW, {"printers": [1]}) != first


def test_what_is_finished_stays_as_it_is(db):
    job_id = jobs.enqueue(db, "query", NOW)
    start_job(db, NOW)
    jobs.finish(db, job_id, "interrupted", {"read": 3}, NOW)
    jobs.finish(db, job_id, "done", {}, NOW + HOUR)
    jobs.update_progress(db, job_id, {"asked": 99})
    job = stored_job(db, job_id)
    assert (job.state, job.result, job.progress, job.finished_at) == ("interrupted", {"read": 3}, {}, NOW)


def test_a_restart_closes_what_was_running_and_keeps_what_waits(db):
    running, waiting = jobs.enqueue(db, "query", NOW), jobs.enqueue(db, "discover", NOW)
    start_job(db, NOW)
    assert jobs.interrupt_running(db, NOW + HOUR) == 1
    assert jobs.interrupt_running(db, NOW + HOUR) == 0
    assert (stored_job(db, running).state, stored_job(db, running).finished_at) == ("interrupted", NOW + HOUR)
    assert start_job(db, NOW + HOUR).id == waiting


def test_keeps_the_newest_and_all_that_wait(db):
    waiting = jobs.enqueue(db, "discover", NOW)
    db.execute("BEGIN")
    for number in range(jobs.MAX_FINISHED_JOBS + 10):
        jobs.finish(db, jobs.enqueue(db, "query", NOW, {"number": number}), "done", {}, NOW)
    db.execute("COMMIT")
    jobs.prune(db)
    left = jobs.list_recent(db, limit=1000)
    assert len(left) == jobs.MAX_FINISHED_JOBS + 1
    assert left[0].arguments == {"number": jobs.MAX_FINISHED_JOBS + 9}
    assert left[-1].id == waiting
    assert jobs.get(db, waiting + 1) is None
    assert [job.id for job in jobs.list_recent(db, limit=2)] == [left[0].id, left[1].id]


class TestWake:
    async def test_reaches_whoever_listens(self, tmp_path):
        path = tmp_path / ("deep" * 30) / "poller.wake"
        path.parent.mkdir()
        with jobs.listen(path) as woken:
            assert not woken.is_set()
            for _ in range(2):
                jobs.wake(path)
                await asyncio.wait_for(woken.wait(), 5)
                woken.clear()
        assert not path.exists()

    async def test_never_waits_for_a_listener_that_is_busy(self, tmp_path):
        path = tmp_path / "poller.wake"
        with jobs.listen(path) as woken:
            for _ in range(5_000):  # many more than the socket holds
                jobs.wake(path)
            await asyncio.wait_for(woken.wait(), 5)

    def test_nobody_listening_is_no_fault(self, tmp_path):
        jobs.wake(tmp_path / "nobody")
        jobs.wake(tmp_path / "no" / "folder")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
            gone.bind(str(tmp_path / "gone"))
        jobs.wake(tmp_path / "gone")

    async def test_takes_the_place_of_a_listener_that_was_killed(self, tmp_path):
        path = tmp_path / "poller.wake"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
            killed.bind(str(path))
        with jobs.listen(path) as woken:
            jobs.wake(path)
            await asyncio.wait_for(woken.wait(), 5)
