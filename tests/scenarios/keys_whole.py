#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""No actor remembers what its key has forgotten.

keys_whole.py SEPTSIM FILE.scn...: search each case of each file for some thousand states with
--verify-key, which runs merged states on from each past. Exits 1 if two of them part.
"""
import json
import subprocess
import sys

bad = merges = 0
for path in sys.argv[2:]:
    done = subprocess.run([sys.argv[1], 'explore', '--json', '--all', '--no-shrink', '--keep-going',
                           '--verify-key', '30', '--states', '20000', path],
                          capture_output=True, text=True)
    if not done.stdout.startswith('{'):
        sys.exit('%s: %s' % (path, done.stderr))
    for case in json.loads(done.stdout)['cases']:
        merges += case['merges_verified']
        for v in case['violations']:
            if v['id'] == 'key':
                bad += 1
                print('%s: %s: %s' % (path, case['case'], v['text']))
print('%u merges of states run on, %u parted' % (merges, bad))
sys.exit(bad > 0 or not merges)
