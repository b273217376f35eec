"""The rows of `cargo bench --bench inventory -- ROWS FILE` decided by DuckDB on one thread: nanoseconds a row.

    pip install duckdb
    python3 benches/inventory_duckdb.py FILE

The twenty rules of the bench stand in one CASE, the longest retention first, so that the first that matches is the one
that counts.
"""

import re
import sys
import time

import duckdb

RUNS = 3


def rules():
    """Pattern and days of each rule, as the bench has them."""
    first = ["inbound/**", "outbound/*/*/*/*/*.pdf", "calls/*/call-*.wav", "mail/**"]
    for n in range(20):
        key = (
            first[n]
            if n < 4
            else [f"*/t{n}/**", f"*/t{n}/**", f"calls/t{n}/*.wav", f"**/p{n}/*.eml", f"inbound/t{n}/*/*/**.jpg"][n % 5]
        )
        yield key, [365, 370, 400, 396, 730][n % 5]


def regex(glob):
    parts = re.split(r"(\*\*/?|\*)", glob)
    words = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*"}
    return "^" + "".join(words.get(part, re.escape(part)) for part in parts) + "$"


def main():
    cases = "\n".join(
        f"WHEN regexp_matches(key, '{regex(glob)}') THEN {days}"
        for glob, days in sorted(rules(), key=lambda rule: -rule[1])
    )
    query = f"""
        SELECT count(*), count(days), sum((last_modified_date + days * INTERVAL 1 DAY <= TIMESTAMP '2026-11-27')::INT)
        FROM (SELECT last_modified_date, CASE {cases} END AS days FROM read_parquet('{sys.argv[1]}'))
    """
    base = duckdb.connect()
    base.execute("SET threads = 1; SET TimeZone = 'UTC'")
    best = None
    for _ in range(RUNS):
        began = time.process_time()
        rows, covered, due = base.execute(query).fetchone()
        spent = time.process_time() - began
        best = spent if best is None else min(best, spent)
    print(f"{rows} rows, {covered} under a rule, {due} due; {best * 1e9 / rows:.1f} ns/row")


main()
