"""Tests of gongkai_verify.py on logs and releases made here, with keys of openssl.

    python3 -m unittest discover verifier

What is published elsewhere is the expectation where there is such: roots and proofs of the test data of RFC 6962
implementations, the key and signature in the documentation of Go's signed notes. Proofs are made by the definition of
RFC 6962, in which a tree is cut at the largest power of two, from leaves; the verifier goes the other way.
"""
import base64
import contextlib
import functools
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

import gongkai_verify as verify

ORIGIN = "data.example.org/log"
# Sizes at which tiles begin, end and are missing.
SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 600)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def base64_of(data):
    return base64.b64encode(data).decode()


def root_of(leaves):
    if len(leaves) == 1:
        return sha256(b"\0", leaves[0])
    split = cut(len(leaves))
    return sha256(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def cut(size):
    return max(2**power for power in range(64) if 2**power < size)


def inclusion_of(index, leaves):
    if len(leaves) == 1:
        return []
    split = cut(len(leaves))
    if index < split:
        return inclusion_of(index, leaves[:split]) + [root_of(leaves[split:])]
    return inclusion_of(index - split, leaves[split:]) + [root_of(leaves[:split])]


def consistency_of(old, leaves, is_whole=True):
    if old == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = cut(len(leaves))
    if old <= split:
        return consistency_of(old, leaves[:split], is_whole) + [root_of(leaves[split:])]
    return consistency_of(old - split, leaves[split:], False) + [root_of(leaves[:split])]


def json_of(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Signer:
    """A key of openssl."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name + ".pem")
        run("openssl", "genpkey", "-algorithm", "ED25519", "-out", self.path)
        self.public = run("openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER")[-32:]
        self.id = sha256(ORIGIN.encode(), b"\n\1", self.public)[:4]
        self.short_id = sha256(self.public)[:4].hex()
        self.vkey = f"{ORIGIN}+{self.id.hex()}+{base64_of(bytes([1]) + self.public)}"

    def sign(self, message):
        with tempfile.NamedTemporaryFile() as file:
            file.write(message)
            file.flush()
            return run("openssl", "pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in", file.name)

    def leaf(self, **members):
        """A leaf that this key signs."""
        members.setdefault("signed_by", self.short_id)
        return json_of(dict(members, signature=base64_of(self.sign(json_of(members)))))

    def key_leaf(self, public, **members):
        members = {"origin": ORIGIN, "recorded_at": "2026-01-01T00:00:00Z", **members}
        return self.leaf(kind="key", public_key=base64_of(public), **members)

    def revocation(self, key, since):
        return self.leaf(kind="key_revoked", public_key=base64_of(key.public), reason="lost", since=since,
                         recorded_at="2026-03-01T00:00:00Z")

    def note(self, leaves):
        """A checkpoint over leaves, with lines of a witness and of somebody unknown around the signature."""
        text = f"{ORIGIN}\n{len(leaves)}\n{base64_of(root_of(leaves))}\n"
        line = f"— {ORIGIN} {base64_of(self.id + self.sign(text.encode()))}\n"
        return f"{text}\n— witness.example.net {base64_of(bytes(76))}\n{line}— {ORIGIN} {base64_of(bytes(68))}\n"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write_log(root, leaves, signer):
    """Writes a log of fewer than 65 536 leaves."""
    shutil.rmtree(root, ignore_errors=True)
    hashes = [sha256(b"\0", leaf) for leaf in leaves]
    tiles = {"entries": [len(leaf).to_bytes(2, "big") + leaf for leaf in leaves], "0": hashes,
             "1": [root_of(leaves[at:at + 256]) for at in range(0, len(leaves) - 255, 256)]}
    for level, things in tiles.items():
        for at in range(0, len(things), 256):
            part = things[at:at + 256]
            width = "" if len(part) == 256 else f".p/{len(part)}"
            write(f"{root}/tile/{level}/{at // 256:03}{width}", b"".join(part))
    write(f"{root}/checkpoint", signer.note(leaves))


def flip(path, at):
    """Changes one bit of a file."""
    data = read(path)
    write(path, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])


def change(path, before, skipped):
    """Changes one letter of a text in base64, so many letters after what stands before it."""
    data = read(path)
    at = data.index(before) + len(before) + skipped
    write(path, data[:at] + (b"B" if data[at:at + 1] == b"A" else b"A") + data[at + 1:])


class OnALog(unittest.TestCase):
    """A log of 600 leaves whose key changes at leaf 300, and a release in it."""

    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.first, cls.second, cls.other = (Signer(cls.kept.name, name) for name in ("first", "second", "other"))
        cls.files = {"data.csv": b"region,value\n370200,1.5\n", "data.parquet": bytes(range(256)) * 9}
        cls.manifests = {}
        files = [{"name": name, "bytes": len(data), "sha256": sha256(data).hex(), "media_type": "text/csv"}
                 for name, data in cls.files.items()]
        cls.leaves = [cls.first.key_leaf(cls.first.public)]
        for index in range(1, 600):
            if index == 300:
                cls.leaves.append(cls.first.key_leaf(cls.second.public, signed_by=cls.first.id.hex()))
                continue
            cls.manifests[index] = json_of({
                "dataset": "debt", "files": files, "number": index, "previous_manifest_sha256": None,
                "recorded_at": "2026-02-01T00:00:00Z", "release": f"debt.{index}", "status": "released"})
            cls.leaves.append(json_of({"kind": "release", "release": f"debt.{index}",
                                       "manifest_sha256": sha256(cls.manifests[index]).hex()}))
        cls.leaves[7] = json_of({"kind": "sealed", "sha256": "0" * 64})
        cls.leaves[8] = json_of({"kind": "event", "event": "outage", "sha256": "1" * 64})

    @classmethod
    def tearDownClass(cls):
        cls.kept.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = f"{self.folder}/log"
        write_log(self.log, self.leaves, self.second)

    def release(self, number, signer):
        """Writes a release."""
        root = f"{self.folder}/releases/debt/{number}"
        write(f"{root}/manifest.json", self.manifests[number])
        write(f"{root}/manifest.json.sig", signer.sign(self.manifests[number]))
        for name, data in self.files.items():
            write(f"{root}/{name}", data)
        return root

    def keep(self, leaves, signer):
        """Keeps a checkpoint."""
        write(f"{self.folder}/kept", signer.note(leaves))
        return f"{self.folder}/kept"

    def proof(self, leaves, signer, **members):
        """Writes a proof to a checkpoint over leaves."""
        proof = {"log_size": len(leaves), "root": base64_of(root_of(leaves)), "checkpoint": signer.note(leaves)}
        for name, value in members.items():
            proof[name.strip("_")] = [base64_of(data) for data in value] if isinstance(value, list) else value
        write(f"{self.folder}/proof.json", json.dumps(proof))
        return f"{self.folder}/proof.json"

    def inclusion(self, index, leaves, signer):
        return self.proof(leaves, signer, release=f"debt.{index}", leaf=leaves[index].decode(), leaf_index=index,
                          inclusion=inclusion_of(index, leaves))

    def run_verifier(self, status, *arguments):
        """Runs the verifier and answers with its lines, all `ok` for status 0."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                found = verify.main(arguments)
            except SystemExit as ended:
                found = ended.code
        said = printed.getvalue()
        self.assertEqual((found, "FAILED: " in said), (status, status == 1), said)
        return said

    def assert_fails(self, expected, *arguments):
        """Every failed line has one of the expected texts, and every expected text is in one."""
        failed = [line for line in self.run_verifier(1, *arguments).splitlines() if line.startswith("FAILED: ")]
        for text in expected:
            self.assertTrue(any(text in line for line in failed), f"{text!r} is not in {failed}")
        for line in failed:
            self.assertTrue(any(text in line for text in expected), f"not expected: {line}")


class GoodThings(OnALog):
    def test_logs_of_every_shape_verify(self):
        for size in SIZES:
            with self.subTest(size=size):
                signer = self.first if size <= 300 else self.second
                write_log(self.log, self.leaves[:size], signer)
                kept = self.keep(self.leaves[:max(1, size - 7)], self.first if size - 7 <= 300 else self.second)
                said = self.run_verifier(0, "log", self.log, "--key", self.first.vkey, "--checkpoint", kept)
                self.assertIn(f"size {size}, root {base64_of(root_of(self.leaves[:size]))}", said)

    def test_either_key_of_the_chain_is_trusted_and_none_is_said(self):
        self.run_verifier(0, "log", self.log, "--key", self.second.vkey)
        said = self.run_verifier(0, "log", self.log)
        self.assertIn(f"trusts the log itself; compare its first key elsewhere: {self.first.vkey}", said)
        self.assertIn("1 event, 2 key, 596 release, 1 sealed", said)

    def test_a_full_tile_stands_for_a_partial_one(self):
        write_log(self.log, self.leaves[:512], self.second)
        write(f"{self.log}/checkpoint", self.second.note(self.leaves[:500]))
        # The level above has grown too; what the older checkpoint needs of it is kept beside.
        write(f"{self.log}/tile/1/000.p/1", root_of(self.leaves[:256]))
        self.run_verifier(0, "log", self.log, "--key", self.first.vkey)

    def test_releases_before_and_after_a_new_key_verify(self):
        for number, signer in ((5, self.first), (299, self.first), (301, self.second)):
            root = self.release(number, signer)
            said = self.run_verifier(0, "release", root, "--log", self.log, "--key", self.first.vkey)
            self.assertIn(f"leaf {number} has its SHA-256 {sha256(self.manifests[number]).hex()}", said)
            proof = self.inclusion(number, self.leaves, self.second)
            self.run_verifier(0, "release", root, "--proof", proof, "--key", self.second.vkey, "--key", signer.vkey)

    def test_proofs_verify(self):
        self.run_verifier(0, "proof", self.inclusion(257, self.leaves, self.second), "--key", self.second.vkey,
                          "--checkpoint", self.keep(self.leaves, self.second))
        proof = self.proof(self.leaves, self.second, from_=310, consistency=consistency_of(310, self.leaves))
        self.run_verifier(0, "proof", proof, "--key", self.second.vkey,
                          "--checkpoint", self.keep(self.leaves[:310], self.second))

    def test_all_of_it_over_http(self):
        root = self.release(5, self.first)
        quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        handler = functools.partial(quiet, directory=self.folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}"
            self.run_verifier(0, "release", root.replace(self.folder, address) + "/", "--log", f"{address}/log/")
            self.inclusion(5, self.leaves, self.second)
            self.run_verifier(0, "proof", f"{address}/proof.json", "--key", self.second.vkey)
            os.remove(f"{root}/data.csv")
            self.assert_fails(["data.csv: cannot be read (HTTP Error 404"], "release",
                              root.replace(self.folder, address), "--log", self.log)
            server.shutdown()

    def test_a_key_is_revoked_and_what_it_signed_before_stands(self):
        root = self.release(5, self.first)
        write_log(self.log, self.leaves + [self.second.revocation(self.first, "2026-02-01T00:00:00.5Z")], self.second)
        self.run_verifier(0, "release", root, "--log", self.log, "--key", self.second.vkey)
        write_log(self.log, self.leaves + [self.second.revocation(self.first, "2026-02-01T00:00:00Z")], self.second)
        self.assert_fails([f"manifest.json.sig: key {self.first.id.hex()} is revoked since 2026-02-01T00:00:00Z"],
                          "release", root, "--log", self.log)


class DamagedReleases(OnALog):
    def setUp(self):
        super().setUp()
        self.root = self.release(5, self.first)

    def check(self, *expected):
        """The same is said with the log and with a proof."""
        for evidence in (("--log", self.log), ("--proof", self.inclusion(5, self.leaves[:290], self.first))):
            self.assert_fails(expected, "release", self.root, *evidence, "--key", self.first.vkey)

    def test_a_byte_of_the_manifest(self):
        flip(f"{self.root}/manifest.json", self.manifests[5].index(b"recorded_at") + 15)
        found = sha256(read(f"{self.root}/manifest.json")).hex()
        self.check(f"manifest.json: SHA-256 {found}, leaf 5 says {sha256(self.manifests[5]).hex()}",
                   "manifest.json.sig: does not fit manifest.json")

    def test_a_byte_of_a_data_file(self):
        flip(f"{self.root}/data.parquet", 1000)
        self.check("data.parquet: sha256")

    def test_a_data_file_with_more_in_it_or_missing(self):
        write(f"{self.root}/data.csv", self.files["data.csv"] + b"\n")
        self.check("data.csv: bytes 25, the manifest says 24")
        os.remove(f"{self.root}/data.csv")
        self.check("data.csv: cannot be read")

    def test_a_byte_of_the_signature_or_that_of_another_key(self):
        flip(f"{self.root}/manifest.json.sig", 30)
        self.check("manifest.json.sig: does not fit manifest.json")
        write(f"{self.root}/manifest.json.sig", self.other.sign(self.manifests[5]))
        self.check("manifest.json.sig: does not fit manifest.json")

    def sign(self, made, signer):
        """Puts another manifest into the release."""
        write(f"{self.root}/manifest.json", made)
        write(f"{self.root}/manifest.json.sig", signer.sign(made))

    def test_a_manifest_that_the_log_does_not_have(self):
        made = self.manifests[5].replace(b'"number":5', b'"number":700').replace(b"debt.5", b"debt.700")
        self.sign(made, self.second)
        self.assert_fails(["manifest.json: no leaf for release debt.700"], "release", self.root, "--log", self.log)

    def test_a_manifest_that_contradicts_itself(self):
        made = self.manifests[5].replace(b'"number":5', b'"number":6')
        self.sign(made, self.first)
        leaf = json_of({"kind": "release", "release": "debt.5", "manifest_sha256": sha256(made).hex()})
        write_log(self.log, self.leaves[:5] + [leaf], self.first)
        self.assert_fails(["manifest.json: release debt.5, expected that of debt and 6"], "release", self.root,
                          "--log", self.log)

    def test_a_proof_that_does_not_lead_to_its_root(self):
        path = inclusion_of(5, self.leaves[:290])
        proof = self.proof(self.leaves[:290], self.first, leaf=self.leaves[5].decode(), leaf_index=5,
                           inclusion=[bytes(32)] + path[1:])
        self.assert_fails(["leaf 5 and its proof make the root"], "release", self.root, "--proof", proof,
                          "--key", self.first.vkey)

    def test_a_proof_of_something_else(self):
        arguments = ("release", self.root, "--key", self.first.vkey, "--proof")
        self.assert_fails(["manifest.json: no leaf for release debt.5"], *arguments,
                          self.inclusion(6, self.leaves[:290], self.first))
        growth = self.proof(self.leaves[:290], self.first, from_=9, consistency=consistency_of(9, self.leaves[:290]))
        self.assert_fails(["proof.json: leaf is 'None'", "proof.json, leaf: not JSON"], *arguments, growth)

    def test_a_manifest_that_leads_out_of_the_release(self):
        self.sign(self.manifests[5].replace(b"data.csv", b"../6/a.csv"), self.first)
        self.check("files: ../6/a.csv, expected a name within the release", "leaf 5 says")

    def test_sm3_where_the_manifest_has_it(self):
        # SM3 of "abc" is in GB/T 32905-2016, appendix A.1.
        digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        write(f"{self.root}/a", b"abc")
        entry = {"name": "a", "bytes": 3, "sha256": sha256(b"abc").hex(), "sm3": digest}
        if "sm3" not in hashlib.algorithms_available:
            self.skipTest("this Python has no SM3")
        self.assertEqual(verify.check_file(self.root, entry), "a: bytes, sha256, sm3 are those of the manifest")
        with self.assertRaisesRegex(verify.Damage, f"a: sm3 {digest}, the manifest says 00"):
            verify.check_file(self.root, dict(entry, sm3="00"))


class DamagedLogs(OnALog):
    ROOT = "log: its first 600 leaves make the root"

    def check(self, *expected, key=None):
        self.assert_fails(expected, "log", self.log, "--key", (key or self.first).vkey)

    def test_a_byte_of_an_entry(self):
        at = sum(2 + len(leaf) for leaf in self.leaves[256:270]) + 2 + self.leaves[270].index(b"sha256") + 12
        flip(f"{self.log}/tile/entries/001", at)
        self.check(self.ROOT, "leaf 270 in tile/entries/001 makes", key=self.second)
        self.check(self.ROOT, "the entry was changed")

    def test_a_byte_of_an_entry_that_is_no_json_then(self):
        flip(f"{self.log}/tile/entries/002.p/88", 2)
        self.check(self.ROOT, "leaf 512 in tile/entries/002.p/88 makes", "leaf 512: not JSON")

    def test_a_byte_of_an_entrys_length(self):
        flip(f"{self.log}/tile/entries/001", 1)
        self.check("tile/entries/001: ", "log: only 256 leaves could be read, expected 600",
                   "checkpoint: origin data.example.org/log, signed by")

    def test_an_entry_bundle_with_less_in_it(self):
        size = sum(2 + len(leaf) for leaf in self.leaves[512:])
        without_last = size - 2 - len(self.leaves[599])
        for length, text in ((size - 1, "tile/entries/002.p/88: ends within entry 87, leaf 599"),
                             (without_last, "tile/entries/002.p/88: found 87 entries, expected 88")):
            with self.subTest(text=text):
                os.truncate(f"{self.log}/tile/entries/002.p/88", length)
                self.check(text, "log: only 512 leaves could be read, expected 600")

    def test_a_byte_of_a_hash_tile_of_either_level(self):
        for path, at, text in (("0/000", 32 * 9, "tile/0/000: hash 9 is"), ("0/002.p/88", 32 * 87 + 31, "hash 87 is"),
                               ("1/000.p/2", 40, "tile/1/000.p/2: hash 1 is")):
            with self.subTest(path=path):
                flip(f"{self.log}/tile/{path}", at)
                self.check(text)
                self.check("the hash tile was changed")
                flip(f"{self.log}/tile/{path}", at)

    def test_a_missing_or_short_tile(self):
        os.truncate(f"{self.log}/tile/0/001", 8000)
        self.check("tile/0/001: found 8000 bytes, expected 8192")
        os.remove(f"{self.log}/tile/0/001")
        self.check("tile/0/001: cannot be read")

    def test_every_byte_of_the_checkpoints_text(self):
        text = read(f"{self.log}/checkpoint")
        for at in range(text.index(b"\n\n") + 1):
            flip(f"{self.log}/checkpoint", at)
            said = self.run_verifier(1, "log", self.log, "--key", self.first.vkey)
            self.assertRegex(said, "FAILED: (checkpoint|leaf 0: origin)")
            flip(f"{self.log}/checkpoint", at)

    def test_a_byte_of_the_checkpoints_root(self):
        change(f"{self.log}/checkpoint", b"\n600\n", 1)
        self.check(self.ROOT, "the signature of data.example.org/log+")

    def test_a_byte_of_the_checkpoints_signature(self):
        change(f"{self.log}/checkpoint", f"— {ORIGIN} ".encode(), 40)
        self.check("does not fit the text: one of them was changed")

    def test_leaves_in_another_order(self):
        moved = list(self.leaves)
        moved[20], moved[30] = moved[30], moved[20]
        bundle = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in moved[:256])
        write(f"{self.log}/tile/entries/000", bundle)
        self.check(self.ROOT, "the entries are in another order")
        # With the hash tiles made to fit, only the signed root shows it.
        write_log(self.log, moved, self.second)
        write(f"{self.log}/checkpoint", self.second.note(self.leaves))
        self.check(self.ROOT)

    def test_a_log_that_was_rolled_back(self):
        kept = self.keep(self.leaves, self.second)
        write_log(self.log, self.leaves[:500], self.second)
        self.assert_fails(["log: rolled back: it has 500 leaves, the kept checkpoint has 600"],
                          "log", self.log, "--key", self.first.vkey, "--checkpoint", kept)

    def test_a_log_that_was_forked(self):
        fork = list(self.leaves)
        fork[400] = json_of({"kind": "release", "release": "debt.400", "manifest_sha256": "2" * 64})
        write_log(self.log, fork, self.second)
        for size, is_seen in ((400, False), (401, True), (600, True)):
            kept = self.keep(self.leaves[:size], self.second)
            said = self.run_verifier(int(is_seen), "log", self.log, "--key", self.first.vkey, "--checkpoint", kept)
            self.assertEqual(f"FAILED: log: history was changed: its first {size} leaves" in said, is_seen, said)

    def test_a_key_or_a_kept_checkpoint_of_another_log(self):
        kept = self.keep(self.leaves[:400], self.other)
        self.assert_fails([f"{kept}: origin"], "log", self.log, "--checkpoint", kept)
        self.check(f"key: {self.other.vkey} is none of the log's", key=self.other)

    def test_an_old_key_or_a_new_one_that_it_did_not_sign(self):
        write_log(self.log, self.leaves, self.first)
        self.check("checkpoint: origin data.example.org/log, signed by")
        leaves = self.leaves[:400] + [self.other.key_leaf(self.other.public)] + self.leaves[401:]
        write_log(self.log, leaves, self.other)
        self.check(f"leaf 400: signed by {self.other.short_id}, expected {self.second.short_id}",
                   "checkpoint: origin data.example.org/log, signed by")
        write_log(self.log, self.leaves + [self.second.key_leaf(self.other.public, origin="other")], self.second)
        self.check("leaf 600: origin other, the checkpoint says data.example.org/log")
        leaves[400] = json_of(dict(json.loads(leaves[400]), signed_by=self.second.short_id))
        write_log(self.log, leaves, self.other)
        self.check(f"leaf 400: the signature of {self.second.short_id} does not fit",
                   "checkpoint: origin data.example.org/log, signed by")

    def test_a_revoked_key_that_still_signs(self):
        revoked = self.second.revocation(self.second, "2026-02-01T00:00:00Z")
        write_log(self.log, self.leaves + [revoked], self.second)
        self.check(f"key: {self.second.vkey} was revoked")
        write_log(self.log, self.leaves + [revoked, self.second.key_leaf(self.other.public)], self.other)
        self.check(f"leaf 601: signed by {self.second.short_id}, which was revoked before",
                   f"key: {self.second.vkey} was revoked", "checkpoint: origin")

    def test_two_manifests_of_one_release_or_in_one_leaf(self):
        again = json_of({"kind": "release", "release": "debt.9", "manifest_sha256": "3" * 64})
        write_log(self.log, self.leaves + [again], self.second)
        self.check("leaf 600: another manifest of release debt.9 than leaf 9 has")
        twice = b'{"kind":"event","kind":"release","manifest_sha256":"","release":"debt.9"}'
        write_log(self.log, self.leaves + [twice], self.second)
        self.check("leaf 600: not canonical JSON")

    def test_a_log_without_a_first_key(self):
        write_log(self.log, self.leaves[1:], self.second)
        self.check("leaf 0: no key", "checkpoint: without the key of leaf 0")

    def test_lines_cannot_be_forged(self):
        leaf = json_of({"kind": "release\nok: all is well", "release": "x"})
        write_log(self.log, self.leaves + [leaf], self.second)
        self.assertNotIn("\nok: all is well", self.run_verifier(0, "log", self.log))


class DamagedProofs(OnALog):
    def check(self, expected, proof, leaves=None, signer=None):
        kept = ("--checkpoint", self.keep(leaves, signer or self.second)) if leaves else ()
        self.assert_fails([expected], "proof", proof, "--key", self.second.vkey, *kept)

    def test_inclusion(self):
        path = inclusion_of(270, self.leaves)
        right = {"leaf": self.leaves[270].decode(), "leaf_index": 270, "inclusion": path}
        for name, value, text in (
                ("leaf", self.leaves[271].decode(), "leaf 270 and its proof make the root"),
                ("leaf_index", 271, "leaf 271 and its proof make the root"),
                ("leaf_index", 600, "leaf 600, expected one below 600"),
                ("inclusion", [bytes(32)] + path[1:], "leaf 270 and its proof make the root"),
                ("inclusion", path[1:], "inclusion proof: too long or too short"),
                ("inclusion", path + path[:1], "inclusion proof: too long or too short"),
                ("inclusion", [path[0][1:]] + path[1:], "expected 32 bytes in base64"),
                ("log_size", 599, "size 599 and root"),
                ("root", base64_of(bytes(32)), "are not those of its checkpoint")):
            with self.subTest(name=name, text=text):
                self.check(text, self.proof(self.leaves, self.second, **dict(right, **{name: value})))
        self.check("signed by", self.inclusion(270, self.leaves, self.other))
        self.check("cannot be read", f"{self.folder}/none.json")
        self.check("history was changed", self.inclusion(270, self.leaves, self.second), self.leaves[:599] + [b"{}"])
        self.check("continues size 600, the kept checkpoint has 400; expected what log/proof?from=400",
                   self.inclusion(270, self.leaves, self.second), self.leaves[:400])

    def test_consistency(self):
        path = consistency_of(400, self.leaves)
        for changed in ([bytes(32)] + path[1:], path[:-1] + [bytes(32)]):
            self.check("history was changed, or the proof",
                       self.proof(self.leaves, self.second, from_=400, consistency=changed), self.leaves[:400])
        self.check("consistency proof: too long or too short",
                   self.proof(self.leaves, self.second, from_=400, consistency=path[1:]), self.leaves[:400])
        good = self.proof(self.leaves, self.second, from_=400, consistency=path)
        self.check("expected --checkpoint", good)
        self.check("continues size 400, the kept checkpoint has 401", good, self.leaves[:401])
        self.check("history was changed", good, self.leaves[:399] + [b"{}"])
        self.check("signed by", good, self.leaves[:400], self.other)
        shorter = self.proof(self.leaves[:350], self.second, from_=400, consistency=[])
        self.check("rolled back: it has 350 leaves, the kept checkpoint has 400", shorter, self.leaves[:400])

    def test_usage(self):
        proof = ("--proof", "proof.json")
        for arguments in ((), ("proof", "proof.json"), ("release", self.folder), ("release", self.folder, *proof),
                          ("release", self.folder, *proof, "--log", self.log),
                          ("log", self.log, "--key", self.first.vkey.replace("data", "date"))):
            self.run_verifier(2, *arguments)


class Published(unittest.TestCase):
    def test_roots_of_the_rfc_6962_test_data(self):
        leaves = [bytes.fromhex(text) for text in (
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
        hashes = [verify.sha256(b"\0", leaf) for leaf in leaves]
        for size, root in ((0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                           (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
                           (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
                           (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
                           (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")):
            self.assertEqual(verify.merkle_root(hashes[:size]).hex(), root)

    def test_key_and_signature_of_a_signed_note(self):
        key = verify.parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        text = (b"If you think cryptography is the answer to your problem,\n"
                b"then you don't know what your problem is.\n")
        signature = base64.b64decode("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
                                     "otpRZb6KE6RyyBwJnAM=")
        self.assertEqual(signature[:4].hex(), key.id)
        self.assertTrue(verify.is_signed(key.public, text, signature[4:]))
        self.assertFalse(verify.is_signed(key.public, text + b"\n", signature[4:]))

    def test_paths_of_tiles(self):
        # The number is the example of C2SP tlog-tiles.
        number = 1234067
        self.assertEqual(verify.tile_path(0, 256 * number, 256 * (number + 1)), "tile/0/x001/x234/067")
        self.assertEqual(verify.tile_path(1, 256 * number, 256 * number + 5), "tile/1/x001/x234/067.p/5")
        self.assertEqual(verify.tile_path("entries", 256 * 5 + 3, 9999), "tile/entries/005")

    def test_proofs_of_every_size(self):
        leaves = [str(number).encode() for number in range(600)]
        for size in list(range(1, 41)) + [255, 256, 257, 600]:
            root = root_of(leaves[:size])
            for at in {*range(min(size, 40)), *(at for at in (254, 255, 256, 511, 599) if at < size)}:
                path = inclusion_of(at, leaves[:size])
                self.assertEqual(verify.inclusion_root(at, size, verify.sha256(b"\0", leaves[at]), path), root)
                old = at + 1
                path = consistency_of(old, leaves[:size])
                roots = verify.consistency_roots(old, size, root_of(leaves[:old]), path)
                self.assertEqual(roots, [root_of(leaves[:old]), root])
                wrong = verify.consistency_roots(old, size, bytes(32), path)
                self.assertNotEqual(wrong, [bytes(32), root], "a root of no beginning is taken for one")


if __name__ == "__main__":
    unittest.main()
