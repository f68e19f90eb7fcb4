"""A server of its own for a test case: the real binary, the flags of shop.json, and the command
line to pull their levers with."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("LEVER_BIN", str(HERE.parent.parent / "target/debug/lever"))
COMMAND_SECONDS_MAX = 30


class Shop:
    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="lever-e2e-")
        self.folder = self._folder.name
        self._server = None
        try:
            self._start()
            for command in json.loads((HERE.parent / "shop.json").read_text())["commands"]:
                self.lever(*command)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        # Nothing of the person's own settings or profile gets in, and nothing is left there.
        own = {"HOME": self._folder.name, "NO_COLOR": "1", "LEVER_LOG": "warn"}
        self._environment = {"PATH": os.environ["PATH"], **own}
        data = str(Path(self._folder.name) / "data")
        self._server = subprocess.Popen(
            [BINARY, "serve", "--data", data, "--listen", "127.0.0.1:0", "--no-profile", "--json"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._server.stdout.readline()
        if not line:
            raise RuntimeError(f"lever serve ended with {self._server.wait()} before it was ready")
        ready = json.loads(line)
        self.url = ready["url"]
        token = Path(ready["admin_token_file"]).read_text().strip()
        self.admin = token
        self._environment |= {"LEVER_URL": self.url, "LEVER_TOKEN": token}

    def lever(self, *words):
        """Runs the command line and gives what it answers."""
        done = subprocess.run(
            [BINARY, *words, "--no-input", "-o", "json"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
        )
        if done.returncode != 0:
            raise RuntimeError(f"lever {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)

    def token(self, role):
        """A new token for prod."""
        return self.lever("token", "create", f"e2e-{role}", "--role", role, "-e", "prod")["token"]

    def __exit__(self, *_):
        if self._server is not None:
            self._server.terminate()
            self._server.wait(timeout=COMMAND_SECONDS_MAX)
            self._server.stdout.close()
        self._folder.cleanup()
