"""What a model is scored beside, on the same rows: the baselines it has to beat, and itself with something taken away."""

from __future__ import annotations

MODEL = "model"
RELEASED, REPEAT, MARGINAL = "always released", "repeat last", "marginal"
SHUFFLED, TEXTLESS, REWORDED = "shuffled instructions", "no instruction", "unseen wordings"
BLIND, FORGETFUL = "grey pictures", "no past actions"

BASELINES = (RELEASED, MARGINAL, REPEAT)
ABLATIONS = (BLIND, SHUFFLED, TEXTLESS, REWORDED, FORGETFUL)

MEANING = {
    RELEASED: "nothing is ever pressed and the mouse never moves",
    MARGINAL: "each key at its training frequency, without looking",
    REPEAT: "the true action of the frame before, which no model is given: 0 in exact events and 1 at ±1 by construction",
    BLIND: "the same model, every picture grey",
    SHUFFLED: "the same model, every instruction in another one's place",
    TEXTLESS: "the same model, told nothing",
    REWORDED: "the same model, told the same in words that were not in its training",
    FORGETFUL: "the same model, not told what was done before",
}
