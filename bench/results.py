"""What bp-bench, bp-mnist and peer_torch write with --json, read back: shared by compare, report and plot."""
import json
import math
import sys

FORMAT = "bp-bench 1"
KEY = ("suite", "name", "operation", "dtype", "batch", "threads", "ranks", "method", "seed")


class Mistake(Exception):
    """A sentence for the user; the program ends with 2."""


def fail_with_2(program, main):
    """Runs main; a Mistake becomes its sentence and exit status 2."""
    try:
        sys.exit(main())
    except Mistake as mistake:
        print(f"{program}: {mistake}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def load(path):
    """The results in a file, checked as far as the programs rely on them."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    except OSError as error:
        raise Mistake(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Mistake(f"{path} is not JSON: {error}") from None
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise Mistake(f'{path} has not the "format" that bp-bench --json writes, "{FORMAT}"')
    for part, kind in (("rows", list), ("machine", dict)):
        if not isinstance(results.get(part), kind):
            raise Mistake(f'{path} has no "{part}"')
    results.setdefault("floors", [])
    for index, row in enumerate(results["rows"]):
        try:
            check_row(row)
        except Mistake as mistake:
            raise Mistake(f"{path}: row {index} {mistake}") from None
    return results


def check_row(row):
    if not isinstance(row, dict):
        raise Mistake("is not an object")
    for part in ("suite", "name", "dtype"):
        if not isinstance(row.get(part), str):
            raise Mistake(f'has no "{part}"')
    if "error" in row:
        return
    check_positive(row, "ns")
    peers = row.setdefault("peers", [])
    if not isinstance(peers, list) or not all(isinstance(peer, dict) and isinstance(peer.get("name"), str) for peer in peers):
        raise Mistake('has "peers" that are no list of peers with names')
    for peer in peers:
        peer["name"] = peer["name"].lower()
        check_positive(peer, "ns")


def check_positive(holder, name):
    value = holder.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value > 0):
        raise Mistake(f'has "{name}" {json.dumps(value)}; it can be any number above 0')


def key(row):
    return tuple(row.get(part) for part in KEY)


def label(row):
    """A row's name for people: "step 784-100-10 f32", "batch 784-100-10 B=32 adam f64"."""
    words = [row["suite"], row["name"]]
    if row.get("operation"):
        words.append(row["operation"])
    if (row["suite"] in ("batch", "infer", "threads", "mnist", "mpi") or row.get("operation") == "epoch") and row.get("batch"):
        words.append(f"B={row['batch']}")
    if row["suite"] in ("batch", "threads", "train", "mnist") and row.get("method"):
        words.append(row["method"])
    if (row.get("threads") or 1) > 1:
        words.append(f"{row['threads']} threads")
    if row.get("ranks"):
        words.append(f"{row['ranks']} ranks")
    words.append(row["dtype"])
    return " ".join(words)


def peer(row, name):
    """The row's peer of this name, or None."""
    return next((p for p in row.get("peers", ()) if p["name"] == name), None)


def ratio(row, name):
    """Time of a peer by the time of libbp, above 1 where libbp is faster; None where the row has no such peer."""
    other = peer(row, name)
    if other is None:
        return None
    return other.get("ratio") or other["ns"] / row["ns"]


def common_floors(floors):
    """The floors whose working set was measured for each type: one a level of memory; the others are of single rows."""
    dtypes_of = {}
    for floor in floors:
        dtypes_of.setdefault((floor["name"], floor["bytes"]), set()).add(floor["dtype"])
    most = max(map(len, dtypes_of.values()), default=0)
    return sorted((f for f in floors if len(dtypes_of[f["name"], f["bytes"]]) == most), key=lambda f: f["bytes"])


def of_suite(run, suite, dtype=None):
    """The suite's rows that did not fail. But in the suites that compare them, other numbers of threads than one are left out."""
    return [row for row in run["rows"] if row["suite"] == suite and "error" not in row and dtype in (None, row["dtype"])
            and (suite in ("threads", "mnist") or row.get("threads", 1) == 1)]


def geometric_mean(numbers):
    numbers = list(numbers)
    return math.exp(sum(map(math.log, numbers)) / len(numbers)) if numbers else None


def time_text(ns):
    """Three digits and a unit: "41.2 ns", "1.23 ms"."""
    for limit, unit in ((1e3, "ns"), (1e6, "µs"), (1e9, "ms"), (math.inf, "s")):
        value = ns / (limit / 1e3 if limit < math.inf else 1e9)
        if float(f"{value:.3g}") < 1000 or unit == "s":
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"
