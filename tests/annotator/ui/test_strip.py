"""The strip of pictures: made of keyframes in a thread, kept in memory and on disk, clicked and hovered."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtTest import QTest

from annotator.model.video.proxy import CHUNK
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.editing import Editing
from annotator.ui.timeline.rows import header_px
from annotator.ui.timeline.timeline import Timeline
from annotator.ui.watch.key_pictures import KeyPictures
from db.upkeep.leftovers import clear_cached
from films import Film, read


@pytest.fixture
def editing(store, make_session, qtbot):
    opened = Editing(store, make_session(store, count=200), "ann")
    opened.player.seek(0)
    qtbot.waitUntil(lambda: opened.player.is_settled)
    yield opened
    opened.close()


@pytest.fixture
def timeline(editing, qtbot) -> Timeline:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(1000, 320)
    widget.show_editing(editing)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def pictures_in(store, editing) -> list[str]:
    return sorted(path.name for path in store.cache_dir.glob(f"strips/{editing.session_id}-1/*.jpg"))


def is_all_there(timeline, editing) -> bool:
    wanted = timeline.strip.wanted()
    return bool(wanted) and all(editing.pictures.get(frame) is not None for frame in wanted)


def test_every_slot_gets_the_picture_of_its_own_keyframe(timeline, editing, store, qtbot, read_barcode) -> None:
    qtbot.waitUntil(lambda: is_all_there(timeline, editing))
    assert timeline.strip.wanted() == [0, 30, 60, 90, 120, 150, 180] == editing.keyframes.tolist()
    for frame in timeline.strip.wanted():
        picture = editing.pictures.get(frame)
        assert read_barcode(picture.scaled(96, 64)) == frame
    assert len(pictures_in(store, editing)) == 7


def test_pictures_come_back_from_disk_and_damaged_ones_are_made_again(editing, store, qtbot, read_barcode) -> None:
    folder = store.cache_dir / "strips" / f"{editing.session_id}-1"

    def fill(frames: list[int]) -> KeyPictures:
        made = KeyPictures(editing.recording.video, editing.recording.meta.size_px, folder)
        made.want(frames)
        qtbot.waitUntil(lambda: all(made.get(frame) for frame in frames))
        made.close()
        return made

    fill([0, 30])
    red = QImage(180, 120, QImage.Format.Format_RGB32)
    red.fill(Qt.GlobalColor.red)
    red.save(str(folder / "0.jpg"))
    (folder / "30.jpg").write_bytes(b"no picture")
    again = fill([0, 30])
    assert again.get(0).pixelColor(90, 60).red() > 200
    assert read_barcode(again.get(30).scaled(96, 64)) == 30


def test_memory_is_bounded_and_the_nearest_known_picture_is_given(editing, store, qtbot) -> None:
    size = editing.pictures.size
    few = KeyPictures(
        editing.recording.video, editing.recording.meta.size_px, store.cache_dir / "x",
        cache_bytes=3 * 4 * size.width() * size.height(),
    )  # fmt: skip
    assert few.nearest(50) is None
    few.want([0, 30, 60, 90, 120])
    qtbot.waitUntil(lambda: few.get(120) is not None)
    few.close()
    assert [frame for frame in (0, 30, 60, 90, 120) if few.get(frame)] == [60, 90, 120]
    assert [few.nearest(frame) for frame in (0, 70, 80, 500)] == [60, 60, 90, 120]


def test_a_library_that_cannot_be_written_to_shows_pictures_all_the_same(editing, tmp_path, qtbot) -> None:
    (tmp_path / "file").write_text("not a folder")
    made = KeyPictures(editing.recording.video, editing.recording.meta.size_px, tmp_path / "file" / "strip")
    made.want([30])
    qtbot.waitUntil(lambda: made.get(30) is not None)
    made.close()


def test_a_video_that_cannot_be_read_leaves_the_strip_empty(store, make_session, qtbot) -> None:
    session_id = make_session(store, count=60)
    for path in store.session_folder(session_id).glob("video-*.mkv"):
        path.write_bytes(b"no video")
    opened = Editing(store, session_id, "ann")
    opened.pictures.want([0, 30])
    qtbot.waitUntil(lambda: opened.pictures._hopeless == {0, 30})
    assert opened.pictures.get(0) is None
    opened.pictures.want([0])
    assert opened.pictures._waiting == []
    opened.close()


def test_what_was_made_of_a_session_goes_with_its_other_caches(timeline, editing, store, qtbot) -> None:
    qtbot.waitUntil(lambda: len(pictures_in(store, editing)) == 7)
    clear_cached(store.root, editing.session_id)
    assert pictures_in(store, editing) == []


def test_a_click_seeks_and_the_wheel_zooms(timeline, editing, qtbot) -> None:
    x = round(header_px() + timeline.axis.x(120.5))
    QTest.mouseClick(timeline.strip, Qt.MouseButton.LeftButton, pos=QPoint(x, 20))
    qtbot.waitUntil(lambda: editing.player.index == 120)
    QTest.mouseClick(timeline.strip, Qt.MouseButton.LeftButton, pos=QPoint(10, 20))
    assert editing.player.target == 120
    before = timeline.axis.span
    timeline.zoom(4)
    assert timeline.axis.span < before
    assert timeline.strip.wanted()[0] <= timeline.axis.left


def test_the_mouse_over_it_shows_a_larger_picture_with_its_time(timeline, editing, qtbot) -> None:
    qtbot.waitUntil(lambda: is_all_there(timeline, editing))
    QTest.mouseMove(timeline.strip, QPoint(round(header_px() + timeline.axis.x(100)), 20))
    peek = timeline.strip._peek
    qtbot.waitUntil(peek.isVisible)
    assert peek.text == "0:03.0   frame 90"
    assert timeline.rect().contains(peek.geometry())
    timeline.set_axis(timeline.axis.zoomed(4, 0))
    assert peek.text != "0:03.0   frame 90"
    timeline.strip.hide()
    assert not peek.isVisible()


def test_while_it_is_hidden_nothing_is_decoded(store, make_session, qtbot) -> None:
    opened = Editing(store, make_session(store, count=60), "ann")
    opened.player.seek(0)
    qtbot.waitUntil(lambda: opened.player.is_settled)
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.set_strip(False)
    widget.show_editing(opened)
    widget.show()
    qtbot.waitExposed(widget)
    assert not opened.pictures.isRunning()
    widget.set_strip(True)
    qtbot.waitUntil(lambda: opened.pictures.get(0) is not None)
    opened.close()


def test_its_key_hides_it_and_that_is_remembered(store, make_session, qtbot) -> None:
    session_id = make_session(store, count=60)
    for shown in (True, False):
        window = AnnotateWindow(store, "ann")
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        assert window.open_session(session_id)
        assert window.timeline.strip.isVisible() is shown
        QTest.keyClick(window.timeline, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
        assert window.timeline.strip.isVisible() is not shown
        window.close()


def test_a_video_with_few_keyframes_gets_pictures_from_its_proxy(store, qtbot) -> None:
    session_id = Film(count=2 * CHUNK, gop=10_000).record(store)
    opened = Editing(store, session_id, "ann")
    opened.player.seek(0)
    qtbot.waitUntil(lambda: opened.player.is_settled)
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(1800, 320)
    widget.show_editing(opened)
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.waitUntil(lambda: opened.proxying.proxy.is_whole, timeout=60_000)
    qtbot.waitUntil(lambda: len(widget.strip.wanted()) > 8)
    qtbot.waitUntil(lambda: is_all_there(widget, opened))
    assert opened.keyframes.tolist() == [0]
    for frame in widget.strip.wanted():
        picture = opened.pictures.get(frame).convertToFormat(QImage.Format.Format_Grayscale8)
        bits = picture.constBits().asarray(picture.sizeInBytes())
        rows = np.frombuffer(bits, np.uint8).reshape(picture.height(), picture.bytesPerLine())
        assert read(rows[:, : picture.width()]) == frame
    opened.close()
