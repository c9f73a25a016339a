#!/usr/bin/env python3
"""Checks releases and the publication log of a Gongkai warehouse, without any program of the warehouse.

    gongkai_verify.py release FOLDER_OR_URL (--log LOG_ROOT | --proof PROOF) [--key VKEY]
    gongkai_verify.py log LOG_ROOT [--key VKEY] [--checkpoint KEPT]
    gongkai_verify.py proof PROOF --key VKEY [--checkpoint KEPT]

Needs Python 3.8 and OpenSSL 3. Believes nothing that it reads but the keys of --key and the checkpoint KEPT. Prints a
line for each thing checked. Exit status: 0 all is well, 1 something is wrong, 2 nothing was checked.
"""
import argparse
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections import Counter, namedtuple
from urllib.parse import quote
from urllib.request import urlopen

Key = namedtuple("Key", "name id public vkey")  # a public key under the name that it signs notes with
Note = namedtuple("Note", "text origin size root signatures")  # a checkpoint; signatures: {(name, key id): bytes}
# What leaves say. keys: [(leaf, Key)], revoked: {public key: since}, releases: {release: (leaf, manifest's SHA-256)}.
Log = namedtuple("Log", "note leaves hashes keys revoked releases")

IS_URL = re.compile("https?://").match
NOTE = re.compile("(([^\n]+)\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*)\n((?:— [^\n]+\n)+)")
SIGNATURE = re.compile(r"^— (\S+) ([A-Za-z0-9+/]{91}=)$", re.MULTILINE)
VKEY = re.compile(r"([^+\s]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/]{44})")


class Damage(Exception):
    """What was found, where, and what was expected."""


def expect(is_so, otherwise):
    """Ends a check whose expectation is not met."""
    if not is_so:
        raise Damage(otherwise)


class Report:
    """Runs checks and prints what they found."""
    status = 0

    def say(self, is_good, text):
        """Prints a line. What was read from elsewhere cannot add lines of its own."""
        self.status = self.status if is_good else 1
        print(re.sub(r"[\x00-\x1f\x7f-\x9f]", "?", f"{'ok' if is_good else 'FAILED'}: {text}"))

    def run(self, check, *arguments):
        """Runs a check, which answers with what is well or raises what is wrong."""
        try:
            self.say(True, check(*arguments))
        except Damage as damage:
            self.say(False, damage)


# Reading

def sha256(*parts):
    """Digest of bytes one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def fetch(*places):
    """The bytes of the first file or http(s) address that can be read."""
    errors = []
    for place in places:
        try:
            with urlopen(place, timeout=60) if IS_URL(place) else open(place, "rb") as stream:
                return stream.read()
        except (OSError, ValueError, http.client.HTTPException) as error:
            errors.append(f"{place}: cannot be read ({error}), expected a file")
    raise Damage(errors[0])


def below(root, path):
    """Where a path lies below a folder or an address."""
    return root.rstrip("/") + "/" + (quote(path) if IS_URL(root) else path)


def unbase64(text, where, length=32):
    """So many bytes of base64."""
    try:
        found = b64decode(text, validate=True)
    except (ValueError, TypeError):
        found = b""
    expect(len(found) == length, f"{where}: found {str(text)[:100]!r}, expected {length} bytes in base64")
    return found


def members(text, where, **types):
    """A JSON object whose named members have the given types."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damage(f"{where}: not JSON ({error})")
    for name, expected in types.items():
        value = found.get(name) if isinstance(found, dict) else None
        expect(type(value) is expected,
               f"{where}: {name} is {str(value)[:60]!r}, expected a member of type {expected.__name__}")
    return found


def canonical(value):
    """Canonical JSON (RFC 8785) of texts and whole numbers and what is made of them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def read_note(data, where):
    """A checkpoint (C2SP tlog-checkpoint): origin, size and root; below a blank line who signed it."""
    found = NOTE.fullmatch(data.decode(errors="replace"))
    expect(found, f"{where}: no checkpoint, expected origin, size and root, a blank line, lines of signatures")
    signatures = [(name, b64decode(signature)) for name, signature in SIGNATURE.findall(found[5])]
    return Note(found[1], found[2], int(found[3]), b64decode(found[4]),
                {(name, signature[:4].hex()): signature[4:] for name, signature in signatures})


# Keys and signatures

def make_key(name, public):
    """The key of 32 bytes, with the id that signed notes give it under a name."""
    key_id = sha256(name.encode(), b"\n\1", public).hex()[:8]
    return Key(name, key_id, public, f"{name}+{key_id}+{b64encode(bytes([1]) + public).decode()}")


def parse_vkey(text):
    """The key of name+id+base64."""
    found = VKEY.fullmatch(text)
    key = make_key(found[1], b64decode(found[2])[1:]) if found else None
    if not key or key.vkey != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no key, expected name+id+base64 with the id of name and key")
    return key


def is_signed(public, message, signature):
    """Whether openssl takes the signature for that of an Ed25519 key over a message."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("key", "message", "signature")]
        for path, data in zip(paths, (bytes.fromhex("302a300506032b6570032100") + public, message, signature)):
            with open(path, "wb") as file:
                file.write(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin"]
        return subprocess.run(command + ["-in", paths[1], "-sigfile", paths[2]], capture_output=True).returncode == 0


def can_openssl():
    """Whether openssl takes the signature of RFC 8032, 7.1, test 2, and refuses it over another message."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    try:
        return is_signed(public, b"\x72", signature) and not is_signed(public, b"\x73", signature)
    except OSError:
        return False


def check_note(note, keys, where):
    """One of the keys signed the checkpoint. Lines of witnesses and of unknown keys say nothing here."""
    ours = [key for key in keys if key.name == note.origin and (key.name, key.id) in note.signatures]
    expect(ours, f"{where}: origin {note.origin}, signed by {['+'.join(of) for of in note.signatures]}, expected a "
                 f"signature of {' or '.join(key.vkey for key in keys)}")
    for key in ours:
        expect(is_signed(key.public, note.text.encode(), note.signatures[key.name, key.id]),
               f"{where}: the signature of {key.name}+{key.id} does not fit the text: one of them was changed")
    return f"{where}: size {note.size}, root {b64encode(note.root).decode()}, signed by {ours[0].name}+{ours[0].id}"


# The Merkle tree (RFC 6962): a leaf is hashed after a byte 0, a node after a byte 1

def merkle_root(hashes):
    """Root over leaf hashes."""
    while len(hashes) > 1:
        pairs = [sha256(b"\1", hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[2 * len(pairs):]
    return hashes[0] if hashes else sha256()


def inclusion_root(index, size, leaf_hash, proof):
    """Root that an inclusion proof leads to (2.1.1)."""
    expect((size == 1) == (not proof), "inclusion proof: too long or too short for its leaf and size")
    if size == 1:
        return leaf_hash
    split = 1 << (size - 1).bit_length() - 1  # leaves on the left: the largest power of two below the size
    if index < split:
        return sha256(b"\1", inclusion_root(index, split, leaf_hash, proof[:-1]), proof[-1])
    return sha256(b"\1", proof[-1], inclusion_root(index - split, size - split, leaf_hash, proof[:-1]))


def consistency_roots(old, new, old_root, proof):
    """Both roots that a consistency proof leads to (2.1.2). Within the tree the old root is None: the proof has it."""
    if old == new and len(proof) == (old_root is None):
        return (proof or [old_root]) * 2
    expect(old != new and proof, "consistency proof: too long or too short for its sizes")
    split = 1 << (new - 1).bit_length() - 1
    if old <= split:
        before, after = consistency_roots(old, split, old_root, proof[:-1])
        return [before, sha256(b"\1", after, proof[-1])]
    before, after = consistency_roots(old - split, new - split, None, proof[:-1])
    return [sha256(b"\1", proof[-1], before), sha256(b"\1", proof[-1], after)]


# The log (C2SP tlog-tiles)

def tile_path(level, at, count):
    """Path of the tile with thing `at` of so many: groups of three digits, an x before all but the last."""
    number, width = at // 256, min(256, count - at // 256 * 256)
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def read_tiles(root, level, count):
    """Path, width and bytes of the tiles that hold so many things. A full tile may stand for a partial one."""
    for at in range(0, count, 256):
        path, full = tile_path(level, at, count), tile_path(level, at, at + 256)
        yield path, min(256, count - at), fetch(*(below(root, name) for name in dict.fromkeys([path, full])))


def read_leaves(root, note, leaves):
    """Reads all leaves, each after its length in two bytes. Keeps those of the bundles before a damaged one."""
    for path, width, data in read_tiles(root, "entries", note.size):
        entries, at = [], 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at:at + 2], "big")
            expect(end <= len(data), f"{path}: ends within entry {len(entries)}, leaf {len(leaves) + len(entries)}")
            entries.append(data[at + 2:end])
            at = end
        expect(len(entries) in (width, 256), f"{path}: found {len(entries)} entries, expected {width}")
        leaves += entries[:width]
    return f"tile/entries: {len(leaves)} leaves"


def check_tiles(root, log):
    """The entries make every hash tile. Where they do not, the signed root tells which of them was changed."""
    hashes, level, size = log.hashes, 0, len(log.hashes)
    while hashes:
        found = []
        for path, width, data in read_tiles(root, level, len(hashes)):
            expect(len(data) in (32 * width, 32 * 256), f"{path}: found {len(data)} bytes, expected {32 * width}")
            found += [data[at:at + 32] for at in range(0, 32 * width, 32)]
        at = next((at for at in range(len(hashes)) if found[at] != hashes[at]), None)
        if at is not None:
            fault = "they do not make the root of the checkpoint either"
            if merkle_root(log.hashes) == log.note.root:
                fault = "the hash tile was changed"
            elif level == 0 and merkle_root(found) == log.note.root:
                is_moved = sorted(found) == sorted(hashes)
                fault = "the entries are in another order" if is_moved else "the entry was changed"
            leaf = at << 8 * level
            raise Damage(f"{tile_path(level, at, len(hashes))}: hash {at % 256} is {found[at].hex()}, leaf {leaf} in "
                         f"{tile_path('entries', leaf, size)} makes {hashes[at].hex()}: {fault}")
        hashes = [merkle_root(hashes[at:at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    return f"tile: the hash tiles of {level} levels are what the entries make"


def check_root(note, log, kept):
    """The first leaves of the log make the root of a checkpoint: its own, or one that somebody kept."""
    expect(note.size <= log.note.size,
           f"log: rolled back: it has {log.note.size} leaves, the {kept}checkpoint has {note.size}")
    expect(note.size <= len(log.hashes), f"log: only {len(log.hashes)} leaves could be read, expected {note.size}")
    made = merkle_root(log.hashes[:note.size])
    changed = "history was changed: " if kept else ""
    expect(made == note.root, f"log: {changed}its first {note.size} leaves make the root {made.hex()}, "
                              f"the {kept}checkpoint says {note.root.hex()}")
    return f"log: its first {note.size} leaves make the root of the {kept}checkpoint"


def key_at(log, size):
    """The key that signs at a size of the log: the last one among its leaves."""
    return [key for index, key in log.keys if index < max(size, 1)][-1]


def read_key(log, index, leaf, where):
    """Takes a leaf `key` or `key_revoked`, which the key before it has to have signed; leaf 0 signs itself."""
    key = make_key(log.note.origin, unbase64(leaf.get("public_key"), f"{where}, public_key"))
    signer = key_at(log, index) if index else key
    # Leaves name a key by an id that does not depend on the log's name; the one of signed notes says the same.
    short_id = sha256(signer.public).hex()[:8]
    expect(leaf.get("signed_by") in (short_id, signer.id),
           f"{where}: signed by {leaf.get('signed_by')}, expected {short_id}, the key that signs there")
    expect(signer.public not in log.revoked, f"{where}: signed by {short_id}, which was revoked before")
    text = canonical({name: value for name, value in leaf.items() if name != "signature"})
    expect(is_signed(signer.public, text, unbase64(leaf.get("signature"), f"{where}, signature", 64)),
           f"{where}: the signature of {short_id} does not fit the leaf: one of them was changed")
    if leaf["kind"] == "key_revoked":
        log.revoked[key.public] = str(leaf.get("since"))
    else:
        expect(leaf.get("origin") == key.name, f"{where}: origin {leaf.get('origin')}, the checkpoint says {key.name}")
        log.keys.append((index, key))


def read_leaf(log, index, where):
    """Takes a leaf into the log and answers with its kind. It has to be canonical; a release has one manifest."""
    leaf = members(log.leaves[index], where, kind=str)
    expect(canonical(leaf) == log.leaves[index], f"{where}: not canonical JSON")
    if leaf["kind"] in ("key", "key_revoked"):
        read_key(log, index, leaf, where)
    if leaf["kind"] == "release":
        members(log.leaves[index], where, release=str, manifest_sha256=str)
        first, digest = log.releases.setdefault(leaf["release"], (index, leaf["manifest_sha256"]))
        expect(digest == leaf["manifest_sha256"],
               f"{where}: another manifest of release {leaf['release']} than leaf {first} has")
    return leaf["kind"]


def check_leaves(log):
    """Every leaf is in order."""
    kinds, wrong = Counter(), []
    for index in range(len(log.leaves)):
        try:
            kinds[read_leaf(log, index, f"leaf {index}")] += 1
        except Damage as damage:
            wrong.append(str(damage))
        if not log.keys:
            break  # nothing can be said of the others
    expect(not wrong, f"{'; '.join(wrong[:5])} (wrong: {len(wrong)} leaves)")
    expect(log.keys, "leaf 0: no key, expected one that signs itself")
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"leaves: {counts}; keys sign one another, no release has two manifests"


def check_keys(log, trusted):
    """The trusted keys are the log's, and the key that signs now was not revoked."""
    chain = [key for _, key in log.keys]
    for key in trusted:
        expect(key in chain, f"key: {key.vkey} is none of the log's, which are {', '.join(key.vkey for key in chain)}")
    expect(chain[-1].public not in log.revoked, f"key: {chain[-1].vkey} was revoked, expected a new one after it")
    if not trusted:
        return f"key: without --key this trusts the log itself; compare its first key elsewhere: {chain[0].vkey}"
    return f"key: {', '.join(f'{key.name}+{key.id}' for key in trusted)} is among the {len(chain)} of the log"


def check_log(report, root, trusted, kept_at=None):
    """All of a log: entries, tiles, root, keys, signature, and that it continues a checkpoint that somebody kept."""
    note, leaves = read_note(fetch(below(root, "checkpoint")), "checkpoint"), []
    report.run(read_leaves, root, note, leaves)
    log = Log(note, leaves, [sha256(b"\0", leaf) for leaf in leaves], [], {}, {})
    report.run(check_root, note, log, "")
    if len(leaves) == note.size:
        report.run(check_tiles, root, log)
    report.run(check_leaves, log)
    expect(log.keys, "checkpoint: without the key of leaf 0 its signature cannot be checked")
    report.run(check_keys, log, trusted)
    report.run(check_note, note, [key_at(log, note.size)], "checkpoint")
    if kept_at:
        kept = read_note(fetch(kept_at), kept_at)
        report.run(check_note, kept, [key_at(log, kept.size)], kept_at)
        report.run(check_root, kept, log, "kept ")
    return log


# Proofs and releases

def read_proof(report, where, keys):
    """A proof with its hashes, and its checkpoint, which one of the keys signed."""
    proof = members(fetch(where), where, log_size=int, root=str, checkpoint=str)
    note = read_note(proof["checkpoint"].encode(errors="replace"), where)
    report.run(check_note, note, keys, f"{where}, checkpoint")
    expect((proof["log_size"], unbase64(proof["root"], f"{where}, root")) == (note.size, note.root),
           f"{where}: size {proof['log_size']} and root {proof['root']} are not those of its checkpoint")
    name = "consistency" if "from" in proof else "inclusion"
    members(canonical(proof), where, **{name: list})
    return note, proof, [unbase64(text, f"{where}, {name}") for text in proof[name]]


def check_inclusion(note, proof, hashes, where):
    """The leaf of a proof is in the log."""
    members(canonical(proof), where, leaf=str, leaf_index=int)
    index, leaf = proof["leaf_index"], proof["leaf"].encode(errors="replace")
    expect(0 <= index < note.size, f"{where}: leaf {index}, expected one below {note.size}")
    found = inclusion_root(index, note.size, sha256(b"\0", leaf), hashes)
    expect(found == note.root, f"{where}: leaf {index} and its proof make the root {found.hex()}, the checkpoint says "
                               f"{note.root.hex()}: leaf, proof or checkpoint was changed")
    return f"{where}: leaf {index} is in the log of {note.size}: {leaf.decode()}"


def check_consistency(note, proof, hashes, where, kept):
    """The checkpoint of a proof continues one that somebody kept."""
    expect(kept.size <= note.size, f"log: rolled back: it has {note.size} leaves, the kept checkpoint has {kept.size}")
    start = proof.get("from", note.size)  # a proof of inclusion can only be of the same size
    expect(kept.size == start > 0, f"{where}: continues size {start}, the kept checkpoint has {kept.size}; expected "
                                   f"what log/proof?from={kept.size} answers")
    path = hashes if "from" in proof else []
    expect(consistency_roots(kept.size, note.size, kept.root, path) == [kept.root, note.root],
           f"log: history was changed, or the proof: size {note.size} does not continue the kept checkpoint")
    return f"log: its size {note.size} continues the kept checkpoint of {kept.size}"


def check_proof(report, where, keys, kept_at):
    """A proof of inclusion, or one of consistency with a checkpoint that somebody kept."""
    note, proof, hashes = read_proof(report, where, keys)
    expect(kept_at or "from" not in proof, f"{where}: a proof of consistency, expected --checkpoint with a kept one")
    if "from" not in proof:
        report.run(check_inclusion, note, proof, hashes, where)
    if kept_at:
        kept = read_note(fetch(kept_at), kept_at)
        report.run(check_note, kept, keys, kept_at)
        report.run(check_consistency, note, proof, hashes, where, kept)


def check_file(root, entry):
    """A file of a release has the length and the digests that the manifest says."""
    name = members(canonical(entry), "manifest.json, files", name=str, bytes=int, sha256=str)["name"]
    expect(name[:1] != "/" and ".." not in name, f"manifest.json, files: {name}, expected a name within the release")
    data = fetch(below(root, name))
    found = {"bytes": len(data), "sha256": sha256(data).hex()}
    if "sm3" in entry and "sm3" in hashlib.algorithms_available:
        found["sm3"] = hashlib.new("sm3", data).hexdigest()
    for what, value in found.items():
        expect(value == entry[what], f"{name}: {what} {value}, the manifest says {entry[what]}")
    return f"{name}: {', '.join(found)} are those of the manifest"


def check_manifest(data, manifest, index, expected):
    """The log has this manifest for the release."""
    digest, release = sha256(data).hex(), manifest["release"]
    expect(expected, f"manifest.json: no leaf for release {release}, expected one with SHA-256 {digest}")
    expect(digest == expected, f"manifest.json: SHA-256 {digest}, leaf {index} says {expected} for release {release}")
    expect(release == f"{manifest['dataset']}.{manifest['number']}",
           f"manifest.json: release {release}, expected that of {manifest['dataset']} and {manifest['number']}")
    return f"manifest.json: leaf {index} has its SHA-256 {digest}; release {release}, {manifest['status']}"


def check_signature(root, data, keys, manifest, revoked):
    """The key of the time signed the manifest, and its signatures were still to be believed."""
    signature = fetch(below(root, "manifest.json.sig"))
    key = next((key for key in keys if is_signed(key.public, data, signature)), None)
    expect(key, f"manifest.json.sig: does not fit manifest.json, expected a signature of {[key.vkey for key in keys]}")
    since = revoked.get(key.public)
    expect(not since or str(manifest.get("recorded_at")).rstrip("Z") < since.rstrip("Z"),
           f"manifest.json.sig: key {key.id} is revoked since {since}, recorded at {manifest.get('recorded_at')}")
    return f"manifest.json.sig: signed by {key.name}+{key.id}"


def check_release(report, root, keys, log_root, proof_at):
    """All of a release: its files, its leaf in the log, its signature."""
    data = fetch(below(root, "manifest.json"))
    manifest = members(data, "manifest.json", release=str, dataset=str, number=int, status=str, files=list)
    for entry in manifest["files"]:
        report.run(check_file, root, entry)
    if log_root:
        log = check_log(report, log_root, keys)
        revoked, (index, digest) = log.revoked, log.releases.get(manifest["release"], (log.note.size, None))
        keys = [key_at(log, index)]
    else:
        note, proof, hashes = read_proof(report, proof_at, keys)
        report.run(check_inclusion, note, proof, hashes, proof_at)
        leaf = members(str(proof.get("leaf")), f"{proof_at}, leaf", kind=str)
        revoked, index = {}, proof.get("leaf_index")
        is_ours = leaf["kind"] == "release" and leaf.get("release") == manifest["release"]
        digest = leaf.get("manifest_sha256") if is_ours else None
    report.run(check_manifest, data, manifest, index, digest)
    report.run(check_signature, root, data, keys, manifest, revoked)


def main(arguments=None):
    """Reads the command line, runs the checks and answers with the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    release, log, proof = (commands.add_parser(name) for name in ("release", "log", "proof"))
    for command in (release, log, proof):
        command.add_argument("place", help="file, folder or http(s) address")
        command.add_argument("--key", type=parse_vkey, action="append", default=[], help="trusted key, name+id+base64")
    for command in (log, proof):
        command.add_argument("--checkpoint", help="a checkpoint that was kept")
    evidence = release.add_mutually_exclusive_group(required=True)
    evidence.add_argument("--log", help="folder or http(s) address of the log")
    evidence.add_argument("--proof", help="file or http(s) address of the release's proof")
    given, report = parser.parse_args(arguments), Report()
    if not given.key and (given.command == "proof" or given.command == "release" and given.proof):
        parser.error("a proof needs --key: it does not show whose log it is of")
    if not can_openssl():
        parser.error("the command openssl cannot check Ed25519 signatures here, expected OpenSSL 3")
    try:
        if given.command == "release":
            check_release(report, given.place, given.key, given.log, given.proof)
        elif given.command == "log":
            check_log(report, given.place, given.key, given.checkpoint)
        else:
            check_proof(report, given.place, given.key, given.checkpoint)
    except Damage as damage:
        report.say(False, damage)
    return report.status


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
