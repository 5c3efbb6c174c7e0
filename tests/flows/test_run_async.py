"""Running inside a loop, as a notebook does."""

import asyncio

import pytest
from support.study import corpus, flow, stop_after

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop


def test_run_async_works_inside_a_running_loop(project):
    async def cell():
        return await flow().run_async(corpus())

    assert asyncio.run(cell()).counts == {"ok": 3}


def test_run_works_inside_a_running_loop_too(project):
    async def cell():
        return flow().run(corpus())

    assert asyncio.run(cell()).counts == {"ok": 3}


def test_other_tasks_go_on_while_run_async_waits(make_project):
    make_project("double/slow?seconds=0.2")
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.01)

    async def cell():
        ticking = asyncio.create_task(tick())
        await flow().run_async(corpus())
        ticking.cancel()

    asyncio.run(cell())
    assert len(ticks) > 5


def test_setup_errors_of_run_async_come_before_anything_runs(project):
    with pytest.raises(bm.SetupError, match="the corpus is empty"):
        asyncio.run(flow().run_async(bm.Corpus([])))
    assert project.client.sent == 0


def test_stopping_run_async_raises_run_stopped(make_project):
    project = make_project("double/slow?seconds=0.2")

    async def cell():
        stop_after(project, 1)
        with pytest.raises(bm.errors.RunStopped, match="2 of 3 answers are missing"):
            await flow().run_async(corpus(), concurrency=1)

    asyncio.run(cell())
    assert bm.last_run().counts == {"ok": 1, "pending": 2}


async def cancelled(project, times):
    task = asyncio.create_task(flow().run_async(corpus(), concurrency=1))
    while not project.client.sent:  # noqa: ASYNC110  # it is sent in another thread
        await asyncio.sleep(0.005)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0.02)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("times", "seconds", "counts"), [(1, 0.3, {"ok": 1, "pending": 2}), (2, 30, {"cancelled": 1, "pending": 2})]
)
def test_cancelling_the_task_of_a_run_stops_it_as_ctrl_c_does(make_project, times, seconds, counts):
    asyncio.run(cancelled(make_project(f"double/slow?seconds={seconds}"), times))
    assert (bm.last_run().status, bm.last_run().counts) == ("interrupted", counts)
    assert bm.sql("select status from runs").status.item() == "interrupted"


def test_two_flows_run_at_once_in_one_program(make_project):
    make_project("double/slow?seconds=0.05")

    async def both():
        return await asyncio.gather(flow().run_async(corpus(3)), flow().run_async(corpus(4)))

    assert [run.counts for run in asyncio.run(both())] == [{"ok": 3}, {"ok": 4}]
    assert len(bm.sql("select * from traces")) == 7


def test_a_time_out_of_the_work_itself_is_raised():
    async def work():
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="the work's own"):
        event_loop.wait(event_loop.submit(work()), lambda presses: None)


def test_stopping_a_run_in_a_task_leaves_the_loop_running(make_project):
    project = make_project("double/slow?seconds=0.2")

    async def cells():
        task = asyncio.create_task(flow().run_async(corpus(), concurrency=1))
        stop_after(project, 1)
        await asyncio.wait({task})
        return task.exception()

    assert isinstance(
        asyncio.run(cells()), bm.errors.RunStopped
    )  # Interrupted would end the loop, and a Jupyter kernel
