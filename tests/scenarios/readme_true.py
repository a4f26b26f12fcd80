#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# The output that README.md shows is what the program prints now, byte for byte.
# readme_true.py SEPTSIM ROOT [--put]; --put writes it into README.md.
import os
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
with open(root + "/README.md") as f:
	parts = f.read().split("```\n")
race = "scenarios/races/a01-zap-map-desync.scn"
shown = {1: ["run", "--mail", race],
	 3: ["explore", "--mail", "--case", "host-first", "scenarios/locks/sept-entry.scn"]}
wrong = False

for i, args in shown.items():
	done = subprocess.run([septsim, *args], cwd=root, text=True, capture_output=True)
	if "TSan" in done.stderr:	# that build does not search
		continue
	if done.returncode:
		sys.exit("%s: status %d\n%s" % (" ".join(args), done.returncode, done.stderr))
	if sys.argv[3:] == ["--put"]:
		parts[i] = done.stdout
	elif parts[i] != done.stdout:
		sys.stdout.write(done.stdout)
		print("README.md shows another output of %s than the above: run readme_true.py --put"
		      % " ".join(args), file=sys.stderr)
		wrong = True
if sys.argv[3:] == ["--put"]:
	with open(root + "/README.md", "w") as f:
		f.write("```\n".join(parts))
sys.exit(wrong)
