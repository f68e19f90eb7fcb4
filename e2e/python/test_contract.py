"""The OpenAPI document and the server agree: schemathesis reads the one and asks the other, with
data that fits and data that does not, for every route. Whoever changes a route changes both."""

import json
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from shop import Shop

HERE = Path(__file__).resolve().parent
# The same questions every time. Change it to ask others.
SEED = "20261121"
SECONDS_MAX = 300


class TheServerKeepsItsContract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(Shop())

    def ask(self, *words, token=None):
        """Runs schemathesis, and gives how many operations it tested."""
        headers = ["-H", f"Authorization: Bearer {token}"] if token else []
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
                *("--config-file", str(HERE / "schemathesis.toml")),
                *("run", f"{self.shop.url}/openapi.json", "--checks", "all", "--seed", SEED),
                *("--request-timeout", "10", "--continue-on-failure", "--no-shrink"),
                *("--warnings", "off", *headers, *words),
            ],
            # What it keeps between two runs would change what the next one asks.
            cwd=self.shop.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )
        told = f"seed {SEED}\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, 0, told)
        tested = [line for line in done.stdout.splitlines() if line.strip().startswith("Tested:")]
        self.assertEqual(len(tested), 1, told)
        return int(tested[0].split(":")[1])

    def routes(self):
        with urllib.request.urlopen(f"{self.shop.url}/openapi.json") as answer:
            paths = json.load(answer)["paths"]
        return sum(len(item) for item in paths.values())

    def test_with_an_admins_token(self):
        # OFREP asks a token of every environment which one it means, and nobody is to find out
        # which id the token has that asks, and revoke it.
        words = ["--exclude-tag", "ofrep", "--exclude-operation-id", "revoke_token"]
        tested = self.ask(*words, "--max-examples", "8", token=self.shop.admin)
        self.assertEqual(tested, self.routes() - 3)
        words = ["--include-operation-id", "revoke_token", "--phases", "examples,coverage,fuzzing"]
        self.assertEqual(self.ask(*words, token=self.shop.admin), 1)
        self.shop.lever("whoami")  # It still works, so all that was asked was answered.

    def test_with_an_evaluators_token(self):
        words = ["--include-tag", "stream", "--include-tag", "ofrep", "--max-examples", "8"]
        self.assertEqual(self.ask(*words, token=self.shop.token("evaluator")), 4)

    def test_with_no_token(self):
        tested = self.ask("--phases", "examples,coverage")
        self.assertEqual(tested, self.routes())


if __name__ == "__main__":
    unittest.main()
