"""The environment in which other tools run: their packages, on top of those that Playtape's own environment has.

They are installed without their dependencies, since those would bring another torch, of gigabytes. Where a tool pins an older version
of what is here (LeRobot: torch before 2.11, PyAV before 16), it is tried with the one that is here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_REQUIREMENTS = HERE / "requirements.txt"


def prepare(folder: Path) -> Path:
    """Makes the environment, unless it is there; returns its Python."""
    python, done = folder / "bin" / "python", folder / "done.txt"
    if not done.exists() or done.read_text() != _REQUIREMENTS.read_text():
        venv.create(folder, with_pip=True, clear=True)
        own = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        (own / "playtape.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
        subprocess.run([*install, "-r", str(_REQUIREMENTS)], check=True)
        done.write_text(_REQUIREMENTS.read_text())
    return python


def ask(python: Path, peer: str, deed: str, folder: Path) -> Any:
    """Runs `<peer>_peer.py <deed> <folder>` there; returns what it prints last, as JSON."""
    # Nothing is fetched, and no cache of the person who runs this is written to.
    more = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder.parent / "hf"), "TOKENIZERS_PARALLELISM": "false"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    command = [str(python), str(HERE / f"{peer}_peer.py"), deed, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{peer} {deed}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def check_out(name: str, repository: str, folder: Path) -> Path:
    """Where the code of a peer is that is no package: where $PEER_<NAME> says, else cloned into `folder`."""
    if named := os.environ.get(f"PEER_{name.upper()}"):
        return Path(named)
    target = folder / name
    if not target.exists():
        subprocess.run(["git", "clone", "--quiet", "--depth=1", repository, str(target)], check=True)
    return target


def meet(python: Path, peer: str, checkout: Path) -> str:
    """Runs `<peer>_peer.py <checkout>` there with our own code beside it; returns what it says last. Raises RuntimeError where
    anything is not equal.
    """
    paths = os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)])
    command = [str(python), "-P", str(HERE / f"{peer}_peer.py"), str(checkout)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths})
    if done.returncode:
        raise RuntimeError(f"{peer}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip().splitlines()[-1]
