#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# A benchmark of every workload under every policy in its short form: one seed, the first point of
# each sweep. Two runs give one JSON, and the page is whole.
# bench_short.py SEPTSIM ROOT
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

septsim, root = map(os.path.abspath, sys.argv[1:3])


def first_points(path):
    """-D of the first value of each sweep of a file"""
    with open(path) as f:
        for line in f:
            m = re.match(r'sweep\s+(\S+)\s+(\S+)', line)
            if m:
                yield '-D'
                yield f'{m[1]}={m[2]}'


def play(path, *args):
    done = subprocess.run([septsim, 'bench', path, *first_points(path), '--policy', 'all',
                           '--seeds', '1', '--max-seeds', '1', '--json', *args], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in (0, 1):
        sys.exit(f'{path}: exit {done.returncode}: {done.stderr}')
    return done.stdout


cells = 0
with tempfile.TemporaryDirectory() as there:
    for path in sorted(glob.glob(root + '/scenarios/bench/*.scn')):
        html = os.path.join(there, 'page.html')
        one = play(path, '--jobs', '1', '--html', html)
        if one != play(path, '--jobs', '2'):
            sys.exit(f'{path}: two runs differ')
        for c in json.loads(one)['cells']:
            cells += 1
            shipped = c['policy'].startswith('v') and not c['policy'].startswith('v1')
            if shipped and c['broken']:
                sys.exit(f"{path}: {c['policy']} breaks: {c['broken']}")
        with open(html) as f:
            text = f.read()
        for part in ('<h1>What a retry policy costs', 'class=all', 'What this model decides',
                     'How these numbers were taken', '</html>'):
            if part not in text:
                sys.exit(f'{path}: the page has no {part!r}')
        if re.search(r'<script|https?://(?!www\.w3\.org)', text):
            sys.exit(f'{path}: the page wants a script or a network')
print(f'{cells} cells, twice the same')
