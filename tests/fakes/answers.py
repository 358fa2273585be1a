"""What an agent answers to a request by RFC 1157 (v1) and RFC 3416 (v2c), or against them where told so."""

from collections.abc import Collection
from typing import Literal, NamedTuple

from tests.fakes import ber
from tests.fakes.ber import NOTHING, Oid, Request
from tests.fakes.mib import Mib

TOO_BIG, NO_SUCH_NAME, GEN_ERR, NOT_WRITABLE = 1, 2, 5, 17
MISSING_OBJECT = ber.tlv(ber.NO_SUCH_OBJECT, b"")
MISSING_INSTANCE = ber.tlv(ber.NO_SUCH_INSTANCE, b"")
END = ber.tlv(ber.END_OF_MIB_VIEW, b"")


class Rules(NamedTuple):
    max_response: int
    oversize: Literal["tooBig", "silent"]
    bulk: Literal["ok", "broken", "ignored", "one"]
    increasing: bool
    stuck: Collection[Oid]
    endless: Oid | None
    gen_err: tuple[Oid, ...]
    no_get: tuple[Oid, ...]


class Refusal(Exception):
    """One object spoils the whole request."""

    def __init__(self, status: int, index: int) -> None:
        super().__init__(f"error-status {status} at {index}")
        self.status = status
        self.index = index


def answer(mib: Mib, request: Request, rules: Rules, request_id: int) -> bytes | None:
    """The response message; None where the agent stays silent."""
    if request.pdu == ber.GET_BULK and (request.version == 0 or rules.bulk == "ignored"):
        return None
    try:
        if request.pdu == ber.GET:
            varbinds = _get(mib, request, rules)
        elif request.pdu == ber.GET_NEXT:
            varbinds = _get_next(mib, request, rules)
        elif request.pdu == ber.GET_BULK:
            varbinds = _get_bulk(mib, request, rules)
        else:
            raise Refusal(NOT_WRITABLE if request.version else NO_SUCH_NAME, 1)
    except Refusal as refusal:
        echo = [ber.varbind(oid, NOTHING) for oid in request.oids]
        return ber.response(request, request_id, refusal.status, refusal.index, echo)
    return _fitted(request, request_id, rules, varbinds)


def _fitted(request: Request, request_id: int, rules: Rules, varbinds: list[bytes]) -> bytes | None:
    reply = ber.response(request, request_id, 0, 0, varbinds)
    if request.pdu == ber.GET_BULK:
        while len(reply) > rules.max_response and len(varbinds) > 1:
            surplus = len(reply) - rules.max_response
            while surplus > 0 and len(varbinds) > 1:
                surplus -= len(varbinds.pop())
            reply = ber.response(request, request_id, 0, 0, varbinds)
    if len(reply) <= rules.max_response:
        return reply
    if rules.oversize == "silent":
        return None
    echo = [ber.varbind(oid, NOTHING) for oid in request.oids] if request.version == 0 else []
    return ber.response(request, request_id, TOO_BIG, 0, echo)


def _get(mib: Mib, request: Request, rules: Rules) -> list[bytes]:
    varbinds = []
    for index, oid in enumerate(request.oids, 1):
        _refuse_where_told(oid, index, rules)
        cell = None if _below(oid, rules.no_get) else mib.cell(oid)
        if cell is None and rules.endless is not None and _made_up(mib, oid, rules.endless):
            cell = (ber.INTEGER, oid[-1])
        if request.version == 0 and (cell is None or cell[0] == ber.COUNTER64):
            raise Refusal(NO_SUCH_NAME, index)
        if cell is not None:
            varbinds.append(ber.varbind(oid, ber.encode_value(*cell)))
        else:
            varbinds.append(
                ber.varbind(oid, MISSING_INSTANCE if mib.holds_object_of(oid) else MISSING_OBJECT)
            )
    return varbinds


def _get_next(mib: Mib, request: Request, rules: Rules) -> list[bytes]:
    varbinds = []
    for index, oid in enumerate(request.oids, 1):
        following = _following(mib, oid, rules, v1=request.version == 0)
        if following is not None:
            _refuse_where_told(following[0], index, rules)
            varbinds.append(ber.varbind(*following))
        elif request.version == 0:
            raise Refusal(NO_SUCH_NAME, index)
        else:
            varbinds.append(ber.varbind(oid, END))
    return varbinds


def _get_bulk(mib: Mib, request: Request, rules: Rules) -> list[bytes]:
    if rules.bulk == "broken":
        raise Refusal(GEN_ERR, 1)
    once = min(max(request.first, 0), len(request.oids))
    repetitions = 1 if rules.bulk == "one" else max(request.second, 0)
    varbinds = _get_next(mib, request._replace(oids=request.oids[:once]), rules) if once else []
    current = request.oids[once:]
    size = sum(map(len, varbinds))
    while repetitions > 0 and current and size <= rules.max_response:
        ended = True
        for at, oid in enumerate(current):
            following = _following(mib, oid, rules, v1=False)
            if following is None:
                row = ber.varbind(oid, END)
            else:
                _refuse_where_told(following[0], once + at + 1, rules)
                row = ber.varbind(*following)
                current[at] = following[0]
                ended = False
            varbinds.append(row)
            size += len(row)
        repetitions -= 1
        if ended:
            break
    return varbinds


def _following(mib: Mib, oid: Oid, rules: Rules, *, v1: bool) -> tuple[Oid, bytes] | None:
    following = mib.after(oid)
    cell = mib.cell(following) if following else None
    while v1 and following and cell and cell[0] == ber.COUNTER64:  # v1 cannot say it: RFC 3584, 4.2.2.1
        following = mib.after(following)
        cell = mib.cell(following) if following else None
    if oid in rules.stuck and (there := mib.cell(oid)):
        return oid, ber.encode_value(*there)
    if rules.endless and _below(oid, (rules.endless,)) and not _same_column(following, oid):
        return (*oid[:-1], oid[-1] + 1), ber.encode_value(ber.INTEGER, oid[-1] + 1)
    if not rules.increasing and mib.cell(oid) is not None and not _same_column(following, oid):
        following = mib.after(oid[:-1])
        cell = mib.cell(following) if following else None
    if following is None or cell is None:
        return None
    return following, ber.encode_value(*cell)


def _same_column(following: Oid | None, oid: Oid) -> bool:
    return following is not None and following[: len(oid) - 1] == oid[:-1]


def _made_up(mib: Mib, oid: Oid, endless: Oid) -> bool:
    return _below(oid, (endless,)) and mib.holds_object_of(oid)


def _below(oid: Oid, prefixes: tuple[Oid, ...]) -> bool:
    return any(oid[: len(prefix)] == prefix for prefix in prefixes)


def _refuse_where_told(oid: Oid, index: int, rules: Rules) -> None:
    if rules.gen_err and _below(oid, rules.gen_err):
        raise Refusal(GEN_ERR, index)
