"""Instructions proposed by a vision-language model: frames -> request -> reply -> proposals. Qt-free.

What is asked. A session is looked at about once a second, in windows of N frames of which some overlap. Each request holds
the prompt (`annotator.vision.prompt.PROMPT`, editable), a text that lists every frame's time in seconds from the start
of the session (with the keys held there, if wanted, and what the window before ended with), and the frames as JPEG, at
most 512 px wide or high, each with its time burnt in below the picture.

What is answered. One JSON object and nothing else:

    {"instructions": [{"start_s": 12.0, "end_s": 21.5, "text": "move toward the skull gate"}, ...],
     "narrative": "The player leaves the first hall and ..."}

`start_s` and `end_s` are seconds as shown on the frames, end after start; `text` is a goal-like sentence of at most
MOST_TEXT characters; `narrative` is optional. What does not fit is refused item by item, and a reply that is no such
object as a whole (`annotator.vision.reply`). What a reply says is data: shown, never obeyed.

Two kinds of models (`annotator.vision.setup`): an endpoint that speaks the chat-completions protocol of OpenAI (POST
<base>/chat/completions, the frames as data: URLs), or a local command, which gets on stdin

    {"model": ..., "system": prompt, "text": ..., "images": [{"path": "/tmp/...", "time_s": 12.0}, ...]}

and writes the reply on stdout.
"""
