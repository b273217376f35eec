"""Installs, starts, stops and shares a LocalStack that serves S3 on loopback: no Docker, no token.

A server holds an exclusive lock on its `alive` file for as long as it lives, so who can take that lock
knows that it is dead: no process is ever signalled because a number on disk happens to be in use again.
Everything that changes the state folder does so under `lock`.
"""

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# 4.14.0 is the last release that runs without a token; it does not start on Python below 3.13, nor
# 4.13.1 below 3.11, whatever their metadata say.
RELEASE = "4.14.0" if sys.version_info >= (3, 13) else "4.13.1"
INSTALLED = ".installed"

DEFAULT_PORT = 4566
LEASED_PORTS = range(14566, 14666)
WAIT_FOR_OTHERS = 600
WAIT_FOR_START = 120
WAIT_FOR_STOP = 10
# Test binaries run one after the other: the next one shall find the server still up.
GRACE_AFTER_LEASE = 5


class Failure(Exception):
    """What went wrong and what to do about it, as it is printed."""


def say(message):
    print(f"localstack: {message}", file=sys.stderr, flush=True)


def lock_now(file, how):
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


@contextlib.contextmanager
def exclusive(state):
    with open(state / "lock", "a") as file:
        deadline = time.monotonic() + WAIT_FOR_OTHERS
        waiting = False
        while not lock_now(file, fcntl.LOCK_EX):
            if not waiting:
                say("waiting for another start, stop or installation")
                waiting = True
            if time.monotonic() > deadline:
                raise Failure(f"{state / 'lock'} has been held for {WAIT_FOR_OTHERS} s; "
                              "see with `ps` what hangs, end it and try again")
            time.sleep(0.1)
        yield


def install(state):
    """Returns the interpreter of a complete installation of LocalStack."""
    return install_pins(state, f"LocalStack {RELEASE}", HERE / "pins" / f"{RELEASE}.txt")


def install_pins(state, what, pins):
    """Returns the interpreter of a complete installation of the pinned packages."""
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    venv = state / f"venv-{pins.stem}-{digest}"
    python = venv / "bin" / "python"
    if (venv / INSTALLED).exists():
        return python
    say(f"installing {what} for Python {sys.version_info[0]}.{sys.version_info[1]} into {venv}")
    shutil.rmtree(venv, ignore_errors=True)
    try:
        # In this order a killed installation has no mark, and the next start begins anew.
        run_quietly([sys.executable, "-I", "-m", "venv", venv])
        run_quietly([python, "-I", "-m", "pip", "install", "--quiet", "--no-deps", "--no-input",
                     "--disable-pip-version-check", "--requirement", pins])
    except subprocess.CalledProcessError as error:
        raise Failure(f"could not install {what}:\n{error.stdout.strip()}\n"
                      "The first start needs a package index (PyPI, or what pip is configured to use); "
                      "later ones need no network. Mend that and try again.") from error
    (venv / INSTALLED).touch()
    return python


def run_quietly(command):
    subprocess.run(command, check=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)


class Instance:
    """The server on one port, running or not."""

    def __init__(self, state, port):
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self.folder = state / f"run-{port}"
        self.log = self.folder / "log"

    def alive(self):
        try:
            with open(self.folder / "alive", "r+") as file:
                return not lock_now(file, fcntl.LOCK_EX)
        except FileNotFoundError:
            return False

    def pid(self):
        try:
            return int((self.folder / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def start(self, python):
        if not port_is_free(self.port):
            raise PortTaken(f"port {self.port} is taken by something else; stop that, "
                            "or choose another port with LOCALSTACK_PORT")
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(HERE / "init", self.folder / "fs" / "etc" / "localstack" / "init")
        (self.folder / "tmp").mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "SERVICES": "s3",
            "EAGER_SERVICE_LOADING": "1",
            # A plain 127.0.0.1 is not obeyed: it would listen on every interface.
            "GATEWAY_LISTEN": f"[::ffff:127.0.0.1]:{self.port}",
            "S3_SKIP_SIGNATURE_VALIDATION": "0",
            # No events, no DNS server and no downloads: it must run without a network.
            "DISABLE_EVENTS": "1",
            "DNS_ADDRESS": "0",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            # Keeps it out of /etc and /var.
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": str(self.folder / "fs"),
        }
        with open(self.folder / "alive", "a") as alive, open(self.log, "w") as log:
            fcntl.flock(alive, fcntl.LOCK_EX)
            # The shell writes the number before LocalStack runs, so a running one is never without.
            server = subprocess.Popen(
                ["/bin/sh", "-c", 'echo $$ >pid && exec "$@"', "sh", python, "-m", "localstack.runtime.main"],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, pass_fds=[alive.fileno()], start_new_session=True)
        try:
            self.wait_until_ready(server.poll)
        except Failure:
            self.stop(keep_log=True)
            raise

    def wait_until_ready(self, ended=lambda: None):
        deadline = time.monotonic() + WAIT_FOR_START
        while time.monotonic() < deadline:
            if self.is_ready():
                return
            if ended() is not None or not self.alive():
                raise Failure(f"the server on port {self.port} ended while it started; "
                              f"the end of {self.log}:\n{self.log_tail()}")
            time.sleep(0.1)
        raise Failure(f"the server on port {self.port} was not ready after {WAIT_FOR_START} s; stop it with "
                      f"localstack/down and try again; the end of {self.log}:\n{self.log_tail()}")

    def is_ready(self):
        stages = self.get("/_localstack/init")
        if stages is None or not stages["completed"]["READY"]:
            return False
        failed = [script["name"] for script in stages["scripts"] if script["state"] != "SUCCESSFUL"]
        if failed:
            raise Failure(f"the server on port {self.port} could not run {', '.join(failed)}; "
                          f"the end of {self.log}:\n{self.log_tail()}")
        # A server that finds its port taken lives on without it, and then the other one answers here.
        answering = self.get("/_test/instance")
        if answering is None or answering["pid"] != self.pid():
            raise PortTaken(f"port {self.port} is answered by another server; choose another with LOCALSTACK_PORT")
        return True

    def get(self, path):
        """The JSON that the port answers, if it does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return json.loads(response.read()) if response.status == 200 else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])

    def stop(self, keep_log=False):
        for how in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + WAIT_FOR_STOP
            while self.alive() and time.monotonic() < deadline:
                pid = self.pid()
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(pid, how)
                time.sleep(0.1)
        if self.alive():
            raise Failure(f"the server on port {self.port} (process {self.pid()}) does not stop; end it by hand")
        if not keep_log:
            shutil.rmtree(self.folder, ignore_errors=True)


class PortTaken(Failure):
    pass


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def up(state, port):
    with exclusive(state):
        instance = Instance(state, port)
        if instance.alive():
            instance.wait_until_ready()
        else:
            instance.start(install(state))
    print(instance.endpoint, flush=True)


def down(state, port):
    with exclusive(state):
        instance = Instance(state, port)
        if not instance.alive():
            say(f"nothing of {state} runs on port {port}")
        instance.stop()


def lease(state):
    # A Ctrl-C or a closed terminal is meant for the tests: this process outlives them to clean up.
    with contextlib.suppress(PermissionError):
        os.setsid()
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)

    with open(state / "leases", "a") as leases:
        with exclusive(state):
            fcntl.flock(leases, fcntl.LOCK_SH)
            instance = leased_instance(state)
        print(instance.endpoint, flush=True)
        # Whoever reads this output to its end must not wait for a process that stays behind.
        with open(state / "lease.log", "a") as log:
            os.dup2(log.fileno(), sys.stdout.fileno())
            os.dup2(log.fileno(), sys.stderr.fileno())

        while os.read(sys.stdin.fileno(), 4096):
            pass
        time.sleep(GRACE_AFTER_LEASE)
        with exclusive(state):
            fcntl.flock(leases, fcntl.LOCK_UN)
            if lock_now(leases, fcntl.LOCK_EX):
                recorded_instance(state).stop()


def recorded_instance(state):
    try:
        return Instance(state, int((state / "leased-port").read_text()))
    except (FileNotFoundError, ValueError):
        return None


def leased_instance(state):
    """The server that all leases share: the running one, else a new one on a port that is free."""
    shared = recorded_instance(state)
    if shared and shared.alive():
        try:
            shared.wait_until_ready()
            return shared
        except Failure as failure:
            say(f"replacing a server that does not answer: {failure}")
            shared.stop()

    python = install(state)
    for port in filter(port_is_free, LEASED_PORTS):
        instance = Instance(state, port)
        (state / "leased-port").write_text(str(port))
        try:
            instance.start(python)
            return instance
        except PortTaken:
            continue
    raise Failure(f"no port from {LEASED_PORTS.start} to {LEASED_PORTS.stop - 1} is free; stop what holds them")


def state_folder():
    target = os.environ.get("CARGO_TARGET_DIR") or HERE.parent / "target"
    state = Path(os.environ.get("LOCALSTACK_STATE") or Path(target) / "localstack")
    try:
        state.mkdir(parents=True, exist_ok=True)
        state = state.resolve()
        with open(state / "lock", "a"):
            return state
    except OSError as error:
        raise Failure(f"cannot write to {state}: {error.strerror}; "
                      "make it writable or name another folder in LOCALSTACK_STATE") from error


def port_by_hand():
    text = os.environ.get("LOCALSTACK_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Failure(f"LOCALSTACK_PORT is {text!r}, which is no port; use a number from 1 to 65535")
    return int(text)


def main():
    command = sys.argv[1]
    if command == "up":
        up(state_folder(), port_by_hand())
    elif command == "down":
        down(state_folder(), port_by_hand())
    elif command == "lease":
        lease(state_folder())


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        say(failure)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
