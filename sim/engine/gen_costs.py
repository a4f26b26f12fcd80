#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Turn costs.csv into costs_table.h: an enum of the keys and one constant table.

Cycles are whole numbers of the 3.0 GHz reference clock: ns x 3, rounded half up.
sim/engine/cost.c reads the same file at run time; a unit test holds one to the other.
"""
import csv
import re
import sys
from decimal import Decimal, ROUND_HALF_UP

COLUMNS = ['key', 'charged', 'step', 'unit', 'value_low', 'value_typical', 'value_high',
           'cpu', 'frequency_ghz', 'source', 'confidence', 'note']
CONFIDENCE = {'measured-published': 'COST_MEASURED', 'derived': 'COST_DERIVED',
              'assumed': 'COST_ASSUMED'}
FACTOR = {'cycles': 1, 'ns': 3}


def cycles(value, unit):
    return int((Decimal(value) * FACTOR[unit]).quantize(Decimal(1), ROUND_HALF_UP))


def string(s):
    return '"' + s.replace('\\', '\\\\').replace('"', '\\"') + '"'


def enum_name(key):
    return 'COST_' + key.upper().replace('-', '_')


def main(source, target):
    with open(source, newline='', encoding='utf-8') as f:
        reader = csv.DictReader(f)
        if reader.fieldnames != COLUMNS:
            sys.exit(f'{source}:1: columns must be {",".join(COLUMNS)}')
        rows = list(reader)

    seen = set()
    for n, r in enumerate(rows, start=2):
        low, typical, high = (cycles(r['value_' + x], r['unit'])
                              for x in ('low', 'typical', 'high'))
        if not re.fullmatch(r'[a-z0-9]+(-[a-z0-9]+)*', r['key']) or r['key'] in seen:
            sys.exit(f'{source}:{n}: bad or repeated key {r["key"]}')
        if r['charged'] not in ('yes', 'no') or r['confidence'] not in CONFIDENCE:
            sys.exit(f'{source}:{n}: bad charged or confidence')
        if not 0 < low <= typical <= high:
            sys.exit(f'{source}:{n}: low <= typical <= high does not hold')
        seen.add(r['key'])
        r['cycles'] = (low, typical, high)

    with open(target, 'w', encoding='utf-8') as f:
        p = lambda *a: print(*a, file=f)
        p('/* SPDX-License-Identifier: GPL-2.0-only */')
        p('/* Generated from sim/engine/costs.csv by gen_costs.py. */')
        p('#ifndef COST_KEYS')
        p('#define COST_KEYS')
        p('enum cost_key {')
        for r in rows:
            p(f'\t{enum_name(r["key"])},')
        p('\tCOST_NR,\n};')
        p('#endif\n')
        p('#ifdef COST_WANT_ROWS')
        p('static const struct cost_row cost_builtin[COST_NR] = {')
        for r in rows:
            p(f'\t[{enum_name(r["key"])}] = {{')
            p(f'\t\t.key = {string(r["key"])}, .step = {string(r["step"])},')
            p(f'\t\t.cycles = {{ {", ".join(map(str, r["cycles"]))} }},')
            p(f'\t\t.charged = {"true" if r["charged"] == "yes" else "false"},')
            p(f'\t\t.confidence = {CONFIDENCE[r["confidence"]]},')
            p(f'\t\t.cpu = {string(r["cpu"])},')
            p(f'\t\t.source = {string(r["source"])},')
            p('\t},')
        p('};\n#endif')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2])
