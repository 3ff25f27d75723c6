"""What each action of the table does, one group for each menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from annotator.model.edits.comparison import Choice
from annotator.ui.annotate.actions import TABLE
from annotator.ui.annotate.cheat_sheet import CheatSheet
from annotator.ui.annotate.editing import FLAGS, Editing
from annotator.ui.annotate.vocabulary_dialog import edit_words
from annotator.ui.keys.feel import feel_handlers
from annotator.ui.timeline.gesture import Grip
from annotator.ui.timeline.timeline import ZOOM_STEP
from annotator.ui.watch.looping import loop_or_stop
from db.labelling.labels import LabelKind, Review

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow

Handlers = dict[str, Callable[..., object]]
OnEditing = Callable[[Callable[[Editing], object]], Callable[[], None]]
"""Makes a handler of what is to be done with the session that is open; it does nothing where none is."""


def make_handlers(window: AnnotateWindow) -> Handlers:
    """A handler for every name of `actions.ACTIONS`."""

    def on(call: Callable[[Editing], object]) -> Callable[[], None]:
        def run() -> None:
            if window.editing is not None:
                call(window.editing)

        return run

    groups = (_session, _edit, _label, _review, _inputs, _play, _view)
    return {name: handler for group in groups for name, handler in group(window, on).items()}


def _session(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "find": lambda: window.sessions.filter.setFocus(),
        "next_session": lambda: window.go(1),
        "previous_session": lambda: window.go(-1),
        "submit": window.submit,
        "accept": lambda: window.reviewing.decide(Review.ACCEPTED),
        "reject": lambda: window.reviewing.decide(Review.REJECTED),
        "fix": lambda: window.reviewing.decide(Review.FIXING),
        "close": window.close,
        "assign": lambda: window.panel.assignee.setFocus(),
        "tag": lambda: window.panel.tags.word.setFocus(),
    }


def _edit(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "undo": on(Editing.undo),
        "redo": on(Editing.redo),
        "conflicts": lambda: window.together.settle(),
        "delete": on(Editing.delete),
        "split": on(Editing.split),
        "merge": on(Editing.merge),
        "copy_text": on(Editing.copy_text),
        "start_here": on(lambda e: e.set_edge("start")),
        "stop_here": on(lambda e: e.set_edge("stop")),
        "snap_start": on(lambda e: e.snap_edge("start")),
        "snap_stop": on(lambda e: e.snap_edge("stop")),
        "stretch_start": on(lambda e: e.stretch_edge("start")),
        "stretch_stop": on(lambda e: e.stretch_edge("stop")),
        "stop_earlier": on(lambda e: e.nudge(Grip.STOP, -1)),
        "stop_later": on(lambda e: e.nudge(Grip.STOP, 1)),
        "start_earlier": on(lambda e: e.nudge(Grip.START, -1)),
        "start_later": on(lambda e: e.nudge(Grip.START, 1)),
        "move_earlier": on(lambda e: e.nudge(Grip.BODY, -1)),
        "move_later": on(lambda e: e.nudge(Grip.BODY, 1)),
    }


def _label(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "mark_in": on(lambda e: e.marking.mark_in()),
        "mark_out": on(lambda e: e.marking.mark_out()),
        "write": on(lambda e: e.marking.write()),
        "hold_instruction": lambda: window.holding.press(LabelKind.INSTRUCTION),
        "add_instruction": on(lambda e: e.marking.add_instruction()),
        **{
            f"flag_{i}": lambda word=word: window.holding.press(LabelKind.FLAG, word)
            for i, word in enumerate(FLAGS, start=1)
        },
        "next_span": on(Editing.select_next),
        "previous_span": on(Editing.select_previous),
        "vocabulary": lambda: edit_words(window),
        "redact": lambda: window.redacting.ask(),
        "leave_out": on(lambda e: e.marking.leave_out()),
        "propose": on(lambda e: e.suggesting.propose()),
        "ask_vision": lambda: window.vision.ask(),
        "set_up_vision": lambda: window.vision.set_up(),
        "stop_asking": lambda: (window.vision.stop(), window.idm.stop(), window.heat.stop()),
        "take_narrative": lambda: window.vision.take_narrative(),
        "drop_narrative": lambda: window.vision.drop_narrative(),
        "next_source": on(lambda e: e.suggesting.choose_next_source()),
        "next_suggestion": on(lambda e: e.suggesting.show_next()),
        "confirm": on(lambda e: e.suggesting.confirm()),
        "reject_suggestion": on(lambda e: e.suggesting.reject()),
        "confirm_all": on(lambda e: e.suggesting.confirm_all()),
        "reject_all": on(lambda e: e.suggesting.reject_all()),
        "note": lambda: window.panel.note.setFocus(),
        "comment": on(lambda e: e.marking.comment()),
        "escape": on(Editing.escape),
    }


def _review(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "next_in_queue": lambda: window.reviewing.next(),
        "next_comment": on(lambda e: e.comments.show_next()),
        "settle_comment": on(lambda e: e.comments.settle()),
        "next_place": on(lambda e: e.comparing.choose_next()),
        "take_first": on(lambda e: e.comparing.settle(Choice.FIRST)),
        "take_second": on(lambda e: e.comparing.settle(Choice.SECOND)),
        "take_both": on(lambda e: e.comparing.settle(Choice.BOTH)),
        "take_neither": on(lambda e: e.comparing.settle(Choice.NEITHER)),
        "settle_agreed": on(lambda e: e.comparing.settle_agreed()),
    }


def _inputs(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "next_lane": on(lambda e: e.presses.choose_next_lane(1)),
        "previous_lane": on(lambda e: e.presses.choose_next_lane(-1)),
        "select_press": on(lambda e: e.presses.select_here()),
        "add_press": on(lambda e: e.presses.add_here()),
        "clear_motion": on(lambda e: e.presses.scale_motion(0.0)),
        "scale_motion": on(window.ask_factor),
        "restore_motion": on(lambda e: e.presses.scale_motion(1.0)),
        "clear_scroll": on(lambda e: e.presses.clear_scroll()),
        "restore_scroll": on(lambda e: e.presses.restore_scroll()),
        "ask_idm": lambda: window.idm.ask(),
        "ask_heat": lambda: window.heat.ask(),
        "next_doubt": on(lambda e: e.doubting.go_on(1)),
        "previous_doubt": on(lambda e: e.doubting.go_on(-1)),
    }


def _play(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "toggle": on(lambda e: e.player.toggle()),
        "shuttle_back": on(lambda e: window.shuttling.shuttle(e.player, -1)),
        "shuttle_on": on(lambda e: window.shuttling.shuttle(e.player, 1)),
        "pause": on(lambda e: window.shuttling.hold(e.player, window.actions_by_name["pause"])),
        "step_on": on(lambda e: e.player.step(1)),
        "step_back": on(lambda e: e.player.step(-1)),
        "second_on": on(lambda e: e.player.step_seconds(1.0)),
        "second_back": on(lambda e: e.player.step_seconds(-1.0)),
        "next_press": on(lambda e: e.go_to_press(1)),
        "previous_press": on(lambda e: e.go_to_press(-1)),
        "first": on(lambda e: e.player.step(-e.document.frame_count)),
        "last": on(lambda e: e.player.step(e.document.frame_count)),
        "jump": lambda: window.transport.ask_place(),
        "loop": on(loop_or_stop),
        "faster": on(lambda e: e.player.change_pace(1)),
        "slower": on(lambda e: e.player.change_pace(-1)),
    }


def _view(window: AnnotateWindow, on: OnEditing) -> Handlers:
    return {
        "zoom_in": lambda: window.timeline.zoom(ZOOM_STEP),
        "zoom_out": lambda: window.timeline.zoom(1 / ZOOM_STEP),
        "zoom_all": lambda: window.timeline.zoom_to_all(),
        "zoom_span": lambda: window.timeline.zoom_to_selection(),
        "overlay": lambda is_on: window.picture.set_overlay(is_on),
        "strip": lambda is_on: window.timeline.set_strip(is_on),
        "keyboard": lambda is_on: window.picture.set_keyboard(is_on),
        "next_pane": window.next_pane,
        **feel_handlers(window, lambda: TABLE),
        "cheat_sheet": lambda: CheatSheet(window).open(),
    }
