"""Is a patrol plan lawful? Reads plan.json files and says every rule that one of them breaks.

It shares no code with what makes the plans: it recomputes ways, lengths, clocks and counts from what stands in the file.

    python3 check_plan.py PLAN.json …      prints one line per broken rule; exit code 1 if there is one
"""

import json
import math
import sys
from collections import Counter, defaultdict
from datetime import datetime, timezone

try:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError
except ImportError:  # before Python 3.9
    ZoneInfo = None


def metres_per_second(text):
    for unit, factor in (("km/h", 1 / 3.6), ("mph", 0.44704), ("m/s", 1.0)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    raise ValueError(text)


def length(text):
    for unit, factor in (("km", 1000.0), ("ft", 0.3048), ("mi", 1609.344), ("m", 1.0)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    raise ValueError(text)


def broken(plan):
    """Every rule that the plan breaks, as a sentence."""
    made, asked = plan["schedule"], plan["parameters"]
    areas, depots, shifts = made["areas"], made["depots"], made["shifts"]
    dose, spacing, rest = made["dose"], made["spacing"], made.get("rest")
    speed = metres_per_second(asked["speed"])
    on_streets = asked.get("streets") is not None
    detour, snap = float(asked["detour"]), length(asked["snap"])

    yield from clocks(made)
    begins, planned, busy, seen = defaultdict(list), Counter(), defaultdict(list), set()
    for tour in made["tours"]:
        unit, shift, stops = tour["unit"], shifts[tour["shift"]], tour["stops"]
        name = f"unit {unit}, shift {tour['shift']}"
        if (unit, tour["shift"]) in seen:
            yield f"{name}: two tours"
        seen.add((unit, tour["shift"]))
        if not 0 <= unit < len(made["depot_of"]):
            yield f"{name}: there is no such unit"
            continue
        depot = depots[made["depot_of"][unit]]
        doings = [stop["doing"] for stop in stops]
        if len(stops) < 3 or doings[0] != "start" or doings[-1] != "end" or "start" in doings[1:] or "end" in doings[:-1]:
            yield f"{name}: begins, ends or goes on where it must not: {doings}"
            continue
        if stops[0]["begin"] < shift["start"] or stops[-1]["leave"] > shift["end"]:
            yield f"{name}: outside of its shift"
        busy[unit].append((stops[0]["begin"], stops[-1]["leave"], tour["shift"]))
        where = (depot["x"], depot["y"])
        for number, stop in enumerate(stops):
            if not stop["arrive"] <= stop["begin"] <= stop["leave"]:
                yield f"{name}, stop {number}: time runs backwards"
            if stop["doing"] == "visit":
                here = (areas[stop["area"]]["x"], areas[stop["area"]]["y"])
            elif stop["doing"] == "break":
                here = where
            else:
                here = (depot["x"], depot["y"])
            straight = math.dist(where, here)
            if number:
                took = stop["arrive"] - stops[number - 1]["leave"]
                if on_streets:
                    if straight > 0 and stop["metres"] < straight - 2 * snap - 0.01:
                        yield f"{name}, stop {number}: a way of {stop['metres']} m is shorter than the straight line, {straight} m"
                elif abs(stop["metres"] - straight * detour) > 0.01 + 1e-6 * straight:
                    yield f"{name}, stop {number}: a way of {stop['metres']} m, not {straight * detour} m"
                if took + 1e-6 < stop["metres"] / speed:
                    yield f"{name}, stop {number}: {took} s for {stop['metres']} m is faster than {asked['speed']}"
            elif stop["metres"]:
                yield f"{name}: a way before the first stop"
            where = here
            if stop["doing"] == "visit":
                if stop["leave"] - stop["begin"] != dose:
                    yield f"{name}, stop {number}: a visit of {stop['leave'] - stop['begin']} s, not {dose} s"
                begins[stop["area"]].append(stop["begin"])
                planned[stop["area"], tour["shift"]] += 1
        pauses = [stop for stop in stops if stop["doing"] == "break"]
        owed = 1 if rest and shift["end"] - shift["start"] >= rest["owed_from"] else 0
        if len(pauses) != owed:
            yield f"{name}: {len(pauses)} breaks where {owed} is owed"
        for pause in pauses if rest else []:
            if pause["leave"] - pause["begin"] != rest["length"]:
                yield f"{name}: a break of {pause['leave'] - pause['begin']} s"
            if pause["begin"] < shift["start"] + rest["from"] or pause["leave"] > shift["start"] + rest["until"]:
                yield f"{name}: the break is outside of its window"
    for unit, tours in busy.items():
        tours.sort()
        for before, after in zip(tours, tours[1:]):
            if after[0] < before[1]:
                yield f"unit {unit}: in the shifts {before[2]} and {after[2]} at once"
    for area, times in begins.items():
        times.sort()
        for before, after in zip(times, times[1:]):
            if after - before < spacing:
                yield f"area {area}: visits begin {after - before} s apart, not {spacing} s"
    missing = {(row["area"], row["shift"]): row for row in made["unserved"]}
    for area in areas:
        for shift, wanted in enumerate(area["wanted"]):
            done, row = planned[area["area"], shift], missing.pop((area["area"], shift), None)
            if done > wanted:
                yield f"area {area['area']}, shift {shift}: {done} visits where {wanted} are wanted"
            if (done < wanted) != (row is not None):
                yield f"area {area['area']}, shift {shift}: {done} of {wanted} visits, and " + ("listed" if row else "not listed") + " as missing"
            if row and (row["planned"], row["wanted"]) != (done, wanted):
                yield f"area {area['area']}, shift {shift}: listed with {row['planned']} of {row['wanted']}, in truth {done} of {wanted}"
    for area, shift in missing:
        yield f"area {area}, shift {shift}: listed as missing, and not wanted"


def clocks(made):
    """Whether the offsets are those of the zone, and shifts begin and end when their names say."""
    offsets = made["offsets"]

    def local(instant):
        seconds = offsets[0]["seconds"]
        for offset in offsets:
            if offset["from"] <= instant:
                seconds = offset["seconds"]
        return seconds, datetime.fromtimestamp(instant + seconds, timezone.utc).replace(tzinfo=None)

    zone = None
    if ZoneInfo is not None:
        try:
            zone = ZoneInfo(made["zone"])
        except ZoneInfoNotFoundError:
            zone = None
    for number, shift in enumerate(made["shifts"]):
        if shift["end"] <= shift["start"]:
            yield f"shift {number}: ends before it begins"
        for instant, text in ((shift["start"], shift["name"].split("-")[0]), (shift["end"], shift["name"].split("-")[1])):
            seconds, shown = local(instant)
            if zone is not None:
                true = datetime.fromtimestamp(instant, zone).utcoffset().total_seconds()
                if true != seconds:
                    yield f"shift {number}: an offset of {seconds} s, in truth {true} s"
            hour, minute = map(int, text.split(":"))
            wanted = (hour % 24) * 60 + minute
            # Where the clocks skip the moment, it is as much later as they skip.
            apart = (shown.hour * 60 + shown.minute - wanted) % 1440
            skipped = any(abs(instant - offset["from"]) <= 7200 for offset in offsets[1:])
            if apart and not skipped:
                yield f"shift {number}: {shift['name']} is at {shown}"


def main(paths):
    faults = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
        for fault in broken(plan):
            print(f"{path}: {fault}")
            faults += 1
    print(f"{len(paths)} plans, {faults} broken rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
