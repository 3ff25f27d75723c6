"""Makes the environment that `make test`, `make demo` and the commands run in. Needs only Python >= 3.11 itself.

    python3 bootstrap.py          the environment and what the windows need
    python3 bootstrap.py --dev    also what the tests and the demo need

It creates .venv, installs the exact versions of constraints.txt (on Linux without an NVIDIA GPU the CPU build of torch),
and installs missing system packages where it may; where it may not, it names the one command to run.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "installed"
CPU_TORCH_INDEX = "https://download.pytorch.org/whl/cpu"

QT_PACKAGES = (
    "libegl1 libgl1 libglib2.0-0 libfontconfig1 libfreetype6 libxkbcommon0 libx11-6 libdbus-1-3 libx11-xcb1 "
    "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render0 "
    "libxcb-render-util0 libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1 libxi6"
).split()
BUILD_PACKAGES = ["gcc", "libc6-dev", "linux-libc-dev"]  # pynput brings evdev, which is compiled here
DEV_PACKAGES = ["xvfb", "openbox", "xdotool", "fonts-dejavu-core", "ffmpeg", "strace"]


def main() -> int:
    if sys.version_info < (3, 11):
        print(f"Playtape needs Python 3.11 or newer; this is {platform.python_version()}.", file=sys.stderr)
        return 1
    dev = "--dev" in sys.argv[1:]
    if not install_system_packages(QT_PACKAGES + BUILD_PACKAGES + (DEV_PACKAGES if dev else [])):
        return 1
    return 0 if install_python_packages(dev) else 1


def install_system_packages(wanted: list[str]) -> bool:
    """Installs what is missing on Debian and its relatives; elsewhere the packages are only named if Qt does not load."""
    if platform.system() != "Linux":
        return True
    if not shutil.which("dpkg-query"):
        print("Not a Debian system: if a window does not open, install the equivalents of:", " ".join(wanted))
        return True
    missing = [name for name in wanted if not is_installed(name)]
    if not missing:
        return True
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        print(
            f"System packages are missing. Run this once, then the same make command again:\n\n  sudo {' '.join(command)}\n"
        )
        return False
    print("Installing system packages:", " ".join(missing), flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq"], [*command, "-qq"]):
        if subprocess.run(step, env=quiet, stdout=subprocess.DEVNULL).returncode != 0:
            print(
                f"`{' '.join(step)}` failed; run it by hand to see why, then the same make command again.",
                file=sys.stderr,
            )
            return False
    return True


def is_installed(package: str) -> bool:
    """Whether dpkg knows the package as installed, under its name or its 64-bit-time one."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}\n", package, package + "t64"]
    return "installed" in subprocess.run(query, capture_output=True, text=True).stdout.split()


def install_python_packages(dev: bool) -> bool:
    """Fills .venv unless it already holds what pyproject.toml and constraints.txt ask for."""
    wanted = fingerprint(dev)
    if STAMP.exists() and STAMP.read_text() == wanted:
        return True
    if not python().exists():
        print(f"Making {ENVIRONMENT}", flush=True)
        venv.create(ENVIRONMENT, with_pip=True)
    print("Installing Python packages (a few minutes the first time)", flush=True)
    target = f"{ROOT}[dev]" if dev else str(ROOT)
    steps = [
        ["install", "--quiet", "--upgrade", "pip>=24"],
        ["install", "--quiet", *torch_arguments()],
        ["install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), "--editable", target],
    ]
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}  # setuptools warns of editable installs at length
    for step in steps:
        if subprocess.run([python(), "-m", "pip", "--disable-pip-version-check", *step], env=quiet).returncode != 0:
            print("Installing Python packages failed; see the message above, then run it again.", file=sys.stderr)
            return False
    STAMP.write_text(wanted)
    return True


def torch_arguments() -> list[str]:
    """How to ask for torch: the CPU build on Linux without an NVIDIA GPU, which spares gigabytes; else the usual one."""
    pinned = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    if platform.system() != "Linux" or shutil.which("nvidia-smi"):
        return [pinned]
    ask = [
        python(),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--no-deps",
        "--ignore-installed",
        "--report",
        "-",
        pinned,
    ]
    answer = subprocess.run(ask, capture_output=True, text=True)
    if answer.returncode == 0 and json.loads(answer.stdout)["install"][0]["metadata"]["version"].endswith("+cpu"):
        return [pinned]
    return [pinned, "--index-url", CPU_TORCH_INDEX, "--extra-index-url", "https://pypi.org/simple"]


def fingerprint(dev: bool) -> str:
    files = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(files + str((dev, sys.version)).encode()).hexdigest()


def python() -> Path:
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


if __name__ == "__main__":
    raise SystemExit(main())
