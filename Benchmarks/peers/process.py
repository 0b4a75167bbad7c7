"""The parent's end of a worker: started, told what to do, and stopped in its tracks while another one is measured."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))

# So that glibc's allocator does not give pages back after each evaluation, and uses huge ones: the rivals make and drop
# large arrays all the time. It makes a process larger, so memory is measured without it.
TUNED_ALLOCATOR = ":".join(
    (
        "glibc.malloc.mmap_threshold=4294967296",
        "glibc.malloc.trim_threshold=8589934592",
        "glibc.malloc.top_pad=67108864",
        "glibc.malloc.hugetlb=1",
    )
)
# Settings of the caller's that would slow a rival, or speed its second start.
NOT_INHERITED = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OMP_WAIT_POLICY",
    "JAX_COMPILATION_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "XLA_FLAGS",
    "GLIBC_TUNABLES",
    "CNF_ISA",
)


class WorkerFailed(Exception):
    pass


def environment(threads, is_tuned, cache):
    """Of a process that may use `threads` threads and keeps what it compiles in `cache`."""
    values = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC", "PJRT_NPROC"):
        values[name] = str(threads)
    values["JAX_PLATFORMS"] = "cpu"
    values["TORCHINDUCTOR_CACHE_DIR"] = cache
    if threads == 1:
        values["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if is_tuned:
        values["GLIBC_TUNABLES"] = TUNED_ALLOCATOR
    return values


class Worker:
    """A worker process. It runs only while it is asked something."""

    def __init__(self, script, job, cache, log, is_tuned=True):
        self.log = open(log, "w+")
        self.buffer = b""
        self.is_paused = False
        started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, script), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment(job["threads"], is_tuned, cache),
        )
        self.started = started

    def wait_until_built(self, seconds):
        """The worker's first line, with the seconds from its start to its first result."""
        answer = self.answer(seconds)
        answer["first_seconds"] = answer["first_at"] - self.started
        return answer

    def ask(self, command, seconds):
        if self.is_paused:
            self.process.send_signal(signal.SIGCONT)
            self.is_paused = False
        try:
            self.process.stdin.write((command + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died: answer() says how
        return self.answer(seconds)

    def answer(self, seconds):
        """The next line, as a dictionary; the process is paused after it."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise WorkerFailed(f"no answer within {seconds:.0f} s")
                piece = os.read(self.process.stdout.fileno(), 65536)
                if not piece:
                    raise WorkerFailed(self.last_words())
                self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.process.send_signal(signal.SIGSTOP)
        self.is_paused = True
        return json.loads(line)

    def last_words(self):
        code = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return f"ended with {code}: {lines[-1] if lines else 'no message'}"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
