"""Moves within what pools have charged already: the next run makes it good for all."""

from invoicing.engine.reading_moves import concerned_by_moves
from invoicing.engine.what_if import Move
from invoicing.operations.pools.sharing import note_late
from invoicing.queries.plans.standing import Standing
from tenancy.actor import Actor


def note_moved(actor: Actor, standing: Standing) -> None:
    """Note what pools share otherwise by the moves of a plan, from its day on.

    Two statements, none where nothing moves. A step of whoever carries the plan out, under the
    locks of both trees.

    Source: docs/billing-rules.md, Pools.
    """
    day = standing.wanted.day
    moves = [Move(key, parent_id, day) for key, parent_id in standing.moves]
    concerned = concerned_by_moves(actor, standing.parents, moves)
    note_late(actor, [one for periods in concerned.values() for one in periods])
