"""Reads from the ledger what the tables should have: promotions, open intents, trials and forgotten recipes."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from reconciler.audit.registry_file import LineOfLedger

# An intent ends with any other line of the same operation. Of these, the lines of this kind promote nothing.
_INTENT, _ABANDONED = "intent", "abandoned"
_TRIAL, _FORGOTTEN = "trial", "forgotten"
BY_HAND = "by hand"
_DRIFT = "drift"
_HELD, _END_OF_HOLD = "held", ("resumed", "hold-ended", _FORGOTTEN)


@frozen
class LedgerFact:
    """One line of the ledger.

    * `seq`: the number of the line.
    * `kind`: what the line is about, such as "intent".
    * `body`: the JSON object of the line; {} if there is none that can be read.
    """

    seq: int
    kind: str
    body: Mapping[str, Any]


@define
class RecipeHistory:
    """What the ledger says of one recipe since the recipe was last forgotten.

    * `promotions`: for each generation, the line on its promotion.
    * `open_intents`: the lines of promotions and rollbacks that have begun and not ended, by the id of each.
    * `trials`: the line of each trial by the trial's id, also from before the recipe was forgotten.
    * `last_generation`: the greatest generation, also of forgotten ones; 0 for none.
    * `last_trial`: the id of the last trial of a pass; "" for none.
    * `hold`: the line of a hold that has not ended; None for none.
    * `drift`: the names of the recipe's present differences.
    """

    promotions: dict[int, LedgerFact] = field(factory=dict)
    open_intents: dict[str, LedgerFact] = field(factory=dict)
    trials: dict[str, LedgerFact] = field(factory=dict)
    last_generation: int = 0
    last_trial: str = ""
    hold: LedgerFact | None = None
    drift: set[str] = field(factory=set)

    def add(self, fact: LedgerFact) -> None:
        """Add what one line of the ledger says to this history. Lines have to be added in the order of the ledger."""
        operation, generation = fact.body.get("op"), fact.body.get("generation")
        if fact.kind == _HELD or fact.kind in _END_OF_HOLD:
            self.hold = fact if fact.kind == _HELD else None
        if fact.kind == _FORGOTTEN:
            self.promotions, self.open_intents, self.last_trial, self.drift = {}, {}, "", set()
        elif fact.kind == _DRIFT:
            self.drift = (self.drift | set(fact.body.get("began", ()))) - set(fact.body.get("ended", ()))
        elif fact.kind == _TRIAL:
            self.trials[str(fact.body.get("trial"))] = fact
            if fact.body.get("result") != BY_HAND:
                self.last_trial = str(fact.body.get("trial"))
        elif isinstance(operation, str) and isinstance(generation, int):
            self._add_step(fact, operation, generation)

    def _add_step(self, fact: LedgerFact, operation: str, generation: int) -> None:
        """Add to this history a line on the beginning or end of an operation (a promotion or a rollback).

        * `fact`: the line.
        * `operation`: the id of the operation.
        * `generation`: the generation that the operation makes. The generation counts only once the operation has
          succeeded.
        """
        if fact.kind == _INTENT:
            self.open_intents[operation] = fact
            return
        self.open_intents.pop(operation, None)
        if fact.kind != _ABANDONED:
            self.promotions[generation] = fact
            self.last_generation = max(self.last_generation, generation)


def histories(lines: Iterable[LineOfLedger]) -> Mapping[str, RecipeHistory]:
    """Return the history of each recipe that a line names, by recipe. `lines` are all lines of the ledger, in order."""
    found: dict[str, RecipeHistory] = defaultdict(RecipeHistory)
    for line in lines:
        if line.recipe:
            found[line.recipe].add(LedgerFact(line.seq, line.kind, _body(line.body)))
    return found


def _body(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
