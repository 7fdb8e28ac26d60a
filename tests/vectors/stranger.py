"""A verifier that follows docs/infra-core/write-your-own-verifier.md and shares no code with ours: Python 3.11, standard library only.

    python3 stranger.py --vectors FOLDER
    python3 stranger.py --bundle FOLDER [--log-key KEY]

Prints what it counted. Exit 0; 1 with the first wrong thing named; 2 when it was asked for nothing.
"""
import base64
import hashlib
import json
import os
import re
import stat
import sys
import unicodedata
import xml.etree.ElementTree
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Wrong(Exception):
    """Something does not hold. Its text says what, and begins with where."""


@contextmanager
def within(where):
    """Whatever is wrong inside is wrong there; data of an unexpected form is wrong, not a crash."""
    try:
        yield
    except Wrong as wrong:
        raise wrong if str(wrong).startswith(where) else Wrong(f"{where}: {wrong}") from None
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise Wrong(f"{where}: of another form ({error!r})") from None


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- section 1: canonical JSON, entry bodies

SAFE = 2**53 - 1
DEPTH_MAX = 64
BODY_BYTES_MAX = 32 * 1024
MEMBERS = {"actor", "data", "prev", "salt", "stream", "streamSeq", "time", "type", "v"}
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def no_number(text):
    raise Wrong(f"number {text[:30]} is not an integer")


def integer(text):
    if len(text) > 17:
        raise Wrong("a number is not a safe integer")
    return int(text)


def parse_json(text):
    try:
        return json.loads(text, parse_float=no_number, parse_constant=no_number, parse_int=integer)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"not JSON: {error}") from None


def write_text(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Wrong("a lone surrogate") from None
    return '"' + "".join(SHORT.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def canonical(value, depth=0):
    if depth > DEPTH_MAX:
        raise Wrong("nested too deep")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > SAFE:
            raise Wrong("a number is not a safe integer")
        return str(value)
    if isinstance(value, str):
        return write_text(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(one, depth + 1) for one in value) + "]"
    if isinstance(value, dict):
        for key in value:
            write_text(key)
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{write_text(key)}:{canonical(value[key], depth + 1)}" for key in keys) + "}"
    raise Wrong(f"{type(value)} has no form")


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_time(text):
    """YYYY-MM-DDThh:mm:ss.sssZ, an instant that the calendar has."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z", text)
    if not match:
        return False
    year, month, day, hour, minute, second, _ = map(int, match.groups())
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return 1 <= day <= days[month - 1]


def parse_body(text):
    if len(text.encode("utf-8", "surrogatepass")) > BODY_BYTES_MAX:
        raise Wrong("body longer than 32768 bytes")
    body = parse_json(text)
    if canonical(body) != text:
        raise Wrong("body is not canonical")
    if not isinstance(body, dict) or set(body) != MEMBERS:
        raise Wrong("body has not exactly the members of an entry")
    if body["v"] != 1 or isinstance(body["v"], bool):
        raise Wrong("body of an unknown version")
    if not is_count(body["streamSeq"]):
        raise Wrong("no streamSeq")
    forms = {"stream": r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "prev": r"[0-9a-f]{64}", "type": r"[a-z]+(\.[a-z-]+)+", "salt": r"[A-Za-z0-9_-]{22}"}
    for name, form in forms.items():
        if not isinstance(body[name], str) or not re.fullmatch(form, body[name]):
            raise Wrong(f"no {name}")
    if not isinstance(body["time"], str) or not is_time(body["time"]):
        raise Wrong("no time")
    if not isinstance(body["actor"], str) or not body["actor"]:
        raise Wrong("no actor")
    return body


# ---- section 2: the tree

def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def verify_inclusion(leaf, index, size, proof, root):
    if not 0 <= index < size or any(len(one) != 32 for one in proof):
        return False
    fn, sn, seen = index, size - 1, leaf_hash(leaf)
    for one in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            seen = node_hash(one, seen)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            seen = node_hash(seen, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and seen == root


def verify_consistency(first, first_root, second, second_root, proof):
    if first > second or any(len(one) != 32 for one in proof):
        return False
    if first == 0:
        return not proof and first_root == sha256(b"")
    if first == second:
        return not proof and first_root == second_root
    if not proof:
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for one in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(one, old), node_hash(one, new)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old == first_root and new == second_root


def levels_of(leaves):
    """Rows of full subtrees: row[k][i] covers leaves i*2^k up to (i+1)*2^k."""
    rows = [[leaf_hash(leaf) for leaf in leaves]]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows


def root_of(rows, size):
    """From the right: the full subtrees that a tree of this size is made of."""
    root, start = None, size
    for level in range(len(rows)):
        if size >> level & 1:
            start -= 1 << level
            node = rows[level][start >> level]
            root = node if root is None else node_hash(node, root)
    return root if root is not None else sha256(b"")


# ---- section 3: Ed25519 (RFC 8032), keys, signed notes

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def point_add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    aa, bb = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    cc, dd = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = bb - aa, dd - cc, dd + cc, bb + aa
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_mul(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def encode(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data):
    """RFC 8032 section 5.1.3. None: no point, or another spelling of one."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * SQRT_M1 % P
    if x * x % P != x2 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decode(bytes.fromhex("58" + "66" * 31))


def key_flaw(data):
    """What is wrong with 32 bytes as somebody's key, or None. Small order is named first, whatever its spelling."""
    if len(data) != 32:
        return "length"
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    reduced = (y % P).to_bytes(32, "little")
    unsigned = decode(reduced)
    if unsigned is not None and encode(point_mul(8, unsigned)) == encode((0, 1, 1, 0)):
        return "small-order"
    if y >= P:
        return "non-canonical"
    return "off-curve" if unsigned is None else None


def ed25519_verify(key, message, signature):
    """[S]B = R + [k]A with R compared as bytes; S below L."""
    if len(signature) != 64 or key_flaw(key) is not None:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    x, y, z, t = decode(key)
    return encode(point_add(point_mul(s, BASE), point_mul(k, (P - x, y, z, P - t)))) == signature[:32]


def base64_strict(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def base64url_strict(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if base64url(data) == text else None


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def open_key(text):
    """(key, kid) of a public key in base64url; raises with the reason."""
    data = base64url_strict(text) if isinstance(text, str) else None
    flaw = "length" if data is None else key_flaw(data)
    if flaw:
        raise Wrong(flaw)
    return data, kid_of(text)


def kid_of(text):
    return base64url(sha256(canonical({"crv": "Ed25519", "kty": "OKP", "x": text}).encode()))


def is_utf8(text):
    return not any("\ud800" <= c <= "\udfff" for c in text)


def is_key_name(name):
    white = any(c.isspace() or unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc") or c == "\ufeff" for c in name)
    return is_utf8(name) and 0 < len(name.encode("utf-16-be")) // 2 <= 255 and not white and "+" not in name


def key_id(name, typed):
    return sha256(name.encode() + b"\n" + typed)[:4]


def open_vkey(vkey):
    match = re.fullmatch(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)", vkey)
    if not match or not is_key_name(match[1]):
        raise Wrong("verifier key: not <name>+<8 hexadecimal digits>+<base64>")
    typed = base64_strict(match[3])
    if typed is None or len(typed) != 33 or typed[0] != 1:
        raise Wrong("verifier key: not an Ed25519 key")
    flaw = key_flaw(typed[1:])
    if flaw:
        raise Wrong(f"verifier key: {flaw}")
    if key_id(match[1], typed).hex() != match[2]:
        raise Wrong("verifier key: another id")
    return match[1], bytes.fromhex(match[2]), typed[1:]


def open_note(note, vkey):
    """The signed text, with its final newline."""
    need(is_utf8(note), "note: a lone surrogate")
    name, ident, key = open_vkey(vkey)
    if len(note.encode()) > 65536:
        raise Wrong("note: too long")
    if any(c < " " and c != "\n" for c in note):
        raise Wrong("note: control characters")
    split = note.rfind("\n\n")
    if split < 0 or not note.endswith("\n"):
        raise Wrong("note: no signatures")
    text, lines = note[: split + 1], note[split + 2 : -1].split("\n")
    if len(lines) > 64:
        raise Wrong("note: more than 64 signatures")
    own = 0
    for line in lines:
        match = re.fullmatch("— ([^ ]+) ([A-Za-z0-9+/]+=*)", line)
        data = base64_strict(match[2]) if match and is_key_name(match[1]) else None
        if data is None or len(data) <= 4:
            raise Wrong("note: a malformed signature line")
        if match[1] != name or data[:4] != ident:
            continue
        own += 1
        if not ed25519_verify(key, text.encode(), data[4:]):
            raise Wrong("note: a false signature of the log")
    if own == 0:
        raise Wrong("note: not signed by the log")
    return text


def open_checkpoint(note, vkey):
    """(origin, size, root)"""
    lines = open_note(note, vkey)[:-1].split("\n")
    need(len(lines) >= 3, "checkpoint: no origin, size and root")
    origin, size, root, *more = lines
    if not origin or origin != open_vkey(vkey)[0]:
        raise Wrong("checkpoint: of another log")
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", size) or int(size) > SAFE:
        raise Wrong("checkpoint: no tree size")
    data = base64_strict(root)
    if data is None or len(data) != 32:
        raise Wrong("checkpoint: no root hash")
    if "" in more:
        raise Wrong("checkpoint: an empty extension line")
    return origin, int(size), data


# ---- section 4: tiles

def tile_path(level, n, width=None):
    text = str(n)
    text = text.rjust(-(-len(text) // 3) * 3, "0")
    groups = [text[at : at + 3] for at in range(0, len(text), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{path}" + (f".p/{width}" if width is not None else "")


# ---- section 5: a stream

def chain_flaw(body, head):
    """head: (streamSeq, time, SHA-256 of the body) of the entry before, or None."""
    if body["streamSeq"] != (head[0] + 1 if head else 0):
        return f"number {body['streamSeq']} does not belong here"
    if body["prev"] != (head[2].hex() if head else "0" * 64):
        return "prev is not the SHA-256 of the entry before"
    if head and body["time"] < head[1]:
        return "its time is before the entry before it"
    return None


def check_stream(texts):
    head, stream = None, None
    for at, text in enumerate(texts):
        try:
            body = parse_body(text)
        except Wrong as wrong:
            raise Wrong(f"{at}: {wrong}") from None
        stream = stream or body["stream"]
        flaw = chain_flaw(body, head) if body["stream"] == stream else "of another stream"
        if flaw:
            raise Wrong(f"{at}: {flaw}")
        head = (body["streamSeq"], body["time"], sha256(text.encode()))


# ---- section 6: commands

# Which gates judge which op, from the table in law.md.
JUDGES = {
    "identity.register": {1, 11, 17},
    "identity.key.add": {1, 11, 17},
    "identity.key.rotate": {1, 11, 17},
    "identity.key.revoke": {1, 11, 17},
    "identity.recovery.set": {1, 11, 17},
    "identity.recovery.begin": {1, 11, 17},
    "identity.recovery.object": {1, 11, 17},
    "identity.recovery.complete": {1, 11, 17},
    "platform.operator.add": {1, 11, 17},
    "platform.operator.remove": {1, 11, 17},
    "platform.erase": {1, 11, 17},
    "platform.tariff.publish": {1, 6, 11, 17},
    "platform.payout.execute": {1, 6, 11, 17},
    "platform.payout.return": {1, 6, 11, 17},
    "platform.billing.set": {1, 11, 17},
    "imvu.budget.set": {1, 6, 11, 13, 16, 17},
    "imvu.create": {1, 3, 5, 6, 7, 9, 11, 16, 17},
    "imvu.scale": {1, 6, 7, 9, 11, 12, 13, 15, 16, 17},
    "imvu.exit": {1, 11, 13, 16, 17},
    "imvu.import": {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17},
    "imvu.member.set": {1, 7, 11, 13, 16, 17},
    "imvu.member.remove": {1, 11, 13, 16, 17},
    "service.deploy": {1, 2, 6, 7, 9, 11, 13, 16, 17},
    "service.restart": {1, 6, 9, 11, 13, 16, 17},
    "service.remove": {1, 11, 13, 14, 16, 17},
    "dns.set": {1, 4, 7, 11, 13, 14, 16, 17},
    "dns.remove": {1, 4, 11, 13, 14, 16, 17},
    "mail.mailbox.create": {1, 5, 6, 7, 9, 11, 13, 14, 16, 17},
    "mail.mailbox.password": {1, 5, 11, 13, 14, 16, 17},
    "mail.mailbox.remove": {1, 5, 11, 12, 13, 14, 16, 17},
    "route.set": {1, 2, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17},
    "route.remove": {1, 11, 13, 14, 16, 17},
    "consent.record": {1, 10, 11, 13, 16, 17},
    "revenue.record": {1, 6, 11, 13, 16, 17},
    "revenue.reverse": {1, 6, 11, 13, 16, 17},
    "imvu.payout.account": {1, 11, 14, 16, 17},
    "imvu.billing.set": {1, 11, 13, 16, 17},
    "imvu.snapshot.create": {1, 6, 7, 9, 11, 13, 16, 17},
    "imvu.snapshot.restore": {1, 6, 9, 11, 12, 13, 16, 17},
    "imvu.snapshot.remove": {1, 11, 12, 13, 16, 17},
    "imvu.erase": {1, 10, 11, 13, 16, 17},
}
IMVU = r"IMVU-(?!000)([0-9]{3}|[1-9][0-9]{3,4})"
WITHOUT_IMVU = {op for op in JUDGES if op.split(".")[0] in ("identity", "platform")} | {"imvu.create", "imvu.import"}
BRINGS = {
    "identity.register": ("publicKey", "recoveryKey"),
    "identity.key.add": ("publicKey",),
    "identity.key.rotate": ("publicKey",),
    "identity.recovery.set": ("recoveryKey",),
    "identity.recovery.begin": ("publicKey",),
}


def brought_by(payload):
    """The keys that a command makes known: kid -> (key, text)."""
    keys = {}
    for member in BRINGS.get(payload["op"], ()):
        if member == "recoveryKey" and payload["op"] == "identity.register" and member not in payload["params"]:
            continue
        key, kid = open_key(payload["params"].get(member))
        keys[kid] = (key, payload["params"][member])
    return keys


class Rings:
    """Who held which key when: for each name every state it had, with the entry that made it."""

    def __init__(self):
        self.versions, self.holders = {}, {}

    def register(self, name, keys, index, recovery=None):
        need(name not in self.versions, "the name was taken")
        self.keep(name, {"signing": {next(iter(keys)): "live"}, "recovery": recovery, "pending": None}, keys, index)

    def follow(self, payload, signer, index):
        op, params, keys = payload["op"], payload["params"], brought_by(payload)
        if not op.startswith("identity."):
            return
        if op == "identity.register":
            self.register(params["name"], keys, index, list(keys)[1] if len(keys) > 1 else None)
            return
        need(signer in self.holders, "a command of nobody's key")
        name = self.holders[signer][1]
        last = self.versions[name][-1][1]
        ring = {"signing": dict(last["signing"]), "recovery": last["recovery"], "pending": last["pending"]}
        new = next(iter(keys), None)
        if op == "identity.key.add":
            ring["signing"][new] = "live"
        elif op == "identity.key.rotate":
            ring["signing"][signer], ring["signing"][new] = "rotated", "live"
        elif op == "identity.key.revoke":
            ring["signing"][params["kid"]] = "revoked"
        elif op == "identity.recovery.set":
            ring["recovery"] = new
        elif op == "identity.recovery.begin":
            ring["pending"] = new
        elif op == "identity.recovery.object":
            ring["pending"] = None
        elif op == "identity.recovery.complete":
            need(ring["pending"] == signer, "no such recovery")
            ring["signing"] = {kid: "revoked" if state == "live" else state for kid, state in ring["signing"].items()}
            ring["signing"][signer], ring["pending"] = "live", None
        self.keep(name, ring, keys, index)

    def keep(self, name, ring, keys, index):
        for kid, (key, text) in keys.items():
            need(kid not in self.holders, "the key was taken")
            self.holders[kid] = (key, name, text, index)
        self.versions.setdefault(name, []).append((index, ring))

    def at(self, kid, index):
        """(key, name, text, status) as entry `index` found it; None: nobody's."""
        if kid not in self.holders or self.holders[kid][3] >= index:
            return None
        key, name, text, _ = self.holders[kid]
        ring = [ring for since, ring in self.versions[name] if since < index][-1]
        if kid in ring["signing"]:
            return key, name, text, ring["signing"][kid]
        return key, name, text, "recovery" if kid == ring["recovery"] else "pending" if kid == ring["pending"] else "revoked"


def need(condition, what):
    if not condition:
        raise Wrong(what)


def utf8(data, what):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong(f"{what}: not UTF-8") from None


def open_command(jws):
    """Form only: {payload, digest, signers: [(kid, protected, signature)]}."""
    need(isinstance(jws, dict) and set(jws) == {"payload", "signatures"}, "command: not general JWS")
    need(isinstance(jws["payload"], str) and len(jws["payload"]) <= 16384, "payload: too long or no text")
    need(isinstance(jws["signatures"], list) and 1 <= len(jws["signatures"]) <= 8, "signatures: 1 to 8")
    data = base64url_strict(jws["payload"])
    need(data is not None and len(data) <= 12288, "payload: not base64url")
    text = utf8(data, "payload")
    payload = parse_json(text)
    need(isinstance(payload, dict) and set(payload) == {"op", "imvu", "params", "nonce", "iat", "exp"}, "payload: other members")
    need(payload["op"] in JUDGES, "payload: an unknown op")
    need(isinstance(payload["params"], dict), "payload: no params")
    need(isinstance(payload["nonce"], str) and re.fullmatch(r"[A-Za-z0-9_-]{22}", payload["nonce"]), "payload: no nonce")
    need(is_count(payload["iat"]) and is_count(payload["exp"]), "payload: no iat or exp")
    need((payload["imvu"] is None) == (payload["op"] in WITHOUT_IMVU), "payload: imvu missing or not wanted")
    need(payload["imvu"] is None or isinstance(payload["imvu"], str) and re.fullmatch(IMVU, payload["imvu"]) and int(payload["imvu"][5:]) <= 16000, "payload: imvu is no IMVU's id")
    need(canonical(payload) == text, "payload: not canonical")
    brought_by(payload)
    signers = []
    for one in jws["signatures"]:
        need(isinstance(one, dict) and set(one) == {"protected", "signature"}, "signature: other members")
        need(isinstance(one["protected"], str) and len(one["protected"]) <= 512 and isinstance(one["signature"], str) and len(one["signature"]) <= 128, "signature: too long")
        kid = open_header(one["protected"])
        need(kid not in [earlier[0] for earlier in signers], "signature: one key twice")
        signature = base64url_strict(one["signature"])
        need(signature is not None and len(signature) == 64, "signature: not 64 bytes")
        signers.append((kid, one["protected"], signature))
    return {"payload": payload, "digest": sha256(data).hex(), "signers": signers}


def open_header(protected):
    data = base64url_strict(protected)
    need(data is not None, "header: not base64url")
    text = utf8(data, "header")
    header = parse_json(text)
    need(isinstance(header, dict) and {"alg", "kid"} <= set(header) <= {"alg", "kid", "typ"}, "header: other members")
    need(json.dumps(header, separators=(",", ":"), ensure_ascii=False) == text, "header: white space, or a member twice")
    need(header["alg"] == "EdDSA", "header: alg")
    need(header.get("typ", "nexus-command") == "nexus-command", "header: typ")
    need(isinstance(header["kid"], str) and re.fullmatch(r"[A-Za-z0-9_-]{43}", header["kid"]), "header: kid")
    return header["kid"]


def valid_signatures(command, jws, key_of):
    return [
        (key := key_of(kid)) is not None and ed25519_verify(key, f"{protected}.{jws['payload']}".encode(), signature)
        for kid, protected, signature in command["signers"]
    ]


def in_order(verdicts):
    return canonical([one["gate"] for one in verdicts]) == canonical(list(range(1, 18)))


def accepted_by(verdicts):
    """Seventeen, in order, none of them a denial."""
    return in_order(verdicts) and all(one.get("verdict") in ("pass", "not-applicable") for one in verdicts)


# ---- section 7: statements

RESOURCES = {
    "compute.cpu": ("counter", "CPU-second", 9),
    "compute.memory": ("gauge", "GB-second", 12),
    "compute.storage": ("gauge", "GB-second", 12),
    "compute.io.read.operations": ("counter", "operation", 0),
    "compute.io.write.operations": ("counter", "operation", 0),
    "compute.io.read.bytes": ("counter", "GB", 9),
    "compute.io.write.bytes": ("counter", "GB", 9),
    "dns.answers": ("counter", "answer", 0),
    "mail.sent": ("counter", "message", 0),
    "mail.received": ("counter", "message", 0),
    "mail.storage": ("gauge", "GB-second", 12),
    "network.in": ("counter", "GB", 9),
    "network.out": ("counter", "GB", 9),
    "network.restricted.in": ("counter", "GB", 9),
    "network.restricted.out": ("counter", "GB", 9),
    "network.private.in": ("counter", "GB", 9),
    "network.private.out": ("counter", "GB", 9),
}
# A tariff need not name these: then they cost what the other one costs, each counted on its own.
LIKE = {f"network.{kind}.{way}": f"network.{way}" for kind in ("restricted", "private") for way in ("in", "out")}


def epoch_ms(text):
    """An instant that exists: unlike an entry's time, a reading's must come back the same."""
    need(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", text), f"{text} is no instant")
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Wrong(f"{text} is no instant") from None
    return (at - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def instant(ms):
    at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def next_month(name):
    year, month = int(name[:4]), int(name[5:])
    return f"{year + 1:04d}-01" if month == 12 else f"{year:04d}-{month + 1:02d}"


def clock_of(name):
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Wrong(f"this machine does not know the clock of {name}: install tzdata") from None


QUARTER = 15 * 60 * 1000


def begin_of(name, zone):
    """The first quarter-hour at which the zone's clock shows the month's first day, or a later one."""
    first, clock = date(int(name[:4]), int(name[5:]), 1), clock_of(zone)
    midnight = epoch_ms(f"{name}-01T00:00:00.000Z")
    for at in range(midnight - 56 * QUARTER, midnight + 48 * QUARTER + 1, QUARTER):
        if datetime.fromtimestamp(at // 1000, clock).date() >= first:
            return at
    raise Wrong(f"{name} does not begin in {zone}")


def period_of(name, zone="UTC"):
    need(isinstance(name, str) and re.fullmatch(r"(20[0-9]{2}|2[1-9][0-9]{2})-(0[1-9]|1[0-2])", name), f"{name} is no month")
    return begin_of(name, zone), begin_of(next_month(name), zone)


def holds_from(tariff):
    """The first month that a tariff holds for as a whole."""
    name = tariff["validFrom"][:7]
    return name if tariff["validFrom"][7:] == "-01T00:00:00.000Z" else next_month(name)


def decimal(value, decimals):
    digits = str(abs(value)).rjust(decimals + 1, "0")
    text = digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}"
    return ("-" if value < 0 else "") + text


def split(gross):
    platform = gross * 45 // 100
    return gross - platform, platform


INTEGER = r"(?:0|[1-9][0-9]{0,38})"


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def check_readings(data, imvu):
    need(data["imvu"] == imvu, "a reading of another IMVU")
    told_in(data)


def told_in(data):
    """(first instant, last one, [(resource, series, [(instant, value), ...]), ...]) of a reading in either form."""
    at = epoch_ms(data["at"])
    if "v" not in data:
        found = [(one["resource"], one["boot"], one["epoch"], [(at, one["value"])]) for one in data["readings"]]
        start = at
    else:
        need(data["v"] == 2 and is_whole(data["v"]), "readings of an unknown form")
        need(set(data) == {"v", "imvu", "from", "at", "levels", "counters", "lives"}, "a summary has other members")
        start = epoch_ms(data["from"])
        need(0 <= at - start <= 30 * 60 * 1000, "a summary from after its end, or of more than half an hour")
        need(isinstance(data["lives"], list), "lives is not a list")
        for offsets in (data["levels"], data["counters"]):
            need(isinstance(offsets, list) and all(is_whole(one) for one in offsets), "offsets that are not whole")
            need(all(a < b for a, b in zip([-1] + offsets, offsets + [at - start])), "offsets that do not rise, or reach the end")
        found, lives = [], set()
        for life in data["lives"]:
            need(set(life) == {"boot", "epoch", "values"} and isinstance(life["values"], dict), "a life has other members")
            need(all(isinstance(life[name], str) and re.fullmatch(r"[!#-\[\]-~]{1,64}", life[name]) for name in ("boot", "epoch")), "boot or epoch")
            need((life["boot"], life["epoch"]) not in lives, "a life stands in it twice")
            lives.add((life["boot"], life["epoch"]))
            for resource, text in life["values"].items():
                need(resource in RESOURCES and isinstance(text, str), f"{resource} is no resource, or has no words")
                words = text.split(" ")
                offsets = data["levels" if RESOURCES[resource][0] == "gauge" else "counters"] if len(words) > 1 else []
                need(len(words) == len(offsets) + 1, f"{resource}: {len(words)} words for {len(offsets) + 1} instants")
                found.append((resource, life["boot"], life["epoch"], list(zip([start + one for one in offsets] + [at], words))))
        need(len(found) <= 64 and len(lives) <= 64 and sum(len(one[3]) for one in found) <= 320, "more series or words than an entry may have")
    seen, series = set(), []
    for resource, boot, epoch, values in found:
        need(resource in RESOURCES, f"{resource} is no resource")
        need(all(isinstance(value, str) and re.fullmatch(INTEGER, value) for _, value in values), f"{resource}: no non-negative integer")
        need(isinstance(boot, str) and isinstance(epoch, str) and (resource, boot, epoch) not in seen, f"{resource} twice, or no text")
        seen.add((resource, boot, epoch))
        series.append((resource, f"{resource} boot {boot} epoch {epoch}", [(when, int(value)) for when, value in values]))
    return start, at, series


def check_tariff(data):
    tiers = data.get("tiers", {})
    need(data["v"] == (2 if "tiers" in data else 1) and data["currency"] in DIGITS and set(RESOURCES) - set(LIKE) <= set(data["prices"]) <= set(RESOURCES), "not a price in a currency for each resource")
    epoch_ms(data["validFrom"])
    need("tiers" not in data or (tiers and set(tiers) <= set(data["prices"])), "steps of no resource")
    for resource, steps in tiers.items():
        last, decimals = 0, RESOURCES[resource][2]
        need(1 <= len(steps) <= 4, f"{resource}: not 1 to 4 steps")
        for step in steps:
            digits = re.fullmatch(r"(0|[1-9][0-9]{0,39})" + (r"\.([0-9]{%d})" % decimals if decimals else "()"), step["above"])
            need(set(step) == {"above", "price"} and digits, f"{resource}: a step without its figures")
            at = int(digits[1] + digits[2])
            need(at > last, f"{resource}: a step that is not above the one before")
            last = at
    for price in [*data["prices"].values(), *(step["price"] for steps in tiers.values() for step in steps)]:
        need(re.fullmatch(r"(0|[1-9][0-9]{0,39})\.[0-9]{9}", price), f"price {price} has not nine decimals")


class Rating:
    def __init__(self, start, end):
        self.start, self.end = start, end
        self.series, self.clock = {}, []
        self.latest, self.ordinal = None, 0
        self.first = self.last = None

    def use(self, place):
        self.first = min(self.first or place, place)
        self.last = max(self.last or place, place)

    def inside(self, at):
        return self.start < at <= self.end

    def add(self, index, reading):
        start, end, told = told_in(reading)
        earliest = start if self.latest is None else self.latest
        first = max(start, earliest)
        if first != start and self.inside(first):
            self.clock.append({"what": "clock", "index": index, "series": "", "was": instant(first), "now": instant(start)})
        if self.latest is not None and first - self.latest > 2 * 3600 * 1000 and self.latest < self.end and first > self.start:
            self.clock.append({"what": "gap", "index": index, "series": "", "was": instant(self.latest), "now": instant(start)})
        self.latest = max(end, earliest)
        place, self.ordinal = (self.ordinal, index), self.ordinal + 1
        for resource, name, values in told:
            for when, value in values:
                self.read(resource, name, value, max(when, earliest), place)

    def read(self, resource, name, value, at, place):
        kind, one = RESOURCES[resource][0], self.series.get(name)
        if one is None:
            one = self.series[name] = {"name": name, "resource": resource, "value": 0, "at": at, "place": place, "base": 0, "basePlace": None, "usage": 0, "fall": None, "read": False}
        elif kind == "gauge":
            held = min(at, self.end) - max(one["at"], self.start)
            if held > 0:
                one["usage"] += one["value"] * held
                self.use(one["place"])
                self.use(place)
        if self.inside(at):
            one["read"] = True
            self.use(place)
        if kind == "counter":
            self.count(one, value, at, place)
        one["value"], one["at"], one["place"] = value, at, place

    def count(self, one, value, at, place):
        if one["fall"] or at > self.end:
            return
        if value < one["value"]:
            flag = {"what": "fell", "index": place[1], "series": one["name"], "was": str(one["value"]), "now": str(value)}
            one["fall"] = (flag, at > self.start)
        elif at <= self.start:
            one["base"], one["basePlace"] = value, place
        else:
            one["usage"] = value - one["base"]
            if one["basePlace"]:
                self.use(one["basePlace"])

    def quantities(self):
        return {name: sum(one["usage"] for one in self.series.values() if one["resource"] == name) for name in RESOURCES}

    def used(self):
        if not self.first:
            return {"first": None, "last": None, "count": 0}
        return {"first": self.first[1], "last": self.last[1], "count": self.last[0] - self.first[0] + 1}

    def flags(self):
        falls = [one["fall"][0] for one in self.series.values() if one["fall"] and (one["fall"][1] or one["read"])]
        return sorted(self.clock + falls, key=lambda flag: (flag["index"], flag["series"].encode("utf-16-be")))


# ISO 4217, by decimals of the minor unit.
DIGITS = dict.fromkeys((
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
    "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
    "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD "
    "USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG "
).split(), 2)
DIGITS |= dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
DIGITS |= dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3) | dict.fromkeys("CLF UYW".split(), 4)


def minor(currency):
    return 10 ** (21 - DIGITS[currency])


def amount_of(sale):
    need(sale["currency"] in DIGITS, f"{sale['currency']} is no currency")
    digits = DIGITS[sale["currency"]]
    need(re.fullmatch(r"(0|[1-9][0-9]{0,11})" + (r"\.[0-9]{%d}" % digits if digits else ""), sale["amount"]) and re.search("[1-9]", sale["amount"]), "an amount")
    return int(sale["amount"].replace(".", "")) * minor(sale["currency"])


def month_of(text, zone):
    """An instant's month: the last one of a month is the next one's beginning."""
    at = epoch_ms(text)
    name = datetime.fromtimestamp((at - 1) // 1000, clock_of(zone)).strftime("%Y-%m")
    return next_month(name) if at > period_of(name, zone)[1] else name


def sums(sales):
    plus, minus = [one for one in sales if "reverses" not in one], [one for one in sales if "reverses" in one]
    return {"recorded": decimal(sum(map(amount_of, plus)), 21), "reversed": decimal(sum(map(amount_of, minus)), 21), "sales": len(plus), "reversals": len(minus)}


def net(revenue):
    return int(revenue["recorded"].replace(".", "")) - int(revenue["reversed"].replace(".", ""))


def payable(creator, currency):
    return -(-creator // minor(currency)) * minor(currency)


def payout_of(creator, currency, before=0):
    paid = payable(creator, currency)
    return {"creator": decimal((paid - before) // minor(currency), DIGITS[currency]), "difference": decimal(paid - creator, 21)}


def money_rows(period, pairs):
    return [[period, name, "", "", "", value] for name, value in pairs]


def sold_pairs(revenue):
    back = revenue["reversed"]
    return [(f"revenue recorded ({revenue['sales']})", revenue["recorded"]), (f"revenue reversed ({revenue['reversals']})", f"-{back}" if net({"recorded": "0", "reversed": back}) else back)]


def csv_of(rows):
    return "".join(",".join(row) + "\r\n" for row in rows)


def statement_of(imvu, name, zone, tariff_index, tariff, rating, stream_head, closed, revenue, form):
    lines, usage = [], 0
    for resource, quantity in rating.quantities().items():
        _, unit, decimals = RESOURCES[resource]
        if resource in LIKE and quantity == 0:
            continue
        priced = resource if resource in tariff["prices"] else LIKE[resource]
        steps = [(0, {}, tariff["prices"][priced])]
        steps += [(int(one["above"].replace(".", "")), {"above": one["above"]}, one["price"]) for one in tariff.get("tiers", {}).get(priced, [])]
        left = quantity
        for at, (begin, above, price) in reversed(list(enumerate(steps))):
            part = max(0, left - begin)
            left -= part
            if at > 0 and part == 0:
                continue
            amount = part * int(price.replace(".", "")) * 10 ** (12 - decimals)
            usage += amount
            lines.append({"resource": resource, **above, "quantity": decimal(part, decimals), "unit": unit, "unitPrice": price, "amount": decimal(amount, 21)})
        # Taken from the highest step down, and listed from the lowest up.
        mine = [one for one in lines if one["resource"] == resource]
        lines[-len(mine):] = mine[::-1]
    gross = usage + (net(revenue) if form > 1 else 0)
    creator, platform = split(gross)
    newer = {"v": form, "usage": decimal(usage, 21), "revenue": revenue, "payout": payout_of(creator, tariff["currency"])} if form > 1 else {}
    flags = rating.flags()
    if form == 3:
        newer["flagged"] = len(flags)
    flags = flags[:16] if form == 3 else [flag for flag in flags if flag["what"] != "gap"]
    if zone != "UTC":
        newer |= {"timeZone": zone, "start": instant(rating.start), "end": instant(rating.end)}
    return newer | {
        "imvu": imvu, "period": name, "currency": tariff["currency"], "tariffIndex": tariff_index, "lines": lines,
        "gross": decimal(gross, 21), "creator": decimal(creator, 21), "platform": decimal(platform, 21),
        "readings": rating.used(), "flags": flags, "streamHead": stream_head, "closed": closed,
    }


# ---- invoices

UNION = set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


def vat_of(seller, buyer):
    if seller["vat"]["scheme"] == "exempt":
        return {"category": "E", "rate": "0.00", "code": None, "reason": seller["vat"]["reason"]}
    if buyer["country"] != seller["country"]:
        if not {buyer["country"], seller["country"]} <= UNION:
            return {"category": "O", "rate": None, "code": "VATEX-EU-O", "reason": "Not subject to VAT: the service is supplied where the recipient is established"}
        if "vatId" in buyer:
            return {"category": "AE", "rate": "0.00", "code": "VATEX-EU-AE", "reason": "Reverse charge: VAT is owed by the recipient"}
    return {"category": "S", "rate": seller["vat"]["rate"], "code": None, "reason": None}


def half_up(dividend, divisor):
    return (2 * dividend + divisor) // (2 * divisor)


def exact(text):
    return int(text.replace(".", ""))


def invoice_of(form, imvu, index, made, said, buyer, origin, preceding):
    """What an invoice must say; of what it says only the seller, the day and the number are taken."""
    payout = made.get("payout")
    digits = len(payout["creator"].partition(".")[2]) if payout else 2
    # From the second form on an invoice has at most two decimals, whatever its currency has.
    digits = digits if form == 1 else min(digits, 2)
    unit, platform = 10 ** (21 - digits), exact(made["platform"])
    correction = made["number"] if "corrects" in made else 0
    total = exact(made["total"]["platform"]) if correction else platform
    share = total // unit - (total - platform) // unit
    need(share != 0, "an invoice of nothing")
    seller, series = said["seller"]["profile"], f"{said['seller']['profile']['prefix']}-{said['issued'][:4]}"
    vat, kept = vat_of(seller, buyer["profile"]), abs(share)
    rate = int((vat["rate"] or "0.00").replace(".", ""))
    net_amount = half_up(kept * 10000, 10000 + rate)
    tax = half_up(net_amount * rate, 10000)
    amounts = {"net": net_amount, "vat": tax, "total": net_amount + tax, "rounding": kept - net_amount - tax, "paid": kept, "due": 0}
    revenue = made.get("revenue", {"recorded": decimal(0, 21), "reversed": decimal(0, 21)})
    return {
        "v": form, "imvu": imvu, "number": f"{series}-{said['sequence']:06d}", "series": series, "sequence": said["sequence"], "kind": "credit-note" if share < 0 else "invoice",
        "issued": said["issued"], "period": made["period"], "currency": made["currency"], "statement": index, "correction": correction, "preceding": preceding, "origin": origin,
        "seller": {"index": said["seller"]["index"], "profile": seller}, "buyer": buyer, "gross": made["gross"], "share": made["platform"], "vat": vat,
        "amounts": {name: decimal(amount, digits) for name, amount in amounts.items()},
        "annex": {
            "lines": [] if correction else [one for one in made["lines"] if exact(one["quantity"])],
            "usage": decimal(0, 21) if correction else made.get("usage", made["gross"]), "recorded": revenue["recorded"], "reversed": revenue["reversed"],
        },
    }


def check_invoice_xml(data, invoice):
    """The document for programs says what the entry says."""
    try:
        root = xml.etree.ElementTree.fromstring(data)
    except xml.etree.ElementTree.ParseError as error:
        raise Wrong(f"not XML: {error}") from None
    at = lambda path: [one.text for one in root.iterfind("/".join(["."] + ["{*}" + name for name in path.split("/")]))]
    trade, amounts, vat = "SupplyChainTradeTransaction/", invoice["amounts"], invoice["vat"]
    agreement, settlement = trade + "ApplicableHeaderTradeAgreement/", trade + "ApplicableHeaderTradeSettlement/"
    sums = settlement + "SpecifiedTradeSettlementHeaderMonetarySummation/"
    named = lambda who: [invoice[who]["profile"]["vatId"]] if "vatId" in invoice[who]["profile"] and vat["category"] != "O" else []
    number = [invoice["seller"]["profile"]["taxNumber"]] if "taxNumber" in invoice["seller"]["profile"] else []
    year, month = int(invoice["period"][:4]), int(invoice["period"][5:])
    last = datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    for path, expected in {
        "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID": ["urn:cen.eu:en16931:2017"],
        "ExchangedDocument/ID": [invoice["number"]],
        "ExchangedDocument/TypeCode": ["381" if invoice["kind"] == "credit-note" else "380"],
        "ExchangedDocument/IssueDateTime/DateTimeString": [invoice["issued"].replace("-", "")],
        agreement + "SellerTradeParty/Name": [invoice["seller"]["profile"]["name"]],
        agreement + "SellerTradeParty/SpecifiedTaxRegistration/ID": named("seller") + number,
        agreement + "BuyerTradeParty/Name": [invoice["buyer"]["profile"]["name"]],
        agreement + "BuyerTradeParty/SpecifiedTaxRegistration/ID": named("buyer"),
        settlement + "InvoiceCurrencyCode": [invoice["currency"]],
        settlement + "ApplicableTradeTax/CategoryCode": [vat["category"]],
        settlement + "ApplicableTradeTax/RateApplicablePercent": [vat["rate"]] if vat["rate"] else [],
        settlement + "ApplicableTradeTax/ExemptionReason": [vat["reason"]] if vat["reason"] else [],
        trade + "ApplicableHeaderTradeDelivery/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString": [] if invoice["v"] == 1 else [last.strftime("%Y%m%d")],
        settlement + "BillingSpecifiedPeriod/StartDateTime/DateTimeString": [invoice["period"].replace("-", "") + "01"],
        settlement + "BillingSpecifiedPeriod/EndDateTime/DateTimeString": [last.strftime("%Y%m%d")],
        settlement + "InvoiceReferencedDocument/IssuerAssignedID": [invoice["preceding"]["number"]] if invoice["preceding"] else [],
        sums + "LineTotalAmount": [amounts["net"]], sums + "TaxBasisTotalAmount": [amounts["net"]], sums + "TaxTotalAmount": [amounts["vat"]],
        sums + "RoundingAmount": [amounts["rounding"]] if exact(amounts["rounding"]) else [],
        sums + "GrandTotalAmount": [amounts["total"]], sums + "TotalPrepaidAmount": [amounts["paid"]], sums + "DuePayableAmount": [amounts["due"]],
        trade + "IncludedSupplyChainTradeLineItem/SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount": [amounts["net"]],
    }.items():
        need(at(path) == expected, f"{path}: {at(path)}, expected {expected}")


# ---- section 8: a bundle

SEGMENT = re.compile(r"[A-Za-z0-9._@+=~%,!#$&'()\[\]{}^`; -]+")


def path_flaw(path):
    segments = path.split("/")
    if not 0 < len(path) <= 512 or len(segments) > 12:
        return True
    return any(not SEGMENT.fullmatch(one) or one in (".", "..") or len(one) > 200 or one[0] == " " or one[-1] in " ." for one in segments)


def note_text(imvu, manifest):
    return f"nexus-bundle/v1\n{imvu}\n{len(manifest)} {sha256(manifest).hex()}\n"


def read_file(folder, path):
    whole = os.path.join(folder, path)
    try:
        if not stat.S_ISREG(os.lstat(whole).st_mode):
            raise Wrong(f"{path}: not a file")
        with open(whole, "rb") as file:
            return file.read()
    except OSError:
        raise Wrong(f"{path}: missing") from None


def js_object(value):
    """Objects as JavaScript keeps them: names that are array indexes first, by number; then the others as they came."""
    if isinstance(value, list):
        return [js_object(one) for one in value]
    if not isinstance(value, dict):
        return value
    numbers = sorted((key for key in value if re.fullmatch(r"0|[1-9][0-9]{0,9}", key) and int(key) < 2**32 - 1), key=int)
    return {key: js_object(value[key]) for key in numbers + [key for key in value if key not in numbers]}


def parse_manifest(data):
    text = utf8(data, "MANIFEST.json")
    manifest = parse_json(text)
    need(json.dumps(js_object(manifest), indent=2, ensure_ascii=False) + "\n" == text, "MANIFEST.json: not in the one form that is signed")
    members = {"format", "imvu", "createdAt", "toolVersion", "ledger", "exit", "sections", "files", "notIncluded"}
    need(isinstance(manifest, dict) and set(manifest) == members and manifest["format"] == "nexus-bundle/v1", "MANIFEST.json: other members")
    sums, seen = {}, set()
    for one in manifest["files"]:
        need(set(one) == {"path", "bytes", "sha256", "section"} and is_count(one["bytes"]) and isinstance(one["path"], str), "MANIFEST.json: a file of another form")
        need(not path_flaw(one["path"]), f"MANIFEST.json: path {one['path']!r}")
        need(re.fullmatch(r"[0-9a-f]{64}", one["sha256"]), "MANIFEST.json: no digest")
        need(one["path"] not in seen, f"MANIFEST.json: {one['path']} twice")
        seen.add(one["path"])
        section = one["path"].split("/")[0] if "/" in one["path"] else "bundle"
        need(one["section"] == section, f"MANIFEST.json: {one['path']} is of section {section}")
        files, size = sums.get(section, (0, 0))
        sums[section] = (files + 1, size + one["bytes"])
    need({name: {"files": files, "bytes": size} for name, (files, size) in sums.items()} == manifest["sections"], "MANIFEST.json: sums of sections")
    return manifest


def inspect_files(folder, manifest):
    listed = {one["path"] for one in manifest["files"]} | {"MANIFEST.json", "MANIFEST.sig"}
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
            mode = os.lstat(os.path.join(place, name)).st_mode
            if stat.S_ISDIR(mode):
                continue
            need(stat.S_ISREG(mode), f"{path}: neither file nor folder")
            need(path in listed, f"{path}: the manifest does not list it")
    for one in manifest["files"]:
        data = read_file(folder, one["path"])
        need(len(data) == one["bytes"] and sha256(data).hex() == one["sha256"], f"{one['path']}: not the file that was signed")


def lines_of(folder, path):
    text = utf8(read_file(folder, path), path)
    need(text == "" or text.endswith("\n"), f"{path}: the last line does not end")
    return text.split("\n")[:-1]


class Bundle:
    def __init__(self, folder, log_key):
        self.folder = folder
        self.counts = {"entries": 0, "commands": 0, "verdicts": 0, "statements": 0, "files": 0}
        self.rings, self.laws, self.nonces = Rings(), {}, set()
        self.intents, self.orders, self.exits, self.tariffs, self.closed = {}, {}, {}, [], {}
        self.form = 1
        self.sales, self.left = [], {}
        self.terms = {"timeZone": "UTC", "currency": "EUR"}
        self.account, self.owed, self.covers, self.payouts = None, {}, -1, {}
        self.audits = {"ledger/audit/commands.jsonl": [], "ledger/audit/refusals.jsonl": [], "ledger/compliance/consent-log.jsonl": [], "ledger/revenue/sales.jsonl": []}
        self.revenue = {}
        self.billable, self.buyer, self.invoices, self.preceding = {}, None, {}, {}
        self.invoice_form = 1
        data, signature = read_file(folder, "MANIFEST.json"), utf8(read_file(folder, "MANIFEST.sig"), "MANIFEST.sig")
        with within("MANIFEST.json"):
            self.manifest = parse_manifest(data)
        keys = read_file(folder, "ledger/keys.txt").decode("utf-8", "replace")
        named = [line[4:] for line in keys.split("\n") if line.startswith("log ")]
        self.log_key = log_key or (named[0] if named else None)
        flaw = None
        try:
            need(self.log_key, "no log key")
            signed = open_note(signature, self.log_key)
        except Wrong as wrong:
            flaw = wrong
        if flaw is None:
            need(signed == note_text(self.manifest["imvu"], data), "MANIFEST.json: not the manifest that the log signed")
        inspect_files(folder, self.manifest)
        if flaw is not None:
            raise Wrong(f"MANIFEST.sig: {flaw}")
        self.counts["files"] = len(self.manifest["files"])

    def entries(self, group):
        """(index, text, body) of each line, proved."""
        path = f"ledger/{group}.jsonl"
        lines, proofs = lines_of(self.folder, path), lines_of(self.folder, f"ledger/proofs/{group}.jsonl")
        need(len(lines) == len(proofs), f"ledger/proofs/{group}.jsonl: {len(proofs)} proofs for {len(lines)} entries")
        before = -1
        for line, proof in zip(lines, proofs):
            gone = re.fullmatch(r'\{"index":(0|[1-9][0-9]{0,15}),"erased":"([0-9a-f]{64})"\}', line)
            match = gone or re.fullmatch(r'\{"index":(0|[1-9][0-9]{0,15}),"body":(\{.*\})\}', line, re.S)
            need(match, f"{path}: a line of another form")
            index, text = int(match[1]), match[2]
            where = f"{path} entry {index}"
            need(index > before, f"{where}: out of order")
            before = index
            with within(where):
                body, said = None if gone else parse_body(text), parse_json(proof)
                need(body or group == "events", "a body that nothing can erase is gone")
                hashes = [base64_strict(one) for one in said["proof"]]
            leaf = bytes.fromhex(text) if gone else sha256(text.encode())
            need(canonical(said["index"]) == str(index) and said.get("leaf") == base64.b64encode(leaf).decode(), f"{where}: not the body its proof names")
            need(None not in hashes and verify_inclusion(leaf, index, self.size, hashes, self.root), f"{where}: not in the tree")
            self.counts["entries"] += 1
            yield index, leaf, body

    def verify(self):
        try:
            self.origin, self.size, self.root = open_checkpoint(self.manifest["ledger"]["checkpoint"], self.log_key)
        except Wrong as wrong:
            raise Wrong(f"ledger/checkpoint: {wrong}") from None
        for index, _, body in self.entries("platform"):
            need(body["stream"] == "platform", f"entry {index}: of stream {body['stream']}")
            if body["type"] == "platform.law":
                with within(f"entry {index}"):
                    for value in body["data"].values():
                        if isinstance(value, str):
                            self.laws.setdefault(value, index)
            elif body["type"] == "platform.tariff":
                with within(f"entry {index} ({body['type']})"):
                    check_tariff(body["data"])
                    begins, time = epoch_ms(body["data"]["validFrom"]), epoch_ms(body["time"])
                    if any(one[1]["currency"] == body["data"]["currency"] for one in self.tariffs):
                        need(begins - time >= (30 * 24 - 1) * 3600 * 1000, "a tariff that was not announced 30 days ahead")
                    else:
                        need(not self.tariffs or begins >= period_of(month_of(instant(time - 3600 * 1000), "UTC"))[0], "the first tariff of a currency, for the past")
                self.tariffs.append((index, body["data"], epoch_ms(body["time"])))
        for index, _, body in self.entries("identities"):
            with within(f"entry {index} ({body['type']})"):
                if body["type"] == "command.accepted":
                    self.command(index, body)
                else:
                    need(body["type"] == "identity.registered", "registers nobody")
                    key, kid = open_key(body["data"].get("publicKey"))
                    self.rings.register(body["data"].get("name"), {kid: (key, body["data"]["publicKey"])}, index)
        head, last, stream, gone = None, -1, [], {}
        for index, leaf, body in self.entries("events"):
            where = f"ledger/events.jsonl entry {index}"
            if body is None:
                gone[index] = leaf.hex()
                head, last = ((head[0] if head else -1) + 1, head[1] if head else "", leaf), index
                stream.append((index, leaf.hex(), {"streamSeq": head[0], "type": "erased"}))
                continue
            flaw = chain_flaw(body, head) if body["stream"] == self.manifest["imvu"] else "of another stream"
            need(flaw is None, f"{where}: {flaw}")
            head, last = (body["streamSeq"], body["time"], leaf), index
            stream.append((index, head[2].hex(), body))
            with within(f"entry {index} ({body['type']})"):
                if body["type"] in ("command.accepted", "command.refused"):
                    self.command(index, body, audit=True)
                elif body["type"] in ("effect.applied", "effect.failed"):
                    intent = self.intents.pop(body["data"]["digest"], None)
                    need(intent is not None and intent == body["data"]["intent"], "an outcome without an intent")
                    if body["type"] == "effect.applied":
                        order = self.orders.get(body["data"]["digest"])
                        need(order is None or canonical(body["data"]["learned"]) == canonical(order), "erases something else than was ordered")
                        for one in order["erased"] if order else ():
                            need(gone.pop(one["index"], None) == one["commitment"], f"entry {one['index']} was ordered erased, and stands, or was another")
                elif body["type"] == "meter.reading":
                    check_readings(body["data"], self.manifest["imvu"])
                elif body["type"] == "statement.closed":
                    self.statement(stream, index, body)
                    if index == max((one["index"] for one in self.closed.values()), default=-1):
                        self.owe(index, body["data"], payable(int(body["data"]["creator"].replace(".", "")), body["data"]["currency"]))
                elif body["type"] == "statement.corrected":
                    self.correction(stream, index, body["data"])
                    self.owe(index, body["data"], int(body["data"]["payout"]["creator"].replace(".", "")) * minor(body["data"]["currency"]))
                elif body["type"] == "drift.found":
                    told = {"index": index, "time": body["time"]} | {name: body["data"][name] for name in ("what", "at", "series", "was", "now")}
                    self.audits.setdefault("ledger/audit/drift.jsonl", []).append(json.dumps(told, separators=(",", ":"), ensure_ascii=False) + "\n")
                elif body["type"] == "payout.created":
                    self.payout(body["data"])
                elif body["type"] in ("payout.executed", "payout.returned"):
                    self.settled(index, body["type"], body["data"])
                elif body["type"] == "invoice.issued":
                    self.invoice(index, body)
        with within("identity/imvu.json"):
            document = json.loads(read_file(self.folder, "identity/imvu.json"))
            need(document.get("timeZone", "UTC") == self.terms["timeZone"] and document.get("currency", "EUR") == self.terms["currency"], "another time zone or currency than was agreed")
        need(not gone, f"ledger/events.jsonl: the bodies of {sorted(gone)} are gone, and nothing ordered it")
        need(last == self.manifest["ledger"]["index"], f"ledger/events.jsonl: ends at {last}")
        answered = self.manifest["exit"]
        need(answered is None or self.exits.get(answered["index"]) == answered["command"], "MANIFEST.json exit: no such accepted command")
        self.repeated()

    def command(self, index, body, audit=False):
        data = body["data"]
        command = open_command(data["jws"])
        payload, accepted = command["payload"], body["type"] == "command.accepted"
        need(data["digest"] == command["digest"], "digest")
        brought = {kid: (key, None, text, "unknown") for kid, (key, text) in brought_by(payload).items()}
        nobody = (None, None, None, "unknown")
        facts = []
        valid = valid_signatures(command, data["jws"], lambda kid: (self.rings.at(kid, index) or brought.get(kid) or nobody)[0])
        for (kid, _, _), holds in zip(command["signers"], valid):
            _, name, text, status = self.rings.at(kid, index) or brought.get(kid) or nobody
            facts.append({"kid": kid, "identity": name, "publicKey": text, "status": status, "valid": holds})
        need(canonical(data["facts"]["signatures"]) == canonical(facts), "the facts about signatures are not what the signatures say")
        if accepted:
            need(all(valid), "accepted with a false signature")
        if facts[0]["valid"] and facts[0]["identity"] is not None:
            need(body["actor"] == ("unknown" if facts[0]["status"] in ("revoked", "rotated") else facts[0]["identity"]), "actor")
        if accepted:
            need(payload["imvu"] is None or body["stream"] == payload["imvu"], "stream")
            nonce = (body["actor"], payload["nonce"])
            need(nonce not in self.nonces, "a nonce used before")
            self.nonces.add(nonce)
            self.intents[command["digest"]] = index
            if payload["op"] == "imvu.erase":
                named, there = payload["params"], data["facts"]["erasure"]
                erased = [{"index": named["index"], "commitment": named["commitment"]}] + ([there["outcome"]] if there["outcome"] else [])
                self.orders[command["digest"]] = {"command": there["digest"], "erased": erased}
            if payload["op"] == "imvu.payout.account":
                account = payload["params"]["account"]
                self.account = None if account is None else (account, command["digest"])
            if payload["op"] == "imvu.billing.set":
                self.buyer = {"index": index, "profile": payload["params"]}
            if payload["op"] == "imvu.exit":
                self.exits[index] = command["digest"]
            if payload["op"] in ("imvu.create", "imvu.import"):
                self.agree(index, body, payload["params"])
        need(self.laws.get(data["law"], index) < index, "a law that was not published before")
        self.verdicts(payload["op"], data["verdicts"], accepted)
        if accepted:
            self.rings.follow(payload, command["signers"][0][0], index)
        self.counts["commands"] += 1
        if audit:
            self.audit(index, body, command, payload)

    def agree(self, index, body, params):
        """What holds for the unit's money for good; its owner has her notice of prices by her own clock."""
        terms = {"timeZone": params.get("timeZone", "UTC"), "currency": params.get("currency", "EUR")}
        need(body["streamSeq"] == 0 or terms == self.terms, "agreed otherwise than before")
        self.terms = terms
        priced = [one for one in self.tariffs if one[1]["currency"] == terms["currency"]]
        need(any(one[0] < index for one in priced), f"no tariff in {terms['currency']} before")
        for at, tariff, time in priced:
            begins = begin_of(holds_from(tariff), terms["timeZone"])
            need(at < index or terms["timeZone"] == "UTC" or begins - time >= (30 * 24 - 1) * 3600 * 1000, f"entry {at} (platform.tariff): not announced 30 days ahead by the clock of {terms['timeZone']}")

    def verdicts(self, op, verdicts, accepted):
        need(in_order(verdicts), "seventeen verdicts in order")
        need(accepted_by(verdicts) == accepted, "accepted or refused against its verdicts")
        faulty = all(one["verdict"] == "deny" and one["code"] == f"GATE_{one['gate']:02d}_FACTS" for one in verdicts)
        for one in verdicts:
            need(one["verdict"] in ("pass", "not-applicable", "deny"), f"gate {one['gate']}")
            judges = one["gate"] in JUDGES[op]
            need(faulty or judges != (one["verdict"] == "not-applicable"), f"gate {one['gate']} {'judges' if judges else 'does not judge'} {op}")
            if one["verdict"] == "deny":
                need(re.fullmatch(rf"GATE_{one['gate']:02d}_[A-Z_]+", one["code"]), f"gate {one['gate']} denies with another gate's code")
            self.counts["verdicts"] += 1

    def audit(self, index, body, command, payload):
        line = {"index": index, "time": body["time"], "actor": body["actor"], "op": payload["op"], "digest": command["digest"], "signers": [kid for kid, _, _ in command["signers"]]}
        verdicts = body["data"]["verdicts"]
        if body["type"] == "command.accepted":
            path, line["gates"] = "ledger/audit/commands.jsonl", len(verdicts)
        else:
            path, line["denied"] = "ledger/audit/refusals.jsonl", [{"gate": one["gate"], "code": one.get("code")} for one in verdicts if one["verdict"] == "deny"]
        if body["type"] == "command.accepted" and payload["op"] == "consent.record":
            told = {name: payload["params"][name] for name in ("subject", "purpose", "text", "state")}
            consent = {"index": index, "time": body["time"], "actor": body["actor"]} | told
            self.audits["ledger/compliance/consent-log.jsonl"].append(json.dumps(consent, separators=(",", ":"), ensure_ascii=False) + "\n")
        if body["type"] == "command.accepted" and payload["op"] in ("revenue.record", "revenue.reverse"):
            said = payload["params"]
            self.sold(index, body, said)
            told = {"index": index, "time": body["time"], "actor": body["actor"], "sourceId": said["sourceId"], "reverses": said.get("reverses")} | {name: said[name] for name in ("amount", "currency", "at")}
            self.audits["ledger/revenue/sales.jsonl"].append(json.dumps(told, separators=(",", ":"), ensure_ascii=False) + "\n")
        self.audits[path].append(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")

    def sold(self, index, body, sale):
        need(sale["sourceId"] not in self.left, f"{sale['sourceId']} is booked twice")
        need(sale["currency"] == self.terms["currency"], f"{sale['sourceId']} is in {sale['currency']}, and the unit's money is {self.terms['currency']}")
        amount, back = amount_of(sale), sale.get("reverses")
        if back is not None:
            need(amount <= self.left.get(back, 0), f"more is paid back than is left of {back}")
            self.left[back] -= amount
        self.left[sale["sourceId"]] = amount if back is None else 0
        self.sales.append(sale | {"index": index, "streamSeq": body["streamSeq"], "time": epoch_ms(body["time"]), "month": month_of(sale["at"], self.terms["timeZone"])})

    def owe(self, index, made, amount):
        """What a closed statement or a correction pays; a correction's may be less than nothing."""
        self.owed[made["currency"]] = self.owed.get(made["currency"], 0) + amount
        self.covers = index

    def payout(self, said):
        """All that is owed in its currency and no more, to the account that the owner named last, under the next number."""
        need(self.account is not None, "paid out, and no account was named")
        owed, number = self.owed.get(said["currency"], 0), len(self.payouts) + 1
        need(owed > 0, "paid out, and nothing is owed")
        made = {
            "v": 1, "imvu": self.manifest["imvu"], "number": number, "id": f"{self.manifest['imvu']}-{number}", "amount": decimal(owed // minor(said["currency"]), DIGITS[said["currency"]]), "currency": said["currency"],
            "account": self.account[0], "command": self.account[1], "covers": self.covers,
        }
        need(canonical(made) == canonical(said), f"expected {canonical(made)}")
        self.owed[said["currency"]] = 0
        self.payouts[made["id"]] = [made, owed, "created"]

    def settled(self, index, kind, said):
        """A step that the operators' command in it says, signed by keys of somebody, from a state that allows it."""
        command = open_command(said["order"])
        payload, params = command["payload"], command["payload"]["params"]
        op, to, why = ("platform.payout.execute", "executed", "reference") if kind == "payout.executed" else ("platform.payout.return", "returned", "reason")
        need(payload["op"] == op and params["imvu"] == self.manifest["imvu"], "another command")
        made = {"v": 1, "imvu": params["imvu"], "id": params["payout"], "at": params["at"], why: params[why], "command": command["digest"], "order": said["order"]}
        need(canonical(made) == canonical(said), "says something else than its command")
        for kid, protected, signature in command["signers"]:
            held = self.rings.at(kid, index)
            need(held is not None and held[3] in ("live", "rotated", "revoked"), "a signature of nobody's key")
            need(ed25519_verify(held[0], f"{protected}.{said['order']['payload']}".encode(), signature), "a false signature")
        payout = self.payouts.get(said["id"])
        need(payout is not None and (payout[2] == "created" or (payout[2] == "executed" and to == "returned")), "does not follow")
        payout[2] = to
        if to == "returned":
            self.owed[payout[0]["currency"]] += payout[1]

    def settle(self, month, head_seq):
        self.sales = [one for one in self.sales if one["month"] != month or one["streamSeq"] > head_seq]

    def correction(self, stream, index, said):
        month, head_seq = said["period"], said["streamHead"]["streamSeq"]
        need(month in self.closed, "corrects a month that is not closed")
        head = [digest for _, digest, entry in stream[:-1] if entry["streamSeq"] == head_seq]
        need(head, "rests on entries after it")
        known = [one for one in self.sales if one["month"] == month and one["streamSeq"] <= head_seq]
        need(known, "a correction by nothing")
        before, revenue, money = self.closed[month], sums(known), self.terms["currency"]
        gross = before["gross"] + net(revenue)
        creator, platform = split(gross)
        made = {
            "v": 2, "imvu": self.manifest["imvu"], "period": month, "currency": money, "corrects": before["index"], "number": before["number"] + 1, "revenue": revenue,
            "gross": decimal(gross - before["gross"], 21), "creator": decimal(creator - before["creator"], 21), "platform": decimal(platform - before["platform"], 21),
            "payout": payout_of(creator, money, payable(before["creator"], money)),
            "total": {"gross": decimal(gross, 21), "creator": decimal(creator, 21), "platform": decimal(platform, 21), "payout": decimal(payable(creator, money) // minor(money), DIGITS[money])},
            "streamHead": {"streamSeq": head_seq, "sha256": head[0]},
        }
        need(canonical(made) == canonical(said), f"{month} correction: expected {canonical(made)[:600]}")
        self.closed[month] = {"index": index, "number": made["number"], "gross": gross, "creator": creator, "platform": platform}
        self.settle(month, head_seq)
        self.billable[index] = made
        self.counts["statements"] += 1
        pairs = sold_pairs(revenue) + [("gross", made["gross"]), ("creator 55%", made["creator"]), ("platform 45%", made["platform"]), ("payout to creator", made["payout"]["creator"]), ("rounded up by", made["payout"]["difference"])]
        pairs += [("month's gross", made["total"]["gross"]), ("month's creator 55%", made["total"]["creator"]), ("month's platform 45%", made["total"]["platform"]), ("month's payout to creator", made["total"]["payout"])]
        rows = [["period", f"corrects ledger entry {made['corrects']}", f"amount {money}"]] + [[month, name, value] for name, value in pairs]
        self.revenue[f"ledger/revenue/{month}-correction-{made['number']}.csv"] = csv_of(rows)

    def statement(self, stream, at, body):
        said = body["data"]
        zone = self.terms["timeZone"]
        start, end = period_of(said["period"], zone)
        need(said["period"] not in self.closed, "another statement after the closed one")
        head_seq = -1 if said["streamHead"] is None else said["streamHead"]["streamSeq"]
        need(is_count(head_seq + 1) and head_seq < body["streamSeq"], "rests on entries after it")
        rating, whole, head = Rating(start, end), False, None
        closed = epoch_ms(body["time"]) >= end
        for index, digest, entry in stream:
            if entry["streamSeq"] == head_seq:
                head = {"streamSeq": head_seq, "sha256": digest}
            if entry["type"] != "meter.reading":
                continue
            if entry["streamSeq"] <= head_seq:
                rating.add(index, entry["data"])
                whole = whole or epoch_ms(entry["data"]["at"]) >= end
            else:
                need(whole or not closed, f"closed without reading {index}")
        published = [one for one in self.tariffs if one[0] < stream[-1][0] and one[1]["currency"] == self.terms["currency"]]
        need(published, "no tariff")
        in_time = [one for one in published if holds_from(one[1]) <= said["period"]]
        tariff_index, tariff, _ = in_time[-1] if in_time else published[0]
        known = [one for one in self.sales if one["month"] == said["period"] and one["streamSeq"] <= head_seq]
        form = 3 if self.terms != {"timeZone": "UTC", "currency": "EUR"} else 1 if "v" not in said and not known else 2 if said.get("v") == 2 else 3
        self.form = max(self.form, form)
        older = self.form == 1
        made = statement_of(self.manifest["imvu"], said["period"], zone, tariff_index, tariff, rating, head, closed, sums(known), self.form)
        for name in made:
            need(canonical(made[name]) == canonical(said.get(name)), f"{said['period']} {name}: expected {canonical(made[name])[:200]}")
        need(set(said) == set(made), "other members")
        if closed:
            self.closed[said["period"]] = {"index": at, "number": 0} | {name: int(made[name].replace(".", "")) for name in ("gross", "creator", "platform")}
            self.settle(said["period"], head_seq)
            self.billable[at] = made
            late = [one for one in self.sales if one["month"] in self.closed and one["time"] < end]
            need(not late, f"no correction knows entry {late[0]['index'] if late else None}")
        self.counts["statements"] += 1
        head = "period" if zone == "UTC" else f"period ({zone}: after {made['start']} up to {made['end']})"
        rows = [[head, "resource", "quantity", "unit", f"unit price {made['currency']} (tariff: ledger entry {tariff_index})", f"amount {made['currency']}"]]
        rows += [[made["period"], one["resource"] + (f" above {one['above']}" if "above" in one else ""), one["quantity"], one["unit"], one["unitPrice"], one["amount"]] for one in made["lines"]]
        shares = [("gross", made["gross"]), ("creator 55%", made["creator"]), ("platform 45%", made["platform"])]
        newer = [] if older else [("payout to creator", made["payout"]["creator"]), ("rounded up by", made["payout"]["difference"])]
        rows += money_rows(made["period"], ([] if older else [("usage", made["usage"])] + (sold_pairs(made["revenue"]))) + shares + newer)
        self.revenue[f"ledger/revenue/{made['period']}-ledger.csv"] = csv_of(rows)

    def invoice(self, index, body):
        said = body["data"]
        made = self.billable.pop(said["statement"], None)
        need(made, "of no statement, or a second one")
        need(self.buyer, "to nobody")
        need(is_count(said["seller"]["index"]) and said["seller"]["index"] < index, "from a seller after it")
        need(is_count(said["sequence"]) and said["sequence"] > 0, "no number")
        written = datetime.fromisoformat(body["time"].replace("Z", "+00:00"))
        need(said["issued"] in {(written - timedelta(hours=hours)).strftime("%Y-%m-%d") for hours in (0, 1)}, "a day of its own")
        month = made["period"]
        self.invoice_form = 1 if said["v"] == 1 and self.invoice_form == 1 else 2
        expected = invoice_of(self.invoice_form, self.manifest["imvu"], said["statement"], made, said, self.buyer, self.origin, self.preceding.get(month))
        for name in expected:
            need(canonical(expected[name]) == canonical(said.get(name)), f"{name}: expected {canonical(expected[name])[:300]}")
        need(set(said) == set(expected), "other members")
        self.preceding[month] = {"number": said["number"], "issued": said["issued"]}
        self.invoices[f"ledger/revenue/{month}-invoice" + (f"-{said['correction']}" if said["correction"] else "")] = said
        self.counts["statements"] += 1

    def repeated(self):
        keys = [
            "# log: the signed-note verifier key of the ledger's checkpoints and of MANIFEST.sig. Compare it with one you kept:",
            "#   node verify.mjs --log-key KEY",
            f"log {self.log_key}",
            "# identity: name, key id (RFC 7638 thumbprint), raw Ed25519 public key (base64url)",
        ] + [f"identity {name} {kid} {self.rings.holders[kid][2]}" for name, states in self.rings.versions.items() for kid in states[-1][1]["signing"]]
        expected = {path: "".join(lines) for path, lines in self.audits.items()} | self.revenue
        expected |= {"ledger/checkpoint": self.manifest["ledger"]["checkpoint"], "ledger/keys.txt": "\n".join(keys) + "\n"}
        sales = "ledger/revenue/sales.jsonl"
        if not expected[sales] and all(one["path"] != sales for one in self.manifest["files"]):
            del expected[sales]
        for path, text in expected.items():
            need(read_file(self.folder, path) == text.encode(), f"{path}: not what the entries say")
        for path, invoice in self.invoices.items():
            with within(f"{path}.xml"):
                check_invoice_xml(read_file(self.folder, f"{path}.xml"), invoice)
        # What is drawn for people is not drawn again.
        accounted = {f"{path}.{kind}" for path in self.invoices for kind in ("xml", "pdf")}
        for one in self.manifest["files"]:
            need(one["path"] in accounted or one["path"] in expected or not re.match(r"ledger/(audit|revenue)/", one["path"]), f"{one['path']}: no entry accounts for it")


# ---- the vectors

class Vectors:
    def __init__(self, folder):
        self.folder, self.counts = folder, {}

    def load(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return json.load(file)

    def held(self, file, group, what, expected, judge):
        """Judge raises Wrong for what must be refused."""
        try:
            judge()
            good, why = True, "it was believed"
        except Wrong as wrong:
            good, why = False, str(wrong)
        need(good == expected, f"{file} {group} {what!r}: {why}")
        self.counts[file] = self.counts.get(file, 0) + 1

    def verify(self):
        self.bodies()
        self.trees()
        self.notes()
        self.commands()
        self.keys()
        self.money()

    def bodies(self):
        file, data = "bodies.json", self.load("bodies.json")
        whole = lambda row: row["body"] if row["body"] is not None else row["before"] + "x" * row["fill"] + row["after"]

        def good(row):
            text = whole(row)
            parse_body(text)
            need("input" not in row or canonical(parse_json(row["input"])) == text, "another canonical text")
            need("bodyHex" not in row or text.encode().hex() == row["bodyHex"], "other bytes")
            leaf = sha256(text.encode())
            need(leaf.hex() == row["leafData"] and leaf_hash(leaf).hex() == row["leafHash"], "another leaf")

        for row in data["good"]:
            self.held(file, "good", row["what"], True, lambda: good(row))
        for row in data["bad"]:
            self.held(file, "bad", row["what"], False, lambda: parse_body(whole(row)))
        for row in data["streams"]:
            def stream():
                try:
                    check_stream(row["bodies"])
                except Wrong as wrong:
                    if not row["good"] and not str(wrong).startswith(f"{row['wrong']}:"):
                        raise AssertionError(f"{file} streams {row['what']!r}: entry {row['wrong']} is wrong, not {wrong}") from None
                    raise
            self.held(file, "streams", row["what"], row["good"], stream)

    def trees(self):
        file, data = "trees.json", self.load("trees.json")
        leaves = [sha256(f"leaf {at}".encode()) for at in range(len(data["roots"]) - 1)]
        rows, roots = levels_of(leaves), [bytes.fromhex(root) for root in data["roots"]]
        unhex = lambda proof: [bytes.fromhex(one) for one in proof]
        for size, root in enumerate(roots):
            self.held(file, "roots", size, True, lambda: need(root_of(rows, size) == root, "another root"))
        for index, size, proof in data["inclusion"]:
            self.held(file, "inclusion", (index, size), True, lambda: need(verify_inclusion(leaves[index], index, size, unhex(proof), roots[size]), "refused"))
        for first, second, proof in data["consistency"]:
            self.held(file, "consistency", (first, second), True, lambda: need(verify_consistency(first, roots[first], second, roots[second], unhex(proof)), "refused"))
        for row in data["wrongInclusion"]:
            leaf, root = bytes.fromhex(row["leafData"]), bytes.fromhex(row["root"])
            self.held(file, "wrongInclusion", row["what"], False, lambda: need(verify_inclusion(leaf, row["index"], row["size"], unhex(row["proof"]), root), "refused"))
        for row in data["wrongConsistency"]:
            old, new = bytes.fromhex(row["fromRoot"]), bytes.fromhex(row["toRoot"])
            self.held(file, "wrongConsistency", row["what"], False, lambda: need(verify_consistency(row["from"], old, row["to"], new, unhex(row["proof"])), "refused"))
        for row in data["tiles"]:
            self.held(file, "tiles", row["path"], True, lambda: self.tile(row, rows, leaves))
        for row in data["tilePaths"]:
            self.held(file, "tilePaths", row["path"], True, lambda: need(tile_path(0, row["n"], row.get("width")) == row["path"], "another path"))

    def tile(self, row, rows, leaves):
        level, rest = row["path"].removeprefix("tile/").split("/", 1)
        at = int(rest.split(".p/")[0]) * 256
        if level == "entries":
            data = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves[at : at + row["width"]])
        else:
            data = b"".join(rows[int(level) * 8][at : at + row["width"]])
        need(len(data) == row["bytes"] and sha256(data).hex() == row["sha256"] and data.hex().startswith(row["first"]), "other bytes")

    def notes(self):
        file, data = "notes.json", self.load("notes.json")

        def vkey(row):
            name, ident, key = open_vkey(row["vkey"])
            need("name" not in row or (name, ident.hex(), key.hex()) == (row["name"], row["keyId"], row["publicKey"]), "another key")

        def checkpoint(row):
            origin, size, root = open_checkpoint(row["note"], row["vkey"])
            need("root" not in row or (origin, size, root.hex()) == (row["origin"], row["size"], row["root"]), "another checkpoint")

        for row in data["vkeys"]:
            self.held(file, "vkeys", row["what"], row["good"], lambda: vkey(row))
        for row in data["checkpoints"]:
            self.held(file, "checkpoints", row["what"], row["good"], lambda: checkpoint(row))
        for row in data["manifests"]:
            self.held(file, "manifests", row["what"], row["good"], lambda: need(open_note(row["note"], row["vkey"]) == note_text(row["imvu"], bytes.fromhex(row["manifestHex"])), "another manifest"))

    def commands(self):
        file, data = "commands.json", self.load("commands.json")
        keys = {one["kid"]: open_key(one["publicKey"])[0] for one in data["keys"] if one["registered"]}

        def command(row):
            opened = open_command(row["jws"])
            if not row["open"]:
                return
            payload = opened["payload"]
            brought = {kid: key for kid, (key, _) in brought_by(payload).items()}
            need(opened["digest"] == row["digest"] and payload["op"] == row["op"], "another digest or op")
            need([kid for kid, _, _ in opened["signers"]] == row["signers"], "other signers")
            need(f"{opened['signers'][0][1]}.{row['jws']['payload']}" == row["firstInput"], "another signing input")
            valid = valid_signatures(opened, row["jws"], lambda kid: keys.get(kid) or brought.get(kid))
            need(valid == row["valid"], f"signatures {valid}")

        for row in data["commands"]:
            self.held(file, "commands", row["what"], row["open"], lambda: command(row))
        for row in data["verdicts"]:
            self.held(file, "verdicts", row["what"], row["accepted"], lambda: need(accepted_by(row["verdicts"]), "refused"))

    def keys(self):
        file, data = "keys.json", self.load("keys.json")

        def key(row):
            try:
                _, kid = open_key(row["publicKey"])
            except Wrong as wrong:
                if not row["accepted"] and str(wrong) != row["reason"]:
                    raise AssertionError(f"{file} keys {row['what']!r}: refused as {wrong}, expected {row['reason']}") from None
                raise
            need(not row["accepted"] or kid == row["kid"], "another kid")

        for row in data["keys"]:
            self.held(file, "keys", row["what"], row["accepted"], lambda: key(row))

    def money(self):
        for row in self.load("split.json"):
            shares = tuple(map(str, split(int(row["gross"]))))
            self.held("split.json", "split", row["gross"], True, lambda: need(shares == (row["creator"], row["platform"]), str(shares)))
        for at, row in enumerate(self.load("rating.json")):
            rating = Rating(*period_of(row["period"]))
            for index, one in enumerate(row["readings"]):
                rating.add(index, one)
            self.rated("rating.json", f"case {at}", rating, row)
        data = self.load("summaries.json")
        for at, row in enumerate(data["good"]):
            for form in ("sets", "entries"):
                rating = Rating(epoch_ms(row["start"]), epoch_ms(row["end"]))
                for index, one in enumerate(row[form]):
                    rating.add(index, one)
                self.rated("summaries.json", f"case {at} {form}", rating, row)
        for row in data["bad"]:
            def judge():
                with within(row["what"]):
                    told_in(row["data"])
            self.held("summaries.json", "bad", row["what"], False, judge)

    def rated(self, file, group, rating, row):
        made = {name: str(quantity) for name, quantity in rating.quantities().items()}
        for name, quantity in row["quantities"].items():
            self.held(file, group, name, True, lambda: need(made[name] == quantity, made[name]))


def main(args):
    options = dict(zip(args[::2], args[1::2]))
    if len(args) % 2 or not options or set(options) - {"--vectors", "--bundle", "--log-key"} or set(options) == {"--log-key"}:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if "--vectors" in options:
            vectors = Vectors(options["--vectors"])
            vectors.verify()
            print(" · ".join(f"{name} {count}" for name, count in vectors.counts.items()))
        if "--bundle" in options:
            bundle = Bundle(options["--bundle"], options.get("--log-key"))
            bundle.verify()
            print(" · ".join(f"{name} {count}" for name, count in bundle.counts.items()))
    except (Wrong, AssertionError) as wrong:
        print(f"WRONG: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
