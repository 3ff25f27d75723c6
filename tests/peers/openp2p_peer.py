"""open-p2p's own messages and annotation parser read what we export, and we read what its messages write.

Its Rust extension is not built, and its text models are not installed: empty modules stand in for both, since what is tried here
does not use them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import MagicMock

import av
import numpy as np
import torch

sys.path.insert(0, sys.argv[1])
for missing in ("elefant_rust", "sentence_transformers", "transformers"):
    sys.modules[missing] = MagicMock()

from elefant.data.action_label_video_proto_dataset import ActionLabelAnnotationParser  # noqa: E402
from elefant.data.action_mapping import UniversalAutoregressiveActionMapping  # noqa: E402
from elefant.data.proto import shared_pb2, video_annotation_pb2  # noqa: E402

from db.formats.format import Asked  # noqa: E402
from db.formats.openp2p import FORMAT  # noqa: E402
from db.formats.transfer import bring_in, write_out  # noqa: E402
from db.labelling.labels import Edit, LabelKind  # noqa: E402
from db.recording.keys import BTN_LEFT, CODES  # noqa: E402
from db.store import Store  # noqa: E402
from peers.meeting import STEP, library, record_session  # noqa: E402
from recordings import KEY_A, KEY_W  # noqa: E402


def main() -> None:
    with library() as (store, folder):
        session = record_session(store, CODES["KEY_TAB"], 3)
        said = Edit(session_id=session, kind=LabelKind.INSTRUCTION, start=10, stop=31, value="go on", author="ann")
        store.commit([said])
        read_ours(store, session, folder / "out")
        read_theirs(store, folder / "theirs")


def read_ours(store: Store, session: str, out: Path) -> None:
    """Its parser on the whole session as one chunk: frame i is paired with annotation i + 1."""
    (report,) = write_out(store, FORMAT, [session], out, Asked(options={"annotator": "v1"}))
    mapping = UniversalAutoregressiveActionMapping()
    with av.open(str(out / session / "192x192.mp4")) as video:
        count = sum(1 for _ in video.decode(video=0))
    parser = ActionLabelAnnotationParser(
        str(out / session / "annotation.proto"), always_labelled=True, n_frames=count, action_mapping=mapping,
        drop_chunks_with_only_system_actions=False, text_annotation_model_version=["v1"], text_tokenizer_name=None,
        text_embedding_shape=[1, 4],
    )  # fmt: skip
    frames = torch.zeros(count - 1, 3, 2, 2)
    item = parser.annotate_frames(frames, 1, count, valid_frame_mask=torch.ones(count - 1, dtype=torch.bool))
    track = store.recording(session).resolve()
    assert item.user_action_mask.all()
    for i in range(count - 1):
        down = [code for code, held in zip(track.codes, track.held[i], strict=True) if held]
        names = {KEY_W: "w", KEY_A: "a", CODES["KEY_TAB"]: "Tab"}
        expected = mapping.action_to_tensor(
            [names[code] for code in down if code in names], ["0"] if BTN_LEFT in down else [],
            shared_pb2.Vec2Int(x=int(track.motion[i, 0]), y=int(track.motion[i, 1])),
        )  # fmt: skip
        for part in expected._fields:
            assert torch.equal(getattr(item.action_annotations, part)[i], getattr(expected, part).reshape(-1)), (
                i,
                part,
            )
    proto = video_annotation_pb2.VideoAnnotation()
    proto.ParseFromString((out / session / "annotation.proto").read_bytes())
    texts = [(j - 1, t) for j, f in enumerate(proto.frame_annotations) for t in f.frame_text_annotation]
    assert [(start, int(t.duration * 20), t.instruction) for start, t in texts] == [(10, 21, "go on")]
    assert proto.metadata.env.env == "testgame"
    assert report.outcome == "written", report.error


def read_theirs(store: Store, folder: Path) -> None:
    """What its messages write, with every field that its recorder fills."""
    folder.mkdir()
    proto = video_annotation_pb2.VideoAnnotation(version=5)
    proto.metadata.id, proto.metadata.user, proto.metadata.env.env = "x", "bob", "quake"
    proto.metadata.frames_per_second = 20
    proto.metadata.capture_device_specs.window_specs.title = "Quake"
    for j in range(30):
        frame = proto.frame_annotations.add(frame_time=5_000_000 + j * STEP)
        action = frame.user_action
        action.is_known = True
        action.mouse.mouse_absolute_px.x = 5
        action.mouse.mouse_delta_px.x, action.mouse.mouse_delta_px.y = -j, j
        if 4 <= j < 8:
            action.keyboard.keys.extend(["w", "LeftShift"])
            action.mouse.buttons_down.append("1")
        frame.system_action.is_known = False
        if j == 4:
            for code in ("w", "LeftShift"):
                event = frame.input_events.add(time=frame.frame_time - 20_000_000)
                event.keyboard_event.key, event.keyboard_event.pressed = code, True
    text = proto.frame_annotations[11].frame_text_annotation.add(instruction="run", duration=0.5)
    text.frame_text_annotator.version = "gemini"
    (folder / "annotation.proto").write_bytes(proto.SerializeToString())
    with av.open(str(folder / "192x192.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=20)
        stream.width = stream.height = 192
        stream.pix_fmt = "yuv420p"
        for j in range(30):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((192, 192, 3), j * 8, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    (report,) = bring_in(store, FORMAT, [folder], Asked())
    assert report.outcome == "imported", report.error
    recording = store.recording(report.session_id)
    track = recording.resolve()
    for name in ("KEY_W", "KEY_LEFTSHIFT", "BTN_RIGHT"):
        assert np.flatnonzero(track.held[:, track.codes.index(CODES[name])]).tolist() == [3, 4, 5, 6], name
    assert track.motion[:29, 0].tolist() == [-j for j in range(1, 30)]
    assert [(e.start, e.stop, e.value) for e in store.edits(report.session_id)] == [(10, 20, "run")]
    assert (recording.meta.game, recording.meta.player, recording.meta.window.title) == ("quake", "bob", "Quake")
    print("it reads 60 annotations of ours as the actions of our frames, and we 30 that its messages wrote")


main()
