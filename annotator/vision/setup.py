"""Which model is asked, and how. Off until a person chooses one; a key is named here and never held."""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from annotator.vision.failures import VisionFailed
from annotator.vision.prompt import PROMPT
from db.errors import BadArgument
from db.specs import Spec

MOST_KEY_CHARACTERS = 4096


class VisionSetup(Spec):
    """A person's choice for this machine. `kind` is "off" until then."""

    kind: Literal["off", "endpoint", "command"] = "off"
    base_url: Annotated[str, Field(max_length=2000)] = ""
    """Of the endpoint, such as `https://example.org/v1`; `/chat/completions` is added."""
    model: Annotated[str, Field(max_length=200)] = ""
    key_variable: Annotated[str, Field(max_length=200)] = ""
    """The environment variable that holds the endpoint's key; "": none."""
    key_file: Annotated[str, Field(max_length=4000)] = ""
    """A file of this account alone (mode 0600) that holds it; "": none."""
    allow_plain: bool = False
    """Whether pictures and the key may travel unencrypted to another machine."""
    command: Annotated[str, Field(max_length=4000)] = ""
    """The local command, as a shell would split it; no shell runs it."""
    rate_hz: Annotated[float, Field(ge=0.1, le=4)] = 1.0
    window: Annotated[int, Field(ge=4, le=120)] = 32
    """Frames a request."""
    overlap: Annotated[int, Field(ge=0, le=60)] = 8
    """Of them, those that the window before had too."""
    picture_px: Annotated[int, Field(ge=96, le=1024)] = 512
    """The longer side of a picture at most."""
    with_keys: bool = True
    """Whether the keys that are held at each frame are told."""
    timeout_s: Annotated[float, Field(ge=1, le=3600)] = 180.0
    """For one answer as a whole."""
    prompt: Annotated[str, Field(min_length=1, max_length=20_000)] = PROMPT

    @property
    def source(self) -> str:
        """Who says what it suggests, as `Edit.source` has it."""
        said = self.model or (Path(self.command.split()[0]).name if self.command.split() else "model")
        return "run:vision-" + (re.sub(r"[^A-Za-z0-9._-]+", "-", said).strip("-")[:80] or "model")

    @property
    def place(self) -> str:
        """Where pictures go, for people and to remember a consent by: scheme, host and port, or the command."""
        if self.kind == "command":
            return f"the command {self.command}"
        url = self.address()
        port = f":{url.port}" if url.port else ""
        return f"{url.scheme}://{url.hostname}{port}"

    @property
    def stays_here(self) -> bool:
        """Whether pictures stay on this machine as far as Playtape can tell: a local command, or a loopback address."""
        return self.kind == "command" or is_loopback(self.address().hostname or "")

    def check(self) -> None:
        """Raises BadArgument with what to put right."""
        if self.kind == "off":
            raise BadArgument("No vision model is set up yet; choose one under Label > Set up the vision model.")
        if self.overlap >= self.window:
            raise BadArgument("Fewer frames must overlap than a request holds.")
        if self.kind == "command":
            if not self.command.strip():
                raise BadArgument("Write the command that is to be run.")
            return
        self.address()
        if not self.model.strip():
            raise BadArgument("Write the name of the model, as its provider calls it.")

    def address(self) -> SplitResult:
        """The endpoint's address. Raises BadArgument for one that is none, or that is not safe enough."""
        try:
            url = urlsplit(self.base_url.strip())
            port = url.port
        except ValueError:
            raise BadArgument(f"{self.base_url!r} is not an address; write it like https://example.org/v1.") from None
        if url.scheme not in ("http", "https") or not url.hostname or port == 0:
            raise BadArgument(f"{self.base_url!r} is not an address; write it like https://example.org/v1.")
        if url.username is not None or url.password is not None or url.query or url.fragment:
            raise BadArgument("The address must hold no name, password, question or fragment; name the key apart.")
        if not all(33 <= ord(sign) < 127 for sign in self.base_url.strip()):
            raise BadArgument("The address holds signs that an address cannot have; write the host in plain letters.")
        if url.scheme == "http" and not is_loopback(url.hostname) and not self.allow_plain:
            raise BadArgument(
                f"http:// would send pictures and the key to {url.hostname} for everybody on the way to read; "
                f"use https://, or allow it in the set-up."
            )
        return url

    def read_key(self) -> str:
        """The key for the endpoint, "" where none is needed. Raises VisionFailed where it cannot be had."""
        if self.kind != "endpoint":
            return ""
        if self.key_variable:
            key = os.environ.get(self.key_variable, "").strip()
            if not key:
                raise VisionFailed(
                    f"The environment variable {self.key_variable}, which should hold the key, is not set; "
                    f"set it and start Playtape again."
                )
        elif self.key_file:
            key = _read_private(Path(self.key_file).expanduser())
        else:
            return ""
        if len(key) > MOST_KEY_CHARACTERS or not all(33 <= ord(sign) < 127 for sign in key):
            raise VisionFailed("What should be the key is no key: it must be one word of plain letters.")
        return key


def is_loopback(host: str) -> bool:
    """Whether a host's name is this machine's own."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _read_private(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and (not stat.S_ISREG(mode) or mode & 0o077):
                raise VisionFailed(f"{path} can be read by others; make it yours alone (chmod 600) and try again.")
            return file.read(2 * MOST_KEY_CHARACTERS).decode("ascii", "replace").strip()
    except OSError as error:
        raise VisionFailed(f"The key's file {path} cannot be read: {error.strerror}.") from None
