"""Whole runs of `ganworks run`, each in a process of its own, kept so that a stopped benchmark goes on.

What all runs of an experiment share, from the images to the classifier that judges, is made once, and the runs take it
from their cache: they have the same examples, judge and noise floor. `python -m benchmarks.experiments.pipelines
EXPERIMENT.json ROOT` makes it. What was trained is judged anew, and not trained again, where the evaluation alone has
changed.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.config import Experiment
from models.digests.packages import code_hash
from pipeline import session

FIRST_OWN = "GanTrainer"
"""The first stage that the runs of an experiment do not share."""

DONE = "done.json"
"""What is written below a root last: `minutes` and `code`."""

TRAINED = ("name", "data", "scheme", "training")
"""The parts of an experiment that decide what is trained."""

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1_024
"""Bytes of what the system counts memory in."""

RUN = ("-c", "from pipeline.cli import main; main()", "run")

Record = dict[str, Any]


def code() -> str:
    """A digest of the code that decides the figures of a run."""
    return code_hash("models", "components")


class Run(NamedTuple):
    """One run of an experiment.

    Attributes:
        name: unlike all others of the benchmark.
        base: the experiment's name, as `ganworks run` knows it.
        settings: what the run changes, as `--set` takes it.
        experiment: the experiment with these settings.
    """

    name: str
    base: str
    settings: tuple[str, ...]
    experiment: Experiment


def carry_out(runs: Sequence[Run], root: Path, jobs: int, say: Callable[[Run, Record], None]) -> list[Record]:
    """Runs what has no record yet.

    Args:
        runs: what to run.
        root: receives a record a run, a root a run, and what they share. A run whose record is of the same experiment
            is not repeated; one that was stopped begins again, so that its time is of one piece.
        jobs: how many go at a time, each on cores of its own.
        say: told of each run that has ended, and of each that was kept.

    Returns:
        Their records in the order of the runs: `blessed` (judged, served and pushed), `reason`, `metrics` as the
        evaluator writes them, `minutes` with the share of what was made once, `cores`, `peak_bytes`, the largest memory
        of a process of it or of what was made once, which older records lack, and `code` that made it.

    Raises:
        ValueError: there are fewer cores than jobs, or a run failed; a training that diverged is no failure, but a run
            that is not blessed.
    """
    cores = sorted(os.sched_getaffinity(0))
    if not 1 <= jobs <= len(cores):
        raise ValueError(f"--jobs is 1 to {len(cores)}, the cores of this process; received {jobs}")
    root = root.resolve()
    free: queue.Queue[list[int]] = queue.Queue()
    for job in range(jobs):
        free.put(cores[job * len(cores) // jobs : (job + 1) * len(cores) // jobs])
    missing = [run for run in runs if not record_of(run, root).exists()]
    for run in runs:
        if run not in missing:
            say(run, json.loads(record_of(run, root).read_text()))
    with Processes() as processes, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        shared = {run.base: _share(run, root, processes) for run in missing}
        pending = {pool.submit(_carry_out, run, root, shared[run.base], processes, free): run for run in missing}
        try:
            for done in concurrent.futures.as_completed(pending):
                say(pending[done], done.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.kill()
            raise
    return [json.loads(record_of(run, root).read_text()) for run in runs]


def record_of(run: Run, root: Path) -> Path:
    """The file of a run's record: another experiment under the same name has another."""
    return root / "records" / f"{run.name}-{digest(run.experiment.key())}.json"


def place_of(run: Run, root: Path) -> Path:
    """The root of a run: of one training, whatever is judged of it."""
    # what is kept of a training is decided when it has ended
    trained_as = run.experiment.override(["training.keep=last"])
    return root / "runs" / f"{run.name}-{digest(trained_as.key(TRAINED))}"


def share(experiment: Experiment, root: Path) -> None:
    """Runs the stages up to the classifier that judges, below a root, whose cache the runs are given."""
    began = time.time()
    with session.locked(root), session.logged(root / "logs" / "run.log") as console:
        from components.example_gen.sources.source import fingerprint
        from pipeline.local_runner import Runner
        from pipeline.pipeline import create_pipeline
        from pipeline.summary import Summary

        pipeline = create_pipeline(experiment, str(root), fingerprint=fingerprint(*experiment.data.domains))
        runner = Runner(pipeline, Summary(experiment, root), console)
        names = [node.pipeline_node.node_info.id for node in runner.pipeline.nodes]
        del runner.pipeline.nodes[names.index(FIRST_OWN) :]
        runner.run()
        write(root / DONE, {"minutes": (time.time() - began) / 60, "code": code()})


class Ended(NamedTuple):
    """A process that ended.

    Attributes:
        code: its exit code.
        peak_bytes: the largest memory that it had, or a process that it started and waited for; at least that of this
            process when it started it, which the system counts too. A run imports more than a benchmark.
    """

    code: int
    peak_bytes: int


class Processes:
    """The processes of a benchmark, which end with it."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def __enter__(self) -> "Processes":
        # to be stopped by `kill` is as good as by Ctrl-C
        self._before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        signal.signal(signal.SIGTERM, self._before)

    def call(self, arguments: Sequence[str], cores: list[int], output: Path) -> Ended:
        """Runs Python with these arguments on these cores. What it prints goes to a file."""
        ours = str(Path(__file__).parents[2])
        paths = os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603 - ourselves
                # the code that this process runs, whatever lies in the current folder
                [sys.executable, "-P", *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": paths},
                start_new_session=True,
            )
        self._running.add(process)
        try:
            # its libraries start their threads later, and count the cores that it has then
            os.sched_setaffinity(process.pid, cores)
            if self._ended:
                self.kill()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)  # as nobody can wait for it again
            return Ended(process.returncode, used.ru_maxrss * MAXRSS_UNIT)
        except BaseException:
            self.kill()
            process.wait()
            raise
        finally:
            self._running.discard(process)

    def kill(self) -> None:
        """Ends all of them, with what they started."""
        self._ended = True
        for process in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _share(run: Run, root: Path, processes: Processes) -> Path:
    """What the runs of an experiment share, made if need be; its root."""
    judge = run.experiment.evaluation.model_dump(include={"extractor", "extractor_weights", "extractor_steps", "seed"})
    judged_by = digest(run.experiment.key(("name", "data")) + json.dumps(judge) + code())
    place = root / "shared" / f"{run.base}-{judged_by}"
    if not (place / DONE).exists():
        place.mkdir(parents=True, exist_ok=True)
        write(place / "experiment.json", json.loads(run.experiment.to_json()))
        arguments = ["-m", "benchmarks.experiments.pipelines", str(place / "experiment.json"), str(place)]
        log = place / "logs" / "output"
        ended = processes.call(arguments, sorted(os.sched_getaffinity(0)), log)
        if ended.code:
            raise ValueError(f"what the runs of {run.base} share cannot be made: {_last_line(log)}; see {log.parent}")
        write(place / DONE, json.loads((place / DONE).read_text()) | {"peak_bytes": ended.peak_bytes})
    return place


def _carry_out(run: Run, root: Path, shared: Path, processes: Processes, free: "queue.Queue[list[int]]") -> Record:
    """One run on cores that are free, with its record."""
    cores = free.get()
    try:
        place = place_of(run, root)
        with session.locked(place):
            if (trained := _done(place)) is None:
                _clear(place)
                shutil.copy(shared / "metadata.sqlite", place)
        options = ["--root", str(place), *(part for setting in run.settings for part in ("--set", setting))]
        began = time.monotonic()
        ended = processes.call([*RUN, run.base, *options], cores, place / "logs" / "output")
        outcome = _outcome(run, place, ended.code)
        if trained is None:
            before = json.loads((shared / DONE).read_text())
            minutes = (time.monotonic() - began) / 60 + before["minutes"]
            peak = max(ended.peak_bytes, before.get("peak_bytes", 0))
            trained = {"minutes": round(minutes, 2), "cores": len(cores), "peak_bytes": peak, "code": code()}
            write(place / DONE, trained)
        write(record_of(run, root), outcome | trained)
        return outcome | trained
    finally:
        free.put(cores)


def _done(place: Path) -> Record | None:
    """What is known of the run that ended in a root; None where none did, or other code than this made it."""
    done = json.loads((place / DONE).read_text()) if (place / DONE).exists() else {}
    return done if done.get("code") == code() else None


def _clear(place: Path) -> None:
    """Empties a root but for its lock."""
    for left in place.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left.name != ".lock":
            left.unlink()


def _outcome(run: Run, place: Path, exit_code: int) -> Record:
    """What became of a run that ended with this exit code."""
    from pipeline.summary import NOT_BLESSED, PUSHED

    summary = place / "summary.json"
    tree = json.loads(summary.read_text()) if summary.exists() else {}
    error = tree.get("error") or _last_line(place / "logs" / "output")
    if exit_code not in (PUSHED, NOT_BLESSED) and "training diverged" not in error:
        raise ValueError(f"{run.name} ended with exit code {exit_code}: {error}; see {place / 'logs'}")
    unserved = tree.get("blessed") and exit_code != PUSHED
    reason = tree.get("served") if unserved else tree.get("reason")
    return {"blessed": exit_code == PUSHED, "reason": reason or error, "metrics": tree.get("metrics", {})}


def digest(text: str) -> str:
    """Eight hexadecimal digits that tell a text from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def write(path: Path, tree: Any) -> None:
    """Writes it whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(tree, indent=1))
    new.replace(path)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


if __name__ == "__main__":
    try:
        share(Experiment.from_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
    except ValueError as error:
        sys.exit(str(error))
