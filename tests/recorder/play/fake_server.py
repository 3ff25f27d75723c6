"""Speaks the protocol of `trainer serve` with a scripted policy: W for 8 frames, D for 8 frames, always (6, -2.5)."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from db.errors import WireError
from db.specs import ActionSpace, ClipSpec
from db.wire import Server, new_key

W, D = 17, 32
CLIP = ClipSpec(size_px=(32, 24), rate_hz=20)


def serve_one(peer, log):
    while True:
        message = peer.receive(None)
        log.write(json.dumps({"kind": message.kind, **message.fields, "bytes": len(message.payload)}) + "\n")
        log.flush()
        if message.kind == "hello":
            space = ActionSpace(codes=(W, D))
            facts = {"clip": CLIP.model_dump(mode="json"), "space": space.model_dump(mode="json")}
            peer.send("ready", {**facts, "model": "fake", "actor": "model:fake"})
        elif message.kind == "frame":
            index = message.fields["index"]
            down = [W] if index // 8 % 2 == 0 else [D]
            peer.send("action", {"index": index, "down": down, "dx": 6, "dy": -2.5, "infer_ns": 1_000_000})
        elif message.kind == "bye":
            return


def main():
    with tempfile.TemporaryDirectory() as folder, Path(sys.argv[1]).open("w") as log:
        key_file = Path(folder) / "key"
        server = Server(None, new_key(key_file))
        print(json.dumps({"address": server.address, "key_file": str(key_file)}), flush=True)
        while (peer := server.accept()) is not None:
            try:
                serve_one(peer, log)
            except WireError:
                pass
            finally:
                peer.close()


if __name__ == "__main__":
    main()
