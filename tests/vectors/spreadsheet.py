"""A month checked by an auditor with a spreadsheet: docs/infra-core/handshake.md, "With a spreadsheet alone", followed to the letter and nothing else.

spreadsheet.py READINGS.csv LEDGER.csv SALES.csv STATEMENT-ENTRY [CORRECTION-ENTRY ...]
"""
import csv, sys
from datetime import datetime, timedelta
from decimal import Decimal, getcontext

getcontext().prec = 90
BASE = {"ns": 10**9, "operation": 1, "answer": 1, "message": 1}
MINOR = Decimal("0.01")


def wrong(what, expected, found):
    sys.exit(f"WRONG: {what}: {expected} by the rows, {found} in the file")


def same(what, expected, found):
    if Decimal(expected) != Decimal(found):
        wrong(what, expected, found)


def step0(path):
    """Quantities, by the formulas for columns L and M."""
    head, *rows = csv.reader(open(path, newline=""))
    month = int(head[8].rsplit("has ", 1)[1].rstrip(")"))
    used = {}
    for at, (series, resource, kind, base, _boot, _epoch, _entry, _time, ms, value, counts) in enumerate(rows):
        above = rows[at - 1] if at > 0 and rows[at - 1][0] == series else None
        below = rows[at + 1] if at + 1 < len(rows) and rows[at + 1][0] == series else None
        if kind == "counter":
            amount = 0 if counts == "no" or int(ms) <= 0 else int(value) - (int(above[9]) if above else 0)
            divisor = BASE.get(base, 10**9)
        else:
            amount = int(value) * (min(max(int(below[8]), 0), month) - min(max(int(ms), 0), month)) if below else 0
            divisor = 10**12
        used[resource] = used.get(resource, Decimal(0)) + Decimal(amount) / divisor
    return used


def step1(rows, used):
    """Lines: a resource's quantities, amount = quantity x price, their sum."""
    told, usage = {}, Decimal(0)
    for _, what, quantity, unit, price, amount in rows:
        if unit == "":
            continue
        resource = what.split(" above ")[0]
        told[resource] = told.get(resource, Decimal(0)) + Decimal(quantity)
        same(f"amount of {what}", Decimal(quantity) * Decimal(price), amount)
        usage += Decimal(amount)
    for resource in set(told) | set(used):
        same(f"quantity of {resource}", used.get(resource, 0), told.get(resource, 0))
    return usage


def step2(sales, month, after, until):
    """Sales of the month, recorded after one entry and before another."""
    sold, back = Decimal(0), Decimal(0)
    for sale in sales:
        # A month's last instant is in it.
        at = datetime.fromisoformat(sale["at"].replace("Z", "+00:00")) - timedelta(milliseconds=1)
        if at.strftime("%Y-%m") != month or not after < int(sale["ledger entry"]) < until:
            continue
        if sale["reverses"] == "":
            sold += Decimal(sale["amount"])
        else:
            back += Decimal(sale["amount"])
    return sold, back


def shares(gross):
    """45 percent, cut at 21 decimals toward minus infinity; the rest is the creator's."""
    units = int(gross.scaleb(21))
    platform = Decimal(units * 45 // 100).scaleb(-21)
    return gross - platform, platform


def paid(creator):
    cents = creator / MINOR
    return (cents.to_integral_value(rounding="ROUND_CEILING")) * MINOR


def figures(rows):
    return {row[1].split(" (")[0]: row[-1] for row in rows if len(row) < 4 or row[3] == ""}


def main(readings, ledger, sales, statement, *corrections):
    sales = list(csv.DictReader(open(sales, newline="")))
    parts = open(ledger, newline="").read().split("\r\n\r\n")
    _, *rows = csv.reader(parts[0].splitlines())
    month, said = rows[0][0], figures(rows)
    usage = step1(rows, step0(readings))
    same("usage", usage, said["usage"])
    sold, back = step2(sales, month, -1, int(statement))
    same("revenue recorded", sold, said["revenue recorded"])
    same("revenue reversed", -back, said["revenue reversed"])
    gross = usage + sold - back
    creator, platform = shares(gross)
    for what, expected in [("gross", gross), ("creator 55%", creator), ("platform 45%", platform), ("payout to creator", paid(creator)), ("rounded up by", paid(creator) - creator)]:
        same(what, expected, said[what])
    before = int(statement)
    if len(corrections) != len(parts) - 1:
        wrong("corrections", len(corrections), len(parts) - 1)
    for part, index in zip(parts[1:], corrections):
        _, *rows = csv.reader(part.splitlines())
        said, old = figures(rows), (gross, creator, platform)
        sold, back = step2(sales, month, before, int(index))
        gross = gross + sold - back
        creator, platform = shares(gross)
        for what, expected in [("revenue recorded", sold), ("revenue reversed", -back), ("gross", gross - old[0]), ("creator 55%", creator - old[1]), ("platform 45%", platform - old[2]), ("payout to creator", paid(creator) - paid(old[1])),
                               ("month's gross", gross), ("month's creator 55%", creator), ("month's platform 45%", platform), ("month's payout to creator", paid(creator)), ("rounded up by", paid(creator) - creator)]:
            same(f"correction {index}: {what}", expected, said[what])
        before = int(index)
    print(f"equal: {month}, gross {gross}, creator {creator}, platform {platform}")


main(*sys.argv[1:])
