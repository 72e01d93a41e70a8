#!/usr/bin/env python3
"""Compute a certificate's sample again, with nothing but Python: who was to be inspected was chosen by nobody.

    python3 verify.py draws.json        # the answer of GET /v1/certifications/{id}/draws, or draws.json of a package

For each part of the sample it checks that

1. the list is sorted, names nothing twice, and has the SHA-256 that was published before the secret was known;
2. the secret has the SHA-256 (commitment) that was published with the list;
3. the seed follows from list, secret and the applicant's word;
4. exactly those codes were chosen whose SHA-256 of seed and code is smallest.

Exit code 0: everything fits; 1: it does not; 2: the file cannot be read. `python3 verify.py -` reads standard input.
"""

import hashlib
import json
import sys

SCHEME = "dachuan-sample-v1"


def sha(*lines: str) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def wrong_with(draw: dict) -> list[str]:
    """What does not fit in one part of a sample."""
    if draw["seed"] is None:
        return ["not drawn yet: only the digest of the list and the commitment are known"]
    codes, wrong = draw["codes"], []
    if draw["scheme"] != SCHEME:
        wrong.append(f"another scheme: {draw['scheme']}")
    if codes != sorted(set(codes), key=lambda code: code.encode()):
        wrong.append("the list is not sorted, or names a code twice")
    if sha(*codes) != draw["digest"]:
        wrong.append("the list is not the one that was frozen")
    if hashlib.sha256(bytes.fromhex(draw["secret"])).hexdigest() != draw["commitment"]:
        wrong.append("the secret is not the one that was committed to")
    seed = sha(SCHEME, draw["certification"], draw["part"], draw["digest"], draw["secret"], draw["word"])
    if seed != draw["seed"]:
        wrong.append("the seed does not follow from list, secret and word")
    ranked = sorted(codes, key=lambda code: (sha(seed, code), code))
    if ranked[: draw["number"]] != draw["chosen"]:
        wrong.append("the chosen codes do not follow from the seed")
    return wrong


def main(path: str) -> int:
    try:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as source:
            draws = json.load(source)["items"]
        failed = False
        for draw in draws:
            wrong = wrong_with(draw)
            failed = failed or bool(wrong)
            said = "; ".join(wrong) or f"{len(draw['chosen'])} of {len(draw['codes'])}, computed again: the same"
            print(f"round {draw['round']} {draw['part']}: {said}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot read {path}: {error!r}", file=sys.stderr)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else print(__doc__) or 2)
